"""What the commands that write the database themselves have in common."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import click
import sqlalchemy as sa
from alembic.util import CommandError

from adapter import errors
from adapter.config import Settings
from adapter.store.opening import Stores, open_store

#: What opening a data directory raises beside OSError; CommandError: the database is of a newer version.
CANNOT_OPEN = (ValueError, RuntimeError, sa.exc.SQLAlchemyError, CommandError)

F = TypeVar("F", bound=Callable[..., Any])


def store_options(command: F) -> F:
    """Adds --data-dir and --database-url, handed over as `data_dir` and `database_url`."""
    data_dir = click.option(
        "--data-dir",
        type=click.Path(file_okay=False, path_type=Path),
        help="Directory of the database and its key. [default: $ADAPTER_DATA_DIR or .run]",
    )
    database_url = click.option(
        "--database-url", help="SQLAlchemy URL of the database. [default: SQLite in the data directory]"
    )
    return data_dir(database_url(command))


@contextmanager
def opened(data_dir: Path | None, database_url: str | None) -> Iterator[Stores]:
    """The stores, open; what goes wrong within is one line on standard error and exit code 1."""
    try:
        stores = open_store(Settings.load({"data_dir": data_dir, "database_url": database_url}))
        try:
            yield stores
        finally:
            stores.close()
    except errors.JobError as error:
        raise click.ClickException(error.message) from error
    except sa.exc.DBAPIError as error:
        raise click.ClickException(f"the database refuses: {in_one_line(error)}") from error
    except (*CANNOT_OPEN, OSError) as error:
        raise click.ClickException(in_one_line(error)) from error


def in_one_line(error: Exception) -> str:
    """What went wrong, without SQLAlchemy's additions and line breaks."""
    return " ".join(str(getattr(error, "orig", None) or error).split())
