"""Changes of a job, its steps and their hosts, numbered in the order in which they were committed.

Every write takes the job's next number first, in its own transaction: that locks the job's row, so whoever can
read number n + 1 can read n. A row keeps only the number of its last change. Together the rows are the log of the
job's changes, compacted: whoever knows everything up to n reads on with the rows above n.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from adapter.job.model import HostChange, JobInstance, StepInstance
from adapter.store import job_rows, tables
from adapter.store.transactions import MAX_ID

_job = tables.job_instance
_step = tables.step_instance
_host = tables.host_result

#: Where a reader is: the last row's number, its kind, and its key among rows of one number and kind.
Place = tuple[int, int, int, int, int]

_JOB, _STEP, _HOST = range(3)
#: After every row of a number.
_END = 3


def after(number: int) -> Place:
    """The place of a reader that knows everything up to `number`; -1 knows nothing."""
    return number, _END, 0, 0, 0


#: What a write of the job's own row sets: it takes the next number itself.
OWN_CHANGE = {"changes": _job.c.changes + 1, "change": _job.c.changes + 1}


def next_change(connection: sa.Connection, step_instance_id: int) -> int:
    """Take the next number of the step's job, for what else this transaction writes. 0: no such step."""
    return connection.scalar(_TAKE_NUMBER, {"of_step": step_instance_id}) or 0


_TAKE_NUMBER = (
    sa.update(_job)
    .where(
        _job.c.id
        == sa.select(_step.c.job_instance_id).where(_step.c.id == sa.bindparam("of_step")).scalar_subquery()
    )
    .values(changes=_job.c.changes + 1)
    .returning(_job.c.changes)
)


def not_before_start(table: sa.Table, now_ms: int) -> sa.ColumnElement[int]:
    """The time of an end: not before the start, whatever became of the clock, or on whose clock that was."""
    return sa.case((table.c.start_time > now_ms, table.c.start_time), else_=now_ms)


@dataclass(frozen=True, kw_only=True)
class Change:
    """What is so since a number: exactly one of a job (without its steps), a step or a host."""

    place: Place
    job: JobInstance | None = None
    step: StepInstance | None = None
    host: HostChange | None = None

    @property
    def number(self) -> int:
        """The change's number within its job."""
        return self.place[0]


class JobChanges:
    """Reads changes of jobs. Nothing is remembered here: a reader brings its place."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def last(self, job_instance_id: int) -> int | None:
        """The last number given out; None if there is no such job. Cheap: for those who wait."""
        with self._engine.begin() as connection:
            return connection.scalar(sa.select(_job.c.changes).where(_job.c.id == job_instance_id))

    def head(self, job_instance_id: int) -> tuple[Change, ...]:
        """The job and its steps as they are, in their order, without hosts."""
        with self._engine.begin() as connection:
            steps = _places_of_steps(connection, job_instance_id)
            return (*_job_change(connection, job_instance_id), *_step_changes(connection, steps))

    def page(self, job_instance_id: int, place: Place, upto: int, limit: int) -> tuple[Change, ...]:
        """Rows after `place` whose number is at most `upto`, in order; fewer than `limit` are all there are.

        `upto` is a number that last() gave: everything up to it is committed, so each statement here sees all of
        it. A row that changes between two pages is found again above `upto`.
        """
        with self._engine.begin() as connection:
            steps = _places_of_steps(connection, job_instance_id)
            changed = {id_: of for id_, of in steps.items() if place < of.place and of.place[0] <= upto}
            found = [*_job_change(connection, job_instance_id), *_step_changes(connection, changed)]
            for id_, of in steps.items():
                found += _host_changes(connection, id_, of, place, upto, limit)
        wanted = [change for change in found if place < change.place and change.number <= upto]
        return tuple(sorted(wanted, key=lambda change: change.place)[:limit])


@dataclass(frozen=True)
class _Step:
    """Where a step stands among changes, without what it executes: that may be large."""

    place: Place
    order: int
    execute_count: int


def _job_change(connection: sa.Connection, job_instance_id: int) -> list[Change]:
    rows = connection.execute(sa.select(_job).where(_job.c.id == job_instance_id))
    return [Change(place=(row.change, _JOB, 0, 0, 0), job=job_rows.to_job(row)) for row in rows]


def _places_of_steps(connection: sa.Connection, job_instance_id: int) -> dict[int, _Step]:
    """By id, in order."""
    statement = (
        sa.select(_step.c.id, _step.c.execute_count, _step.c.change)
        .where(_step.c.job_instance_id == job_instance_id)
        .order_by(_step.c.order, _step.c.id)
    )
    return {
        row.id: _Step((row.change, _STEP, order, 0, 0), order, row.execute_count)
        for order, row in enumerate(connection.execute(statement))
    }


def _step_changes(connection: sa.Connection, steps: Mapping[int, _Step]) -> list[Change]:
    if not steps:
        return []
    rows = connection.execute(sa.select(_step).where(_step.c.id.in_(steps)))
    changes = [
        Change(place=(row.change, _STEP, steps[row.id].order, 0, 0), step=job_rows.to_step(row))
        for row in rows
    ]
    return sorted(changes, key=lambda change: change.place[2])


def _host_changes(
    connection: sa.Connection, step_instance_id: int, step: _Step, place: Place, upto: int, limit: int
) -> list[Change]:
    """Of the step's latest execution: a stretch of the index, which ends with `change` and `bk_host_id`.

    A host's batches follow each other within it; they are few.
    """
    number, *row_of_number = place
    first = min(max((_HOST, step.order, -1, 0), tuple(row_of_number)), (_HOST, step.order, MAX_ID, 0))
    statement: sa.Select[Any] = (
        sa.select(*job_rows.HOST_COLUMNS, _host.c.change)
        .where(
            sa.text(f"{tables.OF_STEP} = :of_step").bindparams(of_step=step_instance_id),
            _host.c.execute_count == step.execute_count,
            sa.tuple_(_host.c.change, _host.c.bk_host_id) >= sa.tuple_(number, first[2]),
            sa.tuple_(_host.c.change, _host.c.bk_host_id, _host.c.batch) > sa.tuple_(number, *first[2:]),
            _host.c.change <= upto,
        )
        .order_by(_host.c.change, _host.c.bk_host_id, _host.c.batch)
        .limit(limit)
    )
    return [
        Change(
            place=(row.change, _HOST, step.order, row.bk_host_id, row.batch),
            host=HostChange(
                step_instance_id=step_instance_id,
                execute_count=step.execute_count,
                result=job_rows.to_host_result(row),
            ),
        )
        for row in connection.execute(statement)
    ]
