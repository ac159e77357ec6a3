"""`adapter crons`: what is launched by the clock, and what became of its times."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import click

from adapter.cli.stores import opened, store_options
from adapter.job.cron import Cron, CronRun
from adapter.store.crons import CronStore


@click.command("crons")
@click.option("--cron", "cron_id", type=int, help="What became of this one's times, the newest first.")
@click.option("--most", type=click.IntRange(1), default=100, show_default=True, help="At most so many.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@store_options
def crons(
    *, cron_id: int | None, most: int, as_json: bool, data_dir: Path | None, database_url: str | None
) -> None:
    """Crons of every business: when they are launched next; or each time of one, launched, refused or missed."""
    with opened(data_dir, database_url) as stores:
        store = CronStore(stores.engine, stores.box)
        if cron_id is None:
            for cron in store.all(most):
                click.echo(_cron_json(cron) if as_json else _cron_line(cron))
            return
        if store.get(cron_id) is None:
            raise click.ClickException(f"there is no cron {cron_id}")
        for run in store.runs(cron_id, 0, most)[1]:
            click.echo(json.dumps(asdict(run), ensure_ascii=False) if as_json else _run_line(run))


def _cron_json(cron: Cron) -> str:
    """Without its variables: some are secret."""
    shown = {name: value for name, value in asdict(cron).items() if name != "variables"}
    return json.dumps({**shown, "scope": str(cron.scope)}, ensure_ascii=False)


def _cron_line(cron: Cron) -> str:
    when = cron.expression if cron.execute_time is None else f"once at {_at(cron.execute_time)}"
    following = "stopped" if cron.next_fire_time is None else f"next {_at(cron.next_fire_time)}"
    plan = f"plan {cron.plan_id} [{cron.plan_name}]"
    who = f"{cron.app_code}/{cron.last_modify_user}"
    return (
        f"cron {cron.id} [{cron.name}]  {cron.scope}  {plan}  {when} ({cron.time_zone})  {following}  {who}"
    )


def _run_line(run: CronRun) -> str:
    times = f" to {_at(run.last_fire_time)} ({run.count} times)" if run.count > 1 else ""
    job = "" if run.job_instance_id is None else f"  job {run.job_instance_id}"
    code = "" if run.code is None else f"  {run.code}"
    message = f"  {run.message}" if run.message else ""
    return f"{_at(run.fire_time)}{times}  {run.state}{job}{code}{message}"


def _at(milliseconds: int) -> str:
    return f"{datetime.fromtimestamp(milliseconds / 1000, UTC).astimezone():%Y-%m-%d %H:%M:%S}"
