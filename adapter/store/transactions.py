"""Where a store's statements run: in a transaction of their own, or in one that several stores share."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

#: What a store is made of. An Engine: every call is a transaction. A Connection: all calls are in its one.
Bind = sa.Engine | sa.Connection

#: The largest id a column holds; what is beyond it names nothing.
MAX_ID = 2**63 - 1
#: The same for numbers of executions.
MAX_COUNT = 2**31 - 1


@contextmanager
def transaction(bind: Bind) -> Iterator[sa.Connection]:
    """A connection within a transaction, which ends here only if it began here."""
    if isinstance(bind, sa.Connection):
        yield bind
    else:
        with bind.begin() as connection:
            yield connection


@contextmanager
def exclusive(bind: Bind, *tables: sa.Table) -> Iterator[sa.Connection]:
    """A transaction during which nobody else writes `tables`: what it read stays true until it ends.

    Who locks more than one names them in the order of `adapter apply`. A Connection must be in such a one already.
    """
    if isinstance(bind, sa.Connection):
        yield bind
        return
    with bind.begin() as connection:
        if connection.dialect.name == "sqlite":
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        else:
            quote = connection.dialect.identifier_preparer.format_table
            names = ", ".join(quote(table) for table in tables)
            connection.exec_driver_sql(f"LOCK TABLE {names} IN SHARE ROW EXCLUSIVE MODE")
        yield connection


def insert_row(connection: sa.Connection, table: sa.Table, values: Mapping[str, Any]) -> int:
    """Insert into a table that hands out ids; answers the id.

    An id that is given moves the table's counter on, so that the ids handed out later are new ones.
    SQLite does so by itself, PostgreSQL does not.
    """
    row = connection.execute(sa.insert(table).values(dict(values)))
    key = row.inserted_primary_key
    assert key is not None
    if "id" in values and connection.dialect.name == "postgresql":
        sequence = sa.func.pg_get_serial_sequence(table.name, "id")
        connection.execute(
            sa.select(sa.func.setval(sequence, sa.func.greatest(sa.func.nextval(sequence), int(key[0]))))
        )
    return int(key[0])


def insert_for(connection: sa.Connection, table: sa.Table) -> sqlite.Insert | postgresql.Insert:
    """An INSERT that can say what becomes of a row that is there already."""
    if connection.dialect.name == "sqlite":
        return sqlite.insert(table)
    return postgresql.insert(table)


def database_now(connection: sa.Connection) -> sa.ColumnElement[int]:
    """Milliseconds since the epoch by the database's clock: one clock for all, whatever their own say."""
    is_sqlite = connection.dialect.name == "sqlite"
    seconds = (
        "(julianday('now') - 2440587.5) * 86400" if is_sqlite else "extract(epoch FROM clock_timestamp())"
    )
    return sa.cast(sa.literal_column(f"{seconds} * 1000"), sa.BigInteger)


def is_id(value: int) -> bool:
    """True if `value` can be the id of a row; anything else would only make the driver stumble."""
    return 0 < value <= MAX_ID


def is_storable(text: str) -> bool:
    """True if every database stores `text` as it is: no NUL, no half of a surrogate pair."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return "\0" not in text
