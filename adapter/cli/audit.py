"""`adapter audit`: do the store, the artifacts and the hosts say the same of every job?"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from pathlib import Path

import click

from adapter.bootstrap import audit_of
from adapter.cli.durations import since
from adapter.cli.processes import set_up_logging
from adapter.cli.stores import opened, store_options
from adapter.config import SettingError, Settings
from adapter.engine.audit import Report
from adapter.hosts.loader import InventoryError
from adapter.store.audit import AuditStore

#: Findings were made; 0 is none, 2 is that it could not look.
_FOUND, _COULD_NOT_LOOK = 1, 2


@click.command("audit")
@click.option(
    "--job", "job_ids", type=int, multiple=True, help="Job instance id; may be repeated. [default: all]"
)
@click.option(
    "--since", "since_ms", callback=since, help="Jobs stored since: 90s, 10m, 2h, 7d ago, or a time."
)
@click.option("--hosts", "with_hosts", is_flag=True, help="Ask the hosts too, through Ansible.")
@click.option("--inventory", type=click.Path(path_type=Path), help="For --hosts. [default: local]")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@store_options
def audit(
    *,
    job_ids: tuple[int, ...],
    since_ms: int,
    with_hosts: bool,
    inventory: Path | None,
    as_json: bool,
    data_dir: Path | None,
    database_url: str | None,
) -> None:
    """Name every disagreement between the store, this node's artifacts and, with --hosts, the hosts.

    Exit code 0: there is none. 1: there are, one a line. 2: it could not look. Changes nothing.
    """
    set_up_logging("error")
    try:
        settings = _settings(data_dir, database_url, inventory)
        report = _report(settings, job_ids, since_ms, with_hosts)
    except click.ClickException as error:
        error.show()
        sys.exit(_COULD_NOT_LOOK)
    _print(report, as_json)
    sys.exit(_FOUND if report.findings else 0)


def _settings(data_dir: Path | None, database_url: str | None, inventory: Path | None) -> Settings:
    try:
        return Settings.load({"data_dir": data_dir, "database_url": database_url, "inventory": inventory})
    except ValueError as error:
        raise click.ClickException(str(error)) from error


def _report(settings: Settings, job_ids: Iterable[int], since_ms: int, with_hosts: bool) -> Report:
    if not (settings.data_dir / "secret.key").is_file():  # opening would make an empty one
        raise click.ClickException(f"{settings.data_dir} is no data directory of the adapter")
    with opened(settings.data_dir, settings.database_url) as stores:
        store = AuditStore(stores.engine)
        wanted = list(dict.fromkeys(job_ids)) or list(store.job_ids(since_ms))
        unknown = set(wanted) - store.known_jobs(wanted)
        if unknown:
            raise click.ClickException(f"there is no job {', '.join(map(str, sorted(unknown)))}")
        try:
            return audit_of(settings, stores, with_hosts=with_hosts).run(wanted)
        except (InventoryError, SettingError) as error:
            raise click.ClickException(str(error)) from error


def _print(report: Report, as_json: bool) -> None:
    if as_json:
        found = [finding.as_json() for finding in report.findings]
        rest = {"not_looked_at": dict(report.not_looked_at), "jobs": report.jobs, "hosts": report.hosts}
        click.echo(json.dumps({"findings": found, **rest}, indent=1))
        return
    for finding in report.findings:
        click.echo(str(finding))
    for reason, number in sorted(report.not_looked_at.items()):
        click.echo(f"not looked at: {number} {reason}", err=True)
    word = f"{len(report.findings)} disagreements" if report.findings else "no disagreement"
    click.echo(f"{report.jobs} jobs, {report.hosts} hosts: {word}", err=True)
