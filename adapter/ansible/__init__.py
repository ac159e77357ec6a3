"""Ansible's nouns: pure data for one run and what its events mean, no I/O."""
