"""`adapter prune`: removes what is older than it is to be kept, as workers do by themselves."""

from __future__ import annotations

from pathlib import Path

import click

from adapter.bootstrap import retention_of
from adapter.cli.stores import opened, store_options
from adapter.config import Settings


@click.command("prune")
@click.option(
    "--keep-jobs-days", type=click.IntRange(0), help="[default: $ADAPTER_KEEP_JOBS_DAYS or for ever]"
)
@click.option(
    "--keep-logs-days", type=click.IntRange(0), help="[default: $ADAPTER_KEEP_LOGS_DAYS or for ever]"
)
@click.option(
    "--keep-artifacts-days",
    type=click.IntRange(0),
    help="[default: $ADAPTER_KEEP_ARTIFACTS_DAYS or for ever]",
)
@click.option(
    "--keep-artifacts-bytes",
    type=click.IntRange(0),
    help="[default: $ADAPTER_KEEP_ARTIFACTS_BYTES or no limit]",
)
@click.option(
    "--keep-uploads-days",
    type=click.IntRange(0),
    help="[default: $ADAPTER_KEEP_UPLOADS_DAYS or 7]",
)
@click.option("--dry-run", is_flag=True, help="Only say what would be removed.")
@store_options
def prune(*, dry_run: bool, data_dir: Path | None, database_url: str | None, **keep: int | None) -> None:
    """Remove jobs, logs, uploaded files and this node's artifacts that are too old. 0 keeps for ever.

    Safe beside a running service. Never what has not ended, a callback still to be told, a run still on its hosts.
    """
    try:
        settings = Settings.load({"data_dir": data_dir, "database_url": database_url, **keep})
    except ValueError as error:
        raise click.ClickException(str(error)) from error
    if not (settings.data_dir / "secret.key").is_file():  # opening would make an empty one
        raise click.ClickException(f"{settings.data_dir} is no data directory of the adapter")
    with opened(data_dir, database_url) as stores:
        retention = retention_of(settings, stores)
        if retention.keeping.is_for_ever:
            raise click.ClickException(
                "everything is kept for ever: give --keep-jobs-days, --keep-logs-days, --keep-artifacts-days, "
                "--keep-uploads-days or --keep-artifacts-bytes"
            )
        done = retention.would_prune() if dry_run else retention.prune()
    word = "would remove" if dry_run else "removed"
    click.echo(
        f"{word} {done.jobs} jobs, what scripts of {done.logs} jobs printed, artifacts of {done.artifacts} jobs, "
        f"{done.uploads} uploads"
    )
