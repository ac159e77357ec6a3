"""Durable execution: workflows, step runs and the only door to ansible-runner."""
