"""The processes that run jobs: each has a row with a counter that it moves on while it lives.

Nobody compares the clocks of two machines: whether a worker lives is judged by whoever watches its counter.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

import sqlalchemy as sa

from adapter.store import tables
from adapter.store.transactions import database_now

_worker = tables.worker
_job = tables.job_instance

#: Rows of ended workers that are kept, for people who want to know what became of one.
_KEPT = 50


class WorkerState(StrEnum):
    """What a worker does."""

    WORKING = "working"  #: takes jobs
    DRAINING = "draining"  #: ends what it has
    LEFT = "left"  #: has let go of everything; another looks after what is left of its callbacks
    ENDED = "ended"  #: nothing is left of it


#: Somebody must still look after what such a worker had.
NOT_ENDED = (WorkerState.WORKING, WorkerState.DRAINING, WorkerState.LEFT)


@dataclass(frozen=True, kw_only=True)
class WorkerRow:
    """A worker as others see it. `executor` is its name among workflows."""

    id: str
    executor: str
    host_name: str
    pid: int
    max_running_jobs: int
    state: WorkerState
    beat: int
    taken_by: str | None
    start_time: int  #: milliseconds since the epoch
    beat_time: int  #: of the last beat, by the database's clock


@dataclass(frozen=True, kw_only=True)
class WorkerReport:
    """What `adapter workers` shows of one."""

    worker: WorkerRow
    jobs: int  #: that it has
    beat_age: float  #: seconds since its last beat, by the database's clock


class WorkerStore:
    """The table `worker`."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def register(self, host_name: str, pid: int, max_running_jobs: int, now_ms: int) -> WorkerRow:
        """A new worker, which works from now on."""
        worker_id = uuid.uuid4().hex[:16]
        with self._engine.begin() as connection:
            statement = sa.insert(_worker).values(
                id=worker_id,
                executor=worker_id,
                host_name=host_name[:255],
                pid=pid,
                max_running_jobs=max_running_jobs,
                state=WorkerState.WORKING,
                beat=0,
                start_time=now_ms,
                beat_time=database_now(connection),
            )
            connection.execute(statement)
            _forget_old_ones(connection)
            row = connection.execute(sa.select(_worker).where(_worker.c.id == worker_id)).one()
        return _to_worker(row)

    def beat(self, worker_id: str) -> bool:
        """Say that it lives; False if others have taken it for dead."""
        with self._engine.begin() as connection:
            statement = (
                sa.update(_worker)
                .where(_worker.c.id == worker_id, _worker.c.state.in_(_ALIVE))
                .values(beat=_worker.c.beat + 1, beat_time=database_now(connection))
            )
            return connection.execute(statement).rowcount > 0

    def drain(self, worker_id: str) -> None:
        """It takes no more jobs."""
        statement = (
            sa.update(_worker)
            .where(_worker.c.id == worker_id, _worker.c.state == WorkerState.WORKING)
            .values(state=WorkerState.DRAINING)
        )
        with self._engine.begin() as connection:
            connection.execute(statement)

    def leave(self, worker_id: str) -> None:
        """It has let go of everything: what it still has is anybody's."""
        statement = (
            sa.update(_worker)
            .where(_worker.c.id == worker_id, _worker.c.state.in_(_ALIVE))
            .values(state=WorkerState.LEFT)
        )
        with self._engine.begin() as connection:
            if connection.execute(statement).rowcount:
                _release_jobs(connection, worker_id)

    def not_ended(self) -> list[WorkerRow]:
        """Workers that live, or that somebody must still take over."""
        statement = sa.select(_worker).where(_worker.c.state.in_(NOT_ENDED)).order_by(_worker.c.id)
        with self._engine.begin() as connection:
            return [_to_worker(row) for row in connection.execute(statement)]

    def take_over(self, dead: WorkerRow, by: str) -> int | None:
        """End a worker that has not beaten since it was seen as `dead`; how many jobs are anybody's by that.

        None if it has, or if another was first.
        """
        statement = (
            sa.update(_worker)
            .where(_worker.c.id == dead.id, _worker.c.state.in_(NOT_ENDED), _worker.c.beat == dead.beat)
            .values(state=WorkerState.ENDED, taken_by=by)
        )
        with self._engine.begin() as connection:
            if not connection.execute(statement).rowcount:
                return None
            return _release_jobs(connection, dead.id)

    def reports(self) -> list[WorkerReport]:
        """Every worker that is known, the newest first."""
        counted = (
            sa.select(_job.c.worker_id, sa.func.count().label("jobs"))
            .where(_job.c.open, _job.c.worker_id.is_not(None))
            .group_by(_job.c.worker_id)
        )
        statement = sa.select(_worker).order_by(_worker.c.start_time.desc(), _worker.c.id)
        with self._engine.begin() as connection:
            jobs = {row.worker_id: row.jobs for row in connection.execute(counted)}
            now = connection.execute(sa.select(database_now(connection))).scalar_one()
            workers = [_to_worker(row) for row in connection.execute(statement)]
        return [
            WorkerReport(
                worker=worker,
                jobs=jobs.get(worker.id, 0),
                beat_age=max(0, now - worker.beat_time) / 1000,
            )
            for worker in workers
        ]


_ALIVE = (WorkerState.WORKING, WorkerState.DRAINING)


def _release_jobs(connection: sa.Connection, worker_id: str) -> int:
    statement = (
        sa.update(_job)
        .where(_job.c.worker_id == worker_id, _job.c.open)
        .values(worker_id=None, claim=_job.c.claim + 1)
    )
    return connection.execute(statement).rowcount


def _forget_old_ones(connection: sa.Connection) -> None:
    kept = sa.select(_worker.c.id).where(_worker.c.state == WorkerState.ENDED)
    kept = kept.order_by(_worker.c.start_time.desc(), _worker.c.id).offset(_KEPT).limit(1000)
    old: Iterable[str] = list(connection.scalars(kept))
    connection.execute(sa.delete(_worker).where(_worker.c.id.in_(old)))


def _to_worker(row: sa.Row[tuple[object, ...]]) -> WorkerRow:
    values = dict(row._mapping)
    return WorkerRow(**{**values, "state": WorkerState(values["state"])})
