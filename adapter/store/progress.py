"""Writing what becomes of a job that is stored, as the engine learns it; store.operations has what operators do.

Every change of a state is one conditional UPDATE, so of two writers that race exactly one is told True:
an operator's stop and a restart after a crash need no other lock. A worker writes under its claim (store.claims).
Each takes the job's next change number with it (store.changes), before it touches a step or a host.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager
from typing import Any

import sqlalchemy as sa

from adapter.job.model import HostResult, StepInstance
from adapter.job.status import HostStatus, RunStatus
from adapter.job.variables import CapturedValue
from adapter.store import tables
from adapter.store.callbacks import has_callback, owe_callback
from adapter.store.captured import insert_captured
from adapter.store.changes import OWN_CHANGE, next_change, not_before_start
from adapter.store.claims import Claim, writing
from adapter.store.logs import Chunk, insert_chunks

_job = tables.job_instance
_step = tables.step_instance
_host = tables.host_result

_FINISHED = [status for status in RunStatus if status.is_finished]
#: Spelled out: an IN list cannot be used when many rows are updated at once.
_HOST_IS_UNFINISHED = sa.or_(_host.c.status == HostStatus.WAITING, _host.c.status == HostStatus.RUNNING)


class JobProgress:
    """The half of JobStore that the engine writes with."""

    def __init__(self, engine: sa.Engine, claim: Claim | None = None) -> None:
        self._engine = engine
        self._claim = claim

    def _writing(self) -> AbstractContextManager[sa.Connection]:
        return writing(self._engine, self._claim)

    def begin_job(self, job_instance_id: int, now_ms: int) -> bool:
        """WAITING to RUNNING. True if the job is running now, also if it was before; False: stopped, finished."""
        mine = _job.c.id == job_instance_id
        with self._writing() as connection:
            return _begin(connection, _job, mine, now_ms, OWN_CHANGE)

    def finish_job(self, job_instance_id: int, status: RunStatus, now_ms: int) -> bool:
        """End the job, once: False if it is finished already. A job that is being stopped ends STOPPED.

        It is closed with that, unless it has a callback to come, which is written down: see close_job().
        "Whatever the step's own end" (contract e), decided here so that a stop asked for at the last
        moment is not lost between a reader and a writer.
        """
        ending = sa.case((_job.c.status == RunStatus.STOPPING, int(RunStatus.STOPPED)), else_=int(status))
        owes = has_callback(status)
        statement = (
            sa.update(_job)
            .where(_job.c.id == job_instance_id, _job.c.status.not_in(_FINISHED))
            .values(
                status=ending,
                end_time=not_before_start(_job, now_ms),
                open=owes,
                worker_id=sa.case((owes, _job.c.worker_id), else_=None),
                completions=_job.c.completions + 1,
                **OWN_CHANGE,
            )
            .returning(_job.c.open)
        )
        with self._writing() as connection:
            has_more = connection.scalar(statement)
            if has_more:
                owe_callback(connection, job_instance_id, now_ms)
        return has_more is not None

    def close_job(self, job_instance_id: int) -> None:
        """The engine has nothing left to do for the job."""
        self._changes(sa.update(_job).where(_job.c.id == job_instance_id).values(open=False, worker_id=None))

    def begin_step(self, step_instance_id: int, now_ms: int) -> bool:
        """WAITING to RUNNING. True if the step is running now, also if it was before."""
        mine = _step.c.id == step_instance_id
        with self._writing() as connection:
            change = next_change(connection, step_instance_id)
            return _begin(connection, _step, mine, now_ms, {"change": change})

    def finish_step(self, step_instance_id: int, status: RunStatus, now_ms: int) -> bool:
        """End the step, once: False if it is finished already."""
        statement = (
            sa.update(_step)
            .where(_step.c.id == step_instance_id, _step.c.status.not_in(_FINISHED))
            .values(status=int(status), end_time=not_before_start(_step, now_ms))
        )
        with self._writing() as connection:
            change = next_change(connection, step_instance_id)
            return connection.execute(statement.values(change=change)).rowcount > 0

    def save_hosts(
        self,
        step_instance_id: int,
        execute_count: int,
        results: Iterable[HostResult],
        printed: Iterable[Chunk] = (),
        captured: Iterable[CapturedValue] = (),
    ) -> None:
        """Write the hosts' states in one transaction; a finished host never becomes unfinished again.

        `printed` are chunks of logs, `captured` the variables that their scripts left: they must be there with
        the states, or not at all.
        """
        unfinished: list[dict[str, Any]] = []
        finished: list[dict[str, Any]] = []
        for result in results:
            batch = finished if result.status.is_finished else unfinished
            batch.append(_host_values(step_instance_id, execute_count, result))
        if not unfinished and not finished:
            return
        with self._writing() as connection:
            insert_chunks(connection, printed)
            # This locks the job: two writers of the same hosts take turns here, and not at the rows.
            change = {"new_change": next_change(connection, step_instance_id)}
            insert_captured(connection, step_instance_id, execute_count, captured)
            if unfinished:
                statement = _SAVE_HOST.where(_HOST_IS_UNFINISHED)
                connection.execute(statement, [values | change for values in unfinished])
            if finished:
                connection.execute(_SAVE_HOST, [values | change for values in finished])

    def open_batch(self, step_instance_id: int, batch: int) -> bool:
        """The hosts of this batch of a rolling step may begin."""
        statement = (
            sa.update(_step)
            .where(_step.c.id == step_instance_id, _step.c.status == RunStatus.RUNNING, _step.c.batch < batch)
            .values(batch=batch)
        )
        with self._writing() as connection:
            change = next_change(connection, step_instance_id)
            return connection.execute(statement.values(change=change)).rowcount > 0

    def wait_for_operator(self, step: StepInstance, now_ms: int) -> bool:
        """The step waits, and with it the job, which is nobody's until an operator says how it goes on.

        False if somebody has terminated the job meanwhile.
        """
        pause_job = (
            sa.update(_job)
            .where(_job.c.id == step.job_instance_id, _job.c.status == RunStatus.RUNNING)
            .values(status=int(RunStatus.WAITING_USER), open=False, worker_id=None, **OWN_CHANGE)
            .returning(_job.c.changes)
        )
        pause_step = (
            sa.update(_step)
            .where(_step.c.id == step.id)
            .values(
                status=int(RunStatus.WAITING_USER), start_time=sa.func.coalesce(_step.c.start_time, now_ms)
            )
        )
        with self._writing() as connection:
            change = connection.scalar(pause_job)
            if change is None:
                return False
            connection.execute(pause_step.values(change=change))
        return True

    def _changes(self, statement: sa.Update) -> bool:
        with self._writing() as connection:
            return connection.execute(statement).rowcount > 0


_SAVE_HOST = (
    sa.update(_host)
    .where(
        _host.c.step_instance_id == sa.bindparam("of_step"),
        _host.c.execute_count == sa.bindparam("of_execution"),
        _host.c.bk_host_id == sa.bindparam("of_host"),
        _host.c.batch == sa.bindparam("of_batch"),
    )
    .values(
        {
            name: sa.bindparam(f"new_{name}")
            for name in (
                "status",
                "exit_code",
                "error_code",
                "tag",
                "start_time",
                "end_time",
                "log_bytes",
                "log_kept",
                "change",
            )
        }
    )
)


def _host_values(step_instance_id: int, execute_count: int, result: HostResult) -> dict[str, Any]:
    return {
        "of_step": step_instance_id,
        "of_execution": execute_count,
        "of_host": result.host.bk_host_id,
        "of_batch": result.batch,
        "new_status": int(result.status),
        "new_exit_code": result.exit_code,
        "new_error_code": int(result.error_code),
        "new_tag": result.tag,
        "new_start_time": result.start_time,
        "new_end_time": result.end_time,
        "new_log_bytes": result.log_bytes,
        "new_log_kept": result.log_kept,
    }


def _begin(
    connection: sa.Connection,
    table: sa.Table,
    mine: sa.ColumnElement[bool],
    now_ms: int,
    change: Mapping[str, Any],
) -> bool:
    begin = (
        sa.update(table)
        .where(mine, table.c.status == RunStatus.WAITING)
        .values(
            status=int(RunStatus.RUNNING), start_time=sa.func.coalesce(table.c.start_time, now_ms), **change
        )
    )
    if connection.execute(begin).rowcount:
        return True
    status = connection.scalar(sa.select(table.c.status).where(mine))
    return bool(status == RunStatus.RUNNING)
