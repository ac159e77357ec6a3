"""The `adapter` command."""
