"""`adapter apply`: accounts, scripts, templates and plans from a file."""

from __future__ import annotations

import os
from pathlib import Path

import click

from adapter.cli.audit_log import recorded
from adapter.cli.stores import in_one_line, opened, store_options
from adapter.clock import SystemClock
from adapter.job.audit_log import printable
from adapter.service.apply import Apply, ApplyError


@click.command("apply")
@click.option(
    "-f",
    "--file",
    required=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The YAML file of definitions.",
)
@store_options
def apply_command(file: Path, data_dir: Path | None, database_url: str | None) -> None:
    """Create or update what FILE defines, all of it or nothing, and print what changed."""
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise click.ClickException(f"{file} cannot be read: {error}") from error
    with opened(data_dir, database_url) as stores:
        apply = Apply(
            engine=stores.engine,
            box=stores.box,
            clock=SystemClock(),
            environ=os.environ,
            operator="adapter apply",
        )
        try:
            with recorded(stores, "apply", {"file": str(file.absolute())}) as recording:
                changes = apply.apply(text, file.absolute().parent)
                recording.objects["changes"] = printable("; ".join(map(str, changes)), 8000)
        except ApplyError as error:
            raise click.ClickException(f"{file}: {in_one_line(error)}") from error
    for change in changes:
        click.echo(str(change))
    if not changes:
        click.echo("no changes")
