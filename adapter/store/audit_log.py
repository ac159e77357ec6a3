"""The table `audit_log`: written with what it tells of or before it, and never changed afterwards."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any

import sqlalchemy as sa

from adapter.job.audit_log import AuditEntry, AuditFilter
from adapter.store.group_commit import GroupCommit
from adapter.store.tables_access import audit_log as _table
from adapter.store.transactions import MAX_ID

_ADD = sa.insert(_table)
_END = (
    sa.update(_table)
    .where(_table.c.id == sa.bindparam("entry"), _table.c.code.is_(None))
    .values(code=sa.bindparam("with_code"), end_time=sa.bindparam("at"), objects=sa.bindparam("what"))
)


class AuditLogStore:
    """Entries, one by one. Those of many requests share commits, as launches do."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        self._commits = GroupCommit(engine)

    def add(self, entry: AuditEntry) -> int:
        """Store an entry, whole or only begun; answers its id."""
        return self._commits.run(lambda connection: add_entry(connection, entry))

    def end(self, entry_id: int, code: int, now_ms: int, objects: Mapping[str, int | str]) -> None:
        """Complete an entry that was begun; one that is complete stays as it is."""
        values = {"entry": entry_id, "with_code": code, "at": now_ms, "what": _dump(objects)}
        self._commits.run(lambda connection: connection.execute(_END, values))

    def of(self, wanted: AuditFilter) -> tuple[AuditEntry, ...]:
        """Entries, the newest first."""
        column = _table.c
        conditions: list[sa.ColumnElement[bool]] = []
        for found, value in (
            (column.scope, wanted.scope),
            (column.app_code, wanted.app_code),
            (column.user, wanted.user),
            (column.code, wanted.code),
        ):
            if value is not None:
                conditions.append(found == value)
        if wanted.api is not None:
            conditions.append(column.api.contains(wanted.api, autoescape=True))
        if wanted.since is not None:
            conditions.append(column.create_time >= wanted.since)
        if wanted.until is not None:
            conditions.append(column.create_time < wanted.until)
        if wanted.before is not None:
            conditions.append(column.id < min(wanted.before, MAX_ID))
        page = sa.select(_table).where(*conditions).order_by(column.id.desc()).limit(wanted.most)
        with self._engine.begin() as connection:
            return tuple(map(_of, connection.execute(page)))

    def delete_before(self, time_ms: int, most: int) -> int:
        """Forget the oldest entries of before that time, at most so many at once; answers how many went."""
        old = (
            sa.select(_table.c.id)
            .where(_table.c.create_time < time_ms)
            .order_by(_table.c.create_time)
            .limit(most)
        )
        with self._engine.begin() as connection:
            return connection.execute(sa.delete(_table).where(_table.c.id.in_(old))).rowcount


def add_entry(connection: sa.Connection, entry: AuditEntry) -> int:
    """Store an entry within another transaction: it is there if and only if that is committed."""
    row = connection.execute(_ADD, _values(entry))
    key = row.inserted_primary_key
    assert key is not None
    return int(key[0])


def add_launch(connection: sa.Connection, entry: AuditEntry, job_instance_id: int, now_ms: int) -> None:
    """Store that a job was launched, within the transaction that stores the job."""
    objects = {**entry.objects, "job_instance_id": job_instance_id}
    add_entry(connection, replace(entry, objects=objects, code=0, end_time=now_ms))


def _values(entry: AuditEntry) -> dict[str, Any]:
    values = {field.name: getattr(entry, field.name) for field in fields(entry) if field.name != "id"}
    return {**values, "objects": _dump(entry.objects)}


def _dump(objects: Mapping[str, int | str]) -> str:
    return json.dumps(dict(objects), ensure_ascii=False, sort_keys=True)


def _of(row: sa.Row[Any]) -> AuditEntry:
    return AuditEntry(**{**row._mapping, "objects": json.loads(row.objects)})
