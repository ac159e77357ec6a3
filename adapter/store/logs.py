"""What hosts printed, in chunks by offset, and where the files of a transfer stand (design D8)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any

import sqlalchemy as sa

from adapter.job.model import FileLog
from adapter.store import codec, tables
from adapter.store.claims import Claim, writing
from adapter.store.transactions import insert_for

_chunk = tables.log_chunk
_file = tables.file_log

#: One chunk: step instance, execute count, host, offset of its first byte, the bytes.
Chunk = tuple[int, int, int, int, bytes]

#: Host ids in one statement: below every driver's limit of parameters.
_HOSTS_AT_ONCE = 500


class LogStore:
    """The tables `log_chunk` and `file_log`."""

    def __init__(self, engine: sa.Engine, claim: Claim | None = None) -> None:
        self._engine = engine
        self._claim = claim

    def under(self, claim: Claim) -> LogStore:
        """The same for the owner of a job: what it writes raises ClaimLost once the job is another's."""
        return LogStore(self._engine, claim)

    def append(
        self, step_instance_id: int, execute_count: int, bk_host_id: int, offset: int, content: bytes
    ) -> None:
        """Store the bytes that begin at `offset` of a host's output; see append_many()."""
        self.append_many([(step_instance_id, execute_count, bk_host_id, offset, content)])

    def append_many(self, chunks: Iterable[Chunk]) -> None:
        """Store chunks in one transaction. One whose offset is stored already is ignored.

        So a chunk may be sent again after a crash; whoever goes on with a host goes on at size().
        """
        wanted = [chunk for chunk in chunks if chunk[-1]]
        if wanted:
            with writing(self._engine, self._claim) as connection:
                insert_chunks(connection, wanted)

    def read(
        self,
        step_instance_id: int,
        execute_count: int,
        bk_host_id: int,
        offset: int = 0,
        limit: int | None = None,
    ) -> bytes:
        """The host's output from `offset` on, at most `limit` bytes of it; b"" where there is none yet."""
        mine = _of(step_instance_id, execute_count, _chunk.c.bk_host_id == bk_host_id)
        first = sa.select(sa.func.max(_chunk.c.offset)).where(mine, _chunk.c.offset <= offset)
        wanted = [mine, _chunk.c.offset >= sa.func.coalesce(first.scalar_subquery(), 0)]
        if limit is not None:
            wanted.append(_chunk.c.offset < offset + limit)
        statement = sa.select(_chunk.c.offset, _chunk.c.content).where(*wanted).order_by(_chunk.c.offset)
        with self._engine.begin() as connection:
            return _joined(connection.execute(statement), offset, limit)

    def read_many(
        self, step_instance_id: int, execute_count: int, bk_host_ids: Collection[int]
    ) -> dict[int, bytes]:
        """The whole output of several hosts; one that printed nothing is absent."""
        found: dict[int, list[Any]] = {}
        with self._engine.begin() as connection:
            for some in _batches(bk_host_ids):
                statement = (
                    sa.select(_chunk.c.bk_host_id, _chunk.c.offset, _chunk.c.content)
                    .where(_of(step_instance_id, execute_count, _chunk.c.bk_host_id.in_(some)))
                    .order_by(_chunk.c.bk_host_id, _chunk.c.offset)
                )
                for row in connection.execute(statement):
                    found.setdefault(row.bk_host_id, []).append(row)
        return {host: _joined(rows) for host, rows in found.items()}

    def size(self, step_instance_id: int, execute_count: int, bk_host_id: int) -> int:
        """The offset after the last byte of one host; see sizes()."""
        statement = (
            sa.select(_chunk.c.offset + sa.func.length(_chunk.c.content))
            .where(_of(step_instance_id, execute_count, _chunk.c.bk_host_id == bk_host_id))
            .order_by(_chunk.c.offset.desc())
            .limit(1)
        )
        with self._engine.begin() as connection:
            return connection.scalar(statement) or 0

    def sizes(
        self, step_instance_id: int, execute_count: int, bk_host_ids: Collection[int] | None = None
    ) -> dict[int, int]:
        """By host that printed anything, the offset after the last byte stored: where the next chunk begins.

        Of some hosts, or of all (None).
        """
        end = sa.func.max(_chunk.c.offset + sa.func.length(_chunk.c.content))
        statement = (
            sa.select(_chunk.c.bk_host_id, end)
            .where(_chunk.c.step_instance_id == step_instance_id, _chunk.c.execute_count == execute_count)
            .group_by(_chunk.c.bk_host_id)
        )
        with self._engine.begin() as connection:
            if bk_host_ids is None:
                return {row[0]: row[1] for row in connection.execute(statement)}
            return {
                row[0]: row[1]
                for some in _batches(bk_host_ids)
                for row in connection.execute(statement.where(_chunk.c.bk_host_id.in_(some)))
            }

    def save_file_logs(self, step_instance_id: int, execute_count: int, entries: Iterable[FileLog]) -> None:
        """Write the entries in one transaction; one of the same mode, source and destination is replaced.

        Entries are read in the order in which they were first written.
        """
        key = {"step_instance_id": step_instance_id, "execute_count": execute_count}
        with writing(self._engine, self._claim) as connection:
            last = connection.scalar(
                sa.select(sa.func.max(_file.c.order)).where(
                    _file.c.step_instance_id == step_instance_id, _file.c.execute_count == execute_count
                )
            )
            rows = [
                {
                    **key,
                    "bk_host_id": entry.bk_host_id,
                    "entry": _digest(entry),
                    "order": order,
                    "definition": codec.dumps(entry),
                }
                for order, entry in enumerate(entries, start=0 if last is None else last + 1)
            ]
            if rows:
                insert = insert_for(connection, _file)
                upsert = insert.on_conflict_do_update(
                    index_elements=list(_file.primary_key.columns),
                    set_={"definition": insert.excluded.definition},
                )
                connection.execute(upsert, rows)

    def file_logs(
        self, step_instance_id: int, execute_count: int, bk_host_ids: Collection[int] | None
    ) -> tuple[FileLog, ...]:
        """The entries of some hosts, or of all (None), in order."""
        statement = sa.select(_file.c.order, _file.c.entry, _file.c.definition).where(
            _file.c.step_instance_id == step_instance_id, _file.c.execute_count == execute_count
        )
        with self._engine.begin() as connection:
            if bk_host_ids is None:
                rows = list(connection.execute(statement))
            else:
                rows = [
                    row
                    for some in _batches(bk_host_ids)
                    for row in connection.execute(statement.where(_file.c.bk_host_id.in_(some)))
                ]
        rows.sort(key=lambda row: (row.order, row.entry))
        return tuple(codec.loads(FileLog, row.definition) for row in rows)


def insert_chunks(connection: sa.Connection, chunks: Iterable[Chunk]) -> None:
    """The same within a transaction of the caller's."""
    rows = [
        {
            "step_instance_id": step,
            "execute_count": execution,
            "bk_host_id": host,
            "offset": offset,
            "content": content,
        }
        for step, execution, host, offset, content in chunks
        if content
    ]
    if rows:
        connection.execute(insert_for(connection, _chunk).on_conflict_do_nothing(), rows)


def _of(step_instance_id: int, execute_count: int, hosts: sa.ColumnElement[bool]) -> sa.ColumnElement[bool]:
    return sa.and_(
        _chunk.c.step_instance_id == step_instance_id, _chunk.c.execute_count == execute_count, hosts
    )


def _joined(rows: Iterable[Any], offset: int = 0, limit: int | None = None) -> bytes:
    """The chunks in order of their offsets as one text; bytes that two chunks share are taken once."""
    parts: list[bytes] = []
    position = offset
    for row in rows:
        part = row.content[max(0, position - row.offset) :]
        if part:
            parts.append(part)
            position = row.offset + len(row.content)
    return b"".join(parts)[:limit]


def _digest(entry: FileLog) -> str:
    key = (entry.mode, entry.src_host_id, entry.src_path, entry.dest_host_id, entry.dest_path)
    return hashlib.sha256(json.dumps(key).encode()).hexdigest()


def _batches(ids: Collection[int]) -> Iterator[Sequence[int]]:
    ordered = sorted(set(ids))
    for start in range(0, len(ordered), _HOSTS_AT_ONCE):
        yield ordered[start : start + _HOSTS_AT_ONCE]
