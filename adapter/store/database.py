"""Opening the database: one machine's SQLite file or many machines' PostgreSQL."""

from __future__ import annotations

import fcntl
import sqlite3
import types
from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntEnum
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import event

#: A server whose machine or cable is gone is noticed within about ten seconds, not when TCP gives up.
_NOT_FOR_EVER = {
    "connect_timeout": 5,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
}


class Turn(IntEnum):
    """What processes take turns at on PostgreSQL: numbers of advisory locks, nobody else's in this database."""

    MIGRATION = 0x6A6F62_01
    CLAIM = 0x6A6F62_02
    QUOTA = 0x6A6F62_03
    RETENTION = 0x6A6F62_04


_MIGRATIONS = Path(__file__).parent / "migrations"


def sqlite_module() -> types.ModuleType:
    """The SQLite that DBOS needs (3.42 or newer): Python's own, or the one in pysqlite3-binary (design D7)."""
    if sqlite3.sqlite_version_info >= (3, 42):
        return sqlite3
    import pysqlite3.dbapi2 as bundled  # noqa: PLC0415 only where Python's own is too old

    module: types.ModuleType = bundled
    return module


def is_shared(url: str) -> bool:
    """True if processes of several machines may use the database at once."""
    return sa.make_url(url).get_backend_name() != "sqlite"


def open_database(url: str) -> sa.Engine:
    """An engine for `url` (sqlite:///… or postgresql://…), ready for many threads."""
    parsed = sa.make_url(url)
    if parsed.get_backend_name() != "sqlite":
        if parsed.drivername in ("postgres", "postgresql"):
            parsed = parsed.set(drivername="postgresql+psycopg")
        return sa.create_engine(
            parsed, pool_size=20, max_overflow=20, pool_pre_ping=True, connect_args=_NOT_FOR_EVER
        )
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
    """Bring the schema to the newest revision, in one transaction: all of it, or nothing.

    Processes that start at once take turns: on one machine at `lock_file`, for SQLite's lock comes too late; on
    PostgreSQL at a lock of the database. Raises ValueError if the database is of a newer version of the adapter.
    """
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    script = ScriptDirectory.from_config(config)
    with engine.connect() as connection:
        if _is_current(connection, script):
            return  # without waiting for whoever writes
    with _locked(lock_file), engine.connect() as connection, _without_foreign_keys(connection):
        take_turns(connection, Turn.MIGRATION)
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        connection.commit()


def _is_current(connection: sa.Connection, script: ScriptDirectory) -> bool:
    """True if there is nothing to do. Raises ValueError for a database that a newer version has migrated."""
    known = {revision.revision for revision in script.walk_revisions()}
    heads = MigrationContext.configure(connection).get_current_heads()
    for found in heads:
        if found not in known:
            raise ValueError(
                f"the database is at revision {found}, this version of the adapter knows those up to "
                f"{script.get_current_head()}: start a newer version, or restore a backup that was made before it "
                "came; there is no way down"
            )
    return heads == tuple(script.get_heads())


@contextmanager
def _without_foreign_keys(connection: sa.Connection) -> Iterator[None]:
    """SQLite changes a table by making it anew: dropping the old one would delete what refers to its rows."""
    if connection.dialect.name != "sqlite":
        yield
        return
    connection.exec_driver_sql(
        "PRAGMA foreign_keys=OFF"
    )  # before BEGIN: within a transaction it does nothing
    try:
        yield
    finally:
        connection.rollback()
        connection.exec_driver_sql("PRAGMA foreign_keys=ON")


def take_turns(connection: sa.Connection, turn: Turn) -> None:
    """Wait until no other transaction of any process has this turn; this one has it until it ends.

    On SQLite it becomes the one transaction that writes.
    """
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("BEGIN IMMEDIATE")  # sqlite3 by itself begins only at the first write
    else:
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(int(turn))))


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
