"""`adapter callbacks`: what became of telling a job's callback_url."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click

from adapter.bootstrap import records_of
from adapter.cli.stores import opened, store_options
from adapter.job.callbacks import Delivery
from adapter.store.jobs import JobStore


@click.command("callbacks")
@click.option("--job", "job_id", required=True, type=int, help="Job instance id.")
@store_options
def callbacks(*, job_id: int, data_dir: Path | None, database_url: str | None) -> None:
    """Every POST of a job's callbacks that is remembered: when, how, and what was answered."""
    with opened(data_dir, database_url) as stores:
        record = records_of(stores, JobStore(stores.engine, stores.box)).callbacks(None, job_id)
    if record.url is None:
        click.echo(f"job {job_id} has no callback_url")
        return
    click.echo(f"job {job_id}  {record.url}  {'signed' if record.is_signed else 'not signed'}")
    if not record.callbacks:
        click.echo("  it has nothing to tell yet")
    for callback in record.callbacks:
        click.echo(f"  completion {callback.completion}  {callback.state}  {callback.body}")
        for delivery in record.deliveries:
            if delivery.completion == callback.completion:
                click.echo(f"    {_line(delivery)}")


def _line(delivery: Delivery) -> str:
    at = datetime.fromtimestamp(delivery.start_time / 1000, UTC).astimezone()
    answer = delivery.error if delivery.status is None else str(delivery.status)
    how = f"attempt {delivery.attempt}  {delivery.content_type}"
    return f"{at:%Y-%m-%d %H:%M:%S}  {how}  {delivery.duration} ms  {answer}"
