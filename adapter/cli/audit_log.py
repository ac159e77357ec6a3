"""`adapter audit-log`: who did what; and how the commands that change something are written down in it."""

from __future__ import annotations

import getpass
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import click

from adapter.api.audit_log import shown
from adapter.cli.durations import since
from adapter.cli.rights import scopes_of
from adapter.cli.stores import opened, store_options
from adapter.clock import SystemClock
from adapter.job.actions import Action
from adapter.job.audit_log import AuditEntry, AuditFilter, Recording, printable
from adapter.service.audit_log import AuditLog
from adapter.store.audit_log import AuditLogStore
from adapter.store.opening import Stores


@click.command("audit-log")
@click.option("--scope", help="Of one business, biz:ID. [default: all, and what is of none]")
@click.option("--app", "app_code", help="Of one application.")
@click.option("--user", help="Of one user.")
@click.option("--api", help="Of APIs and commands whose name has this in it.")
@click.option("--code", type=int, help="That ended with this code: 0, 9900403, …")
@click.option("--since", "since_ms", callback=since, help="Since 90s, 10m, 2h, 7d ago, or a time.")
@click.option("--most", type=click.IntRange(1), default=100, show_default=True, help="The newest.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@store_options
def audit_log(
    *,
    scope: str | None,
    app_code: str | None,
    user: str | None,
    api: str | None,
    code: int | None,
    since_ms: int,
    most: int,
    as_json: bool,
    data_dir: Path | None,
    database_url: str | None,
) -> None:
    """Who launched, operated or changed what, and who was refused; the newest first."""
    if scope is not None:
        scopes_of((scope,))
    wanted = AuditFilter(
        scope=scope, app_code=app_code, user=user, api=api, code=code, since=since_ms or None, most=most
    )
    with opened(data_dir, database_url) as stores:
        for entry in AuditLogStore(stores.engine).of(wanted):
            click.echo(json.dumps(shown(entry), ensure_ascii=False) if as_json else _line(entry))


@contextmanager
def recorded(
    stores: Stores,
    command: str,
    objects: Mapping[str, int | str],
    *,
    app_code: str = "",
    scope: str | None = None,
) -> Iterator[Recording]:
    """What is done within is in the audit log as the command's, by the user of the operating system.

    Begun before anything changes, completed after: what fails without a code of JOB's has that of a fault.
    """
    clock = SystemClock()
    log = AuditLog(AuditLogStore(stores.engine), clock)
    entry = AuditEntry(
        create_time=clock.now_ms(),
        app_code=printable(app_code),
        user=os_user(),
        verified_by="cli",
        api=f"adapter {command}",
        action=str(Action.MANAGE),
        scope=scope,
        objects={name: printable(str(value)) for name, value in objects.items()},
    )
    with log.recording(entry) as recording:
        yield recording


def os_user() -> str:
    """Who types: the user of the process, and who became it with sudo."""
    user, before = getpass.getuser(), os.environ.get("SUDO_USER")
    return printable(f"{user} (sudo: {before})" if before and before != user else user)


def _line(entry: AuditEntry) -> str:
    at = datetime.fromtimestamp(entry.create_time / 1000, UTC).isoformat(timespec="seconds")
    who = f"{entry.app_code or '-'}/{entry.user or '-'} by {entry.verified_by or 'nothing believed'}"
    objects = " ".join(f"{name}={value}" for name, value in entry.objects.items())
    code = "unknown" if entry.code is None else entry.code
    return (
        f"{entry.id}  {at}  {who}  {entry.peer or '-'}  {entry.api}  {entry.scope or '-'}  code {code}  {objects}"
    ).rstrip()
