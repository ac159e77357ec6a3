"""The ids of hosts whose inventory gives them none: handed out once, kept for good (design D1)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from itertools import count, islice
from typing import TypeVar

import sqlalchemy as sa
import structlog

from adapter.store.tables import host_identity

T = TypeVar("T")

log = structlog.get_logger(__name__)

FIRST_ID = 1_000_000_001  #: above what CMDB has given anyone, so that given ids rarely collide
_BATCH = 5000  # names in one statement; SQLite takes 32,766 parameters, PostgreSQL 65,535
_SHOWN = 20


class HostIdentities:
    """Gives every host name a bk_host_id that it keeps over restarts, whichever process asks first."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def ids_for(self, names: Iterable[str], taken: Collection[int] = ()) -> dict[str, int]:
        """The id of each name; none of them is in `taken`, the ids that the inventory itself gives.

        A given id wins: a name that was handed it earlier moves to a new one, with a warning, because jobs
        and programs may know the host by the old.
        """
        wanted = list(dict.fromkeys(names))
        taken = frozenset(taken)
        with self._engine.connect() as connection:
            ids = _read(connection, wanted)
        if len(ids) == len(wanted) and taken.isdisjoint(ids.values()):
            return ids
        with self._engine.begin() as connection:
            _lock(connection)  # from here to the commit no other process hands out ids
            ids = _read(connection, wanted)
            fresh = _fresh(connection, taken)
            moved = [name for name, bk_host_id in ids.items() if bk_host_id in taken]
            moves = dict(zip(moved, fresh, strict=False))
            additions = dict(zip([name for name in wanted if name not in ids], fresh, strict=False))
            _write(connection, _MOVE, moves)
            _write(connection, _ADD, additions)
        for name in moved[:_SHOWN]:
            log.warning(
                "a generated bk_host_id moved: the inventory gives the old one to another host",
                host=name,
                old=ids[name],
                new=moves[name],
                moved_in_all=len(moved),
            )
        return ids | moves | additions


_ADD = sa.insert(host_identity).values(name=sa.bindparam("host"), bk_host_id=sa.bindparam("id"))
_MOVE = (
    sa.update(host_identity)
    .where(host_identity.c.name == sa.bindparam("host"))
    .values(bk_host_id=sa.bindparam("id"))
)


def _lock(connection: sa.Connection) -> None:
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("BEGIN IMMEDIATE")  # sqlite3 by itself begins only at the first write
    else:
        connection.exec_driver_sql("LOCK TABLE host_identity IN SHARE ROW EXCLUSIVE MODE")


def _read(connection: sa.Connection, names: list[str]) -> dict[str, int]:
    ids: dict[str, int] = {}
    for batch in _batches(names):
        query = sa.select(host_identity.c.name, host_identity.c.bk_host_id)
        for name, bk_host_id in connection.execute(query.where(host_identity.c.name.in_(batch))):
            ids[name] = bk_host_id
    return ids


def _fresh(connection: sa.Connection, taken: frozenset[int]) -> Iterator[int]:
    highest = connection.execute(sa.select(sa.func.max(host_identity.c.bk_host_id))).scalar()
    return (number for number in count(max(FIRST_ID, (highest or 0) + 1)) if number not in taken)


def _write(connection: sa.Connection, statement: sa.Insert | sa.Update, ids: dict[str, int]) -> None:
    for batch in _batches(list(ids.items())):
        connection.execute(statement, [{"host": name, "id": bk_host_id} for name, bk_host_id in batch])


def _batches(items: list[T]) -> Iterator[list[T]]:
    rest = iter(items)
    while batch := list(islice(rest, _BATCH)):
        yield batch
