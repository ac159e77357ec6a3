"""Opening the database: one machine's SQLite file or many machines' PostgreSQL."""

from __future__ import annotations

import fcntl
import sqlite3
import types
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from sqlalchemy import event

_MIGRATIONS = Path(__file__).parent / "migrations"


def sqlite_module() -> types.ModuleType:
    """The SQLite that DBOS needs (3.42 or newer): Python's own, or the one in pysqlite3-binary (design D7)."""
    if sqlite3.sqlite_version_info >= (3, 42):
        return sqlite3
    import pysqlite3.dbapi2 as bundled  # noqa: PLC0415 only where Python's own is too old

    module: types.ModuleType = bundled
    return module


def open_database(url: str) -> sa.Engine:
    """An engine for `url` (sqlite:///… or postgresql://…), ready for many threads."""
    parsed = sa.make_url(url)
    if parsed.get_backend_name() != "sqlite":
        if parsed.drivername in ("postgres", "postgresql"):
            parsed = parsed.set(drivername="postgresql+psycopg")
        return sa.create_engine(parsed, pool_size=20, max_overflow=20, pool_pre_ping=True)
    engine = sa.create_engine(
        parsed.set(drivername="sqlite"), module=sqlite_module(), pool_size=20, max_overflow=20
    )
    event.listen(engine, "connect", _prepare_sqlite)
    return engine


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    # IMMEDIATE: a transaction takes the write lock when it begins, so that two of them queue
    # (busy_timeout) where a deferred one would fail half-way with "database is locked".
    connection.isolation_level = "IMMEDIATE"
    connection.execute("PRAGMA busy_timeout=30000")
    connection.execute("PRAGMA foreign_keys=ON")
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")  # what was acknowledged survives a power cut


def migrate(engine: sa.Engine, lock_file: Path) -> None:
    """Bring the schema to the newest revision. Processes that start at once take turns at `lock_file`."""
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    with _locked(lock_file), engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
