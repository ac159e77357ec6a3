"""What an audit reads that nobody else asks for: who has a job, logs as they are stored, what is known at all."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from itertools import groupby

import sqlalchemy as sa

from adapter.store import tables
from adapter.store.retention import RetentionStore

_job = tables.job_instance
_step = tables.step_instance
_chunk = tables.log_chunk
_run = tables.collected_run

#: Ids in one statement, and rows in one reading.
_AT_ONCE = 500
#: Chunks of logs in memory at once; each has 256 KiB at most.
_CHUNKS = 50


@dataclass(frozen=True)
class Holding:
    """Whether the engine has something left to do for a job, and which worker has it."""

    is_open: bool
    worker_id: str | None


class AuditStore:
    """Reads only, in short transactions, but for the log that is being gone through."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def job_ids(self, since_ms: int = 0) -> Iterator[int]:
        """Jobs that were stored since then, oldest first; those that come while it is asked are among them."""
        last = 0
        while True:
            statement = sa.select(_job.c.id).where(_job.c.id > last, _job.c.create_time >= since_ms)
            with self._engine.begin() as connection:
                found = list(connection.scalars(statement.order_by(_job.c.id).limit(_AT_ONCE)))
            if not found:
                return
            yield from found
            last = found[-1]

    def holding(self, job_instance_id: int) -> Holding:
        """Who has the job. Raises LookupError."""
        statement = sa.select(_job.c.open, _job.c.worker_id).where(_job.c.id == job_instance_id)
        with self._engine.begin() as connection:
            row = connection.execute(statement).one_or_none()
        if row is None:
            raise LookupError(f"there is no job {job_instance_id}")
        return Holding(row.open, row.worker_id)

    def logs(
        self, step_instance_id: int, execute_count: int
    ) -> Iterator[tuple[int, Iterator[tuple[int, bytes]]]]:
        """Each host that has a log with its chunks (offset, content) in order, to be read one after the other."""
        statement = (
            sa.select(_chunk.c.bk_host_id, _chunk.c.offset, _chunk.c.content)
            .where(_chunk.c.step_instance_id == step_instance_id, _chunk.c.execute_count == execute_count)
            .order_by(_chunk.c.bk_host_id, _chunk.c.offset)
        )
        with self._engine.connect() as connection:
            rows = connection.execute(statement.execution_options(yield_per=_CHUNKS))
            for host_id, chunks in groupby(rows, key=lambda row: row.bk_host_id):
                yield host_id, ((chunk.offset, chunk.content) for chunk in chunks)

    def removed_to(self) -> int:
        """The highest id of a job that was removed for its age; 0 if none was."""
        return RetentionStore(self._engine).removed_to()

    def has_to_be_cleaned(self, step_instance_id: int, execute_count: int) -> bool:
        """True if the run counts as collected and not yet removed from its hosts."""
        statement = sa.select(_run.c.step_instance_id).where(
            _run.c.step_instance_id == step_instance_id, _run.c.execute_count == execute_count
        )
        with self._engine.begin() as connection:
            return connection.scalar(statement) is not None

    def known_jobs(self, ids: Collection[int]) -> set[int]:
        """Those of the ids that are jobs."""
        return self._known(_job.c.id, ids)

    def known_steps(self, ids: Collection[int]) -> set[int]:
        """Those of the ids that are steps."""
        return self._known(_step.c.id, ids)

    def _known(self, column: sa.Column[int], ids: Collection[int]) -> set[int]:
        ordered, found = sorted(ids), set[int]()
        for start in range(0, len(ordered), _AT_ONCE):
            some = ordered[start : start + _AT_ONCE]
            with self._engine.begin() as connection:
                found.update(connection.scalars(sa.select(column).where(column.in_(some))))
        return found
