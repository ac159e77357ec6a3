"""`adapter backup` and `adapter restore`: docs/backup.md says what to do on PostgreSQL."""

from __future__ import annotations

from pathlib import Path

import click
import sqlalchemy as sa

from adapter.cli.stores import in_one_line, opened, store_options
from adapter.config import Settings
from adapter.store.backup import KEY, back_up, jump_ahead, next_job, put_back
from adapter.store.database import is_shared

_directory = click.argument("directory", type=click.Path(file_okay=False, path_type=Path))


@click.command("backup")
@_directory
@store_options
def backup(*, directory: Path, data_dir: Path | None, database_url: str | None) -> None:
    """Copy databases and key into the new DIRECTORY, beside a running service or without one.

    It has every secret: keep it as the data directory is kept. Artifacts and the file cache are not in it.
    """
    settings = Settings.load({"data_dir": data_dir, "database_url": database_url})
    if is_shared(settings.database):
        raise click.ClickException(
            f"on PostgreSQL a backup is pg_dump's and a copy of {settings.data_dir / KEY}: see docs/backup.md"
        )
    if settings.database_url:
        raise click.ClickException("a database outside the data directory is not copied: see docs/backup.md")
    if not (settings.data_dir / KEY).is_file():
        raise click.ClickException(f"{settings.data_dir} is no data directory of the adapter")
    try:
        written = back_up(settings, directory.absolute())
    except (OSError, ValueError, sa.exc.SQLAlchemyError) as error:
        raise click.ClickException(in_one_line(error)) from error
    for path in written:
        click.echo(str(path))


@click.command("restore")
@_directory
@store_options
def restore(*, directory: Path, data_dir: Path | None, database_url: str | None) -> None:
    """Make a data directory of the backup in DIRECTORY, and let its ids go on where no host knows any.

    On PostgreSQL, after pg_restore: DIRECTORY has the copy of secret.key, and the database's ids are moved on.
    """
    settings = Settings.load({"data_dir": data_dir, "database_url": database_url})
    try:
        if is_shared(settings.database):
            _put_key(directory, settings.data_dir)
        else:
            put_back(directory, settings.data_dir)
    except OSError as error:
        raise click.ClickException(in_one_line(error)) from error
    with opened(data_dir, database_url) as stores:
        if is_shared(settings.database):
            jump_ahead(stores.engine)
        click.echo(f"restored; the next job is {next_job(stores.engine)}")


def _put_key(directory: Path, data_dir: Path) -> None:
    if not (directory / KEY).is_file():
        raise FileNotFoundError(f"{directory} is no backup: it has no {KEY}")
    target = data_dir / KEY
    if target.exists() and target.read_bytes() != (directory / KEY).read_bytes():
        raise FileExistsError(f"{target} is another key; restore into a new directory")
    data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    target.write_bytes((directory / KEY).read_bytes())
    target.chmod(0o600)
