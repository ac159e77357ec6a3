"""The `adapter` command."""

from __future__ import annotations

import importlib

import click

from adapter import __version__

#: Subcommand -> where it is. Each is imported when it is asked for: `adapter token create` needs no Ansible.
_COMMANDS = {
    "serve": "adapter.cli.serve:serve",
    "worker": "adapter.cli.worker:worker",
    "workers": "adapter.cli.worker:workers",
    "app": "adapter.cli.app:app_group",
    "token": "adapter.cli.token:token_group",
    "permission": "adapter.cli.permission:permission_group",
    "apply": "adapter.cli.apply:apply_command",
    "script": "adapter.cli.local:script",
    "push": "adapter.cli.local:push",
    "plan": "adapter.cli.local:plan",
    "status": "adapter.cli.reports:status",
    "logs": "adapter.cli.reports:logs",
    "artifacts": "adapter.cli.reports:artifacts",
    "callbacks": "adapter.cli.callbacks:callbacks",
    "crons": "adapter.cli.crons:crons",
    "dangerous-records": "adapter.cli.dangerous:dangerous_records",
    "backup": "adapter.cli.backup:backup",
    "restore": "adapter.cli.backup:restore",
    "prune": "adapter.cli.prune:prune",
    "audit": "adapter.cli.audit:audit",
    "audit-log": "adapter.cli.audit_log:audit_log",
}


class _Lazy(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        module, _, name = _COMMANDS[cmd_name].partition(":")
        command: click.Command = getattr(importlib.import_module(module), name)
        return command


@click.command(cls=_Lazy)
@click.version_option(__version__, prog_name="adapter")
def main() -> None:
    """The BlueKing JOB HTTP API, executed over Ansible."""
