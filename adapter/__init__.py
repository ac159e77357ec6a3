"""The BlueKing JOB HTTP API, executed over Ansible."""

__version__ = "0.1.0"
