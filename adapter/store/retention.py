"""Jobs and logs that are old enough to go: found by their end, removed a few at a time in one transaction.

Never a job that has not ended, that the engine has something left to do for, whose end a callback_url is still to
be told of, or whose runs are still to be removed from hosts.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import sqlalchemy as sa

from adapter.job.callbacks import CallbackState
from adapter.job.status import RunStatus
from adapter.store import tables
from adapter.store.database import Turn, take_turns

_job, _step = tables.job_instance, tables.step_instance
_chunk, _file = tables.log_chunk, tables.file_log
_run, _callback, _installation = tables.collected_run, tables.callback, tables.installation

_FINISHED = [int(status) for status in RunStatus if status.is_finished]
#: Jobs in one transaction.
AT_ONCE = 20
#: Ids in one statement.
_ASKED = 500


@dataclass(frozen=True)
class Removable:
    """How many jobs have something to remove; what a dry run tells."""

    jobs: int
    logs: int


class RetentionStore:
    """Removes rows of `job_instance` with all that belongs to them, or their logs alone."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def removable(self, jobs_before: int | None, logs_before: int | None) -> Removable:
        """What remove_jobs() and remove_logs() would take until nothing is left; None: nothing."""
        with self._engine.begin() as connection:
            counts = [
                0
                if before is None
                else connection.scalar(sa.select(sa.func.count()).where(_ended(before), *more)) or 0
                for before, more in ((jobs_before, ()), (logs_before, (_job.c.logs_removed_time.is_(None),)))
            ]
        return Removable(*counts)

    def remove_jobs(self, before: int) -> list[int]:
        """Remove a few of the jobs that ended before (ms), the oldest; their ids, none if there are no more."""
        with self._engine.begin() as connection:
            jobs = self._some(connection, _ended(before))
            if jobs:
                self._remove_logs_of(connection, jobs, _chunk, _file)
                connection.execute(sa.delete(_job).where(_job.c.id.in_(jobs)))
                last = max(jobs)
                connection.execute(
                    sa.update(_installation).where(_installation.c.removed_to < last).values(removed_to=last)
                )
        return jobs

    def remove_logs(self, before: int, now: int) -> list[int]:
        """The same with what scripts printed alone. The jobs remember that it was removed."""
        with self._engine.begin() as connection:
            jobs = self._some(connection, sa.and_(_ended(before), _job.c.logs_removed_time.is_(None)))
            if jobs:
                self._remove_logs_of(connection, jobs, _chunk)
                connection.execute(sa.update(_job).where(_job.c.id.in_(jobs)).values(logs_removed_time=now))
        return jobs

    def known(self, ids: Collection[int]) -> set[int]:
        """Those of these ids that are jobs."""
        return self._which(ids, sa.true())

    def ended(self, ids: Collection[int], before: int) -> set[int]:
        """Those of these jobs that ended before, and that nothing is left to do for."""
        return self._which(ids, _ended(before))

    def _which(self, ids: Collection[int], wanted: sa.ColumnElement[bool]) -> set[int]:
        ordered, found = sorted(ids), set[int]()
        for start in range(0, len(ordered), _ASKED):
            some = _job.c.id.in_(ordered[start : start + _ASKED])
            with self._engine.begin() as connection:
                found.update(connection.scalars(sa.select(_job.c.id).where(some, wanted)))
        return found

    def removed_to(self) -> int:
        """The highest id of a job that was removed for its age; 0 if none was."""
        with self._engine.begin() as connection:
            return connection.scalar(sa.select(_installation.c.removed_to)) or 0

    def _some(self, connection: sa.Connection, wanted: sa.ColumnElement[bool]) -> list[int]:
        """The next few, which stay as they are until the transaction ends."""
        take_turns(connection, Turn.RETENTION)
        statement = sa.select(_job.c.id).where(wanted).order_by(_job.c.end_time).limit(AT_ONCE)
        return list(connection.scalars(statement.with_for_update(of=_job)))

    def _remove_logs_of(self, connection: sa.Connection, jobs: list[int], *of: sa.Table) -> None:
        """Tables without a foreign key, for the sake of those who write them."""
        steps = sa.select(_step.c.id).where(_step.c.job_instance_id.in_(jobs))
        for table in of:
            connection.execute(sa.delete(table).where(table.c.step_instance_id.in_(steps)))


def _ended(before: int) -> sa.ColumnElement[bool]:
    of_job = _step.c.job_instance_id == _job.c.id
    is_owed = sa.exists().where(
        _callback.c.job_instance_id == _job.c.id, _callback.c.state == CallbackState.WAITING
    )
    is_on_hosts = sa.exists().where(of_job, _run.c.step_instance_id == _step.c.id)
    return sa.and_(
        _job.c.end_time < before,
        _job.c.status.in_(_FINISHED),
        sa.not_(_job.c.open),
        sa.not_(is_owed),
        sa.not_(is_on_hosts),
    )
