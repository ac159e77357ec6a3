"""`adapter worker`: runs jobs and serves nothing. `adapter workers`: who does."""

from __future__ import annotations

import os
import signal
import threading
from pathlib import Path
from typing import Any

import click
import structlog

from adapter.cli.processes import built, drained, started, worker_options
from adapter.cli.stores import opened, store_options
from adapter.store.workers import WorkerReport, WorkerStore

log = structlog.get_logger(__name__)

_TITLES = ("WORKER", "MACHINE", "PID", "STATE", "JOBS", "LAST BEAT")


@click.command("worker", context_settings={"auto_envvar_prefix": "ADAPTER"})
@worker_options
def worker(**options: Any) -> None:
    """Run jobs that `adapter serve` takes, on this machine or another. SIGTERM drains.

    Several workers share one PostgreSQL; each has a data directory of its own with the same secret.key.
    Every option is also ADAPTER_<NAME> in the environment.
    """
    adapter = built({**options, "no_worker": False})
    started(adapter)
    told_to_stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: told_to_stop.set())
    log.info("working", data_dir=str(adapter.settings.data_dir), pid=os.getpid())
    while not told_to_stop.wait(3600):
        pass
    drained(adapter)


@click.command("workers")
@store_options
def workers(data_dir: Path | None, database_url: str | None) -> None:
    """The workers that share the database, those that have ended too, the newest first."""
    with opened(data_dir, database_url) as stores:
        reports = WorkerStore(stores.engine).reports()
    rows = [_TITLES, *(_row(report) for report in reports)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_TITLES))]
    for row in rows:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def _row(report: WorkerReport) -> tuple[str, ...]:
    found = report.worker
    state = (
        str(found.state) if found.taken_by is None else f"{found.state} (looked after by {found.taken_by})"
    )
    return (
        found.id,
        found.host_name,
        str(found.pid),
        state,
        f"{report.jobs} of {found.max_running_jobs}",
        f"{report.beat_age:.0f} s ago",
    )
