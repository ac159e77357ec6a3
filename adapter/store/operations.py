"""Writing what operators do to a job, its step and the step's hosts: each in one transaction, or not at all.

The job's row is locked first, as by every other writer. What changes where a job goes on takes the job from its
worker as well: whatever that still wants to write finds its claim gone (store.claims), and whoever claims the job
next reads where it stands.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from adapter.job.model import StepInstance
from adapter.job.operations import Move, StepOperation, takes_next_batch
from adapter.job.status import ErrorCode, HostStatus, RunStatus
from adapter.store import tables
from adapter.store.changes import OWN_CHANGE, not_before_start

_job = tables.job_instance
_step = tables.step_instance
_host = tables.host_result

_SUCCEEDED = _host.c.status.in_((HostStatus.SUCCESS, HostStatus.LAST_SUCCESS))
_HAS_NOT_ENDED = _host.c.status.in_((HostStatus.WAITING, HostStatus.RUNNING))
_RETRIES = (StepOperation.RETRY_FAILED, StepOperation.RETRY_ALL)
_FORGOTTEN: dict[str, Any] = {
    "status": int(HostStatus.WAITING),
    "exit_code": None,
    "error_code": 0,
    "tag": "",
    "start_time": None,
    "end_time": None,
    "log_bytes": 0,
    "log_kept": 0,
}


class _OtherState(Exception):
    """The step is not as it was when the operation was asked for: nothing is written."""


class JobOperations:
    """The half of JobStore that operators write with."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def request_start(self, job_instance_id: int) -> bool:
        """Let a job start that waits for it; False if it does not (any more)."""
        statement = (
            sa.update(_job)
            .where(_job.c.id == job_instance_id, _job.c.status == RunStatus.WAITING, sa.not_(_job.c.started))
            .values(started=True)
        )
        with self._engine.begin() as connection:
            return connection.execute(statement).rowcount > 0

    def request_stop(self, job_instance_id: int, now_ms: int) -> bool:
        """Mark the job, and its step that runs, STOPPING; False if it is not in a state to be stopped.

        A job that has been started and not yet picked up is stopped the same way: begin_job() then answers
        False, and a worker takes the job only to end it. A step that waits for an operator is STOPPED at once.
        """
        stoppable = sa.or_(
            _job.c.status.in_((RunStatus.RUNNING, RunStatus.WAITING_USER)),
            sa.and_(_job.c.status == RunStatus.WAITING, _job.c.started),
        )
        stop_job = (
            sa.update(_job)
            .where(_job.c.id == job_instance_id, stoppable)
            .values(status=int(RunStatus.STOPPING), open=True, **OWN_CHANGE)
            .returning(_job.c.changes)
        )
        stop_step = (
            sa.update(_step)
            .where(_step.c.job_instance_id == job_instance_id, _step.c.status == RunStatus.RUNNING)
            .values(status=int(RunStatus.STOPPING))
        )
        end_step = (
            sa.update(_step)
            .where(_step.c.job_instance_id == job_instance_id, _step.c.status == RunStatus.WAITING_USER)
            .values(status=int(RunStatus.STOPPED), end_time=not_before_start(_step, now_ms))
            .returning(_step.c.id, _step.c.execute_count)
        )
        with self._engine.begin() as connection:
            change = connection.scalar(stop_job)
            if change is None:
                return False
            connection.execute(stop_step.values(change=change))
            for step_id, count in connection.execute(end_step.values(change=change)).all():
                _end_hosts(connection, step_id, count, HostStatus.TERMINATED, now_ms, change)
        return True

    def operate(self, operation: StepOperation, move: Move, step: StepInstance, now_ms: int) -> bool:
        """Do it; False if job or step are in none of the states the move starts from, or not as `step` has it."""
        statement = (
            sa.update(_job)
            .where(_job.c.id == step.job_instance_id, _job.c.status.in_(move.job_from))
            .values(**_job_values(move.job_to, now_ms), **OWN_CHANGE)
            .returning(_job.c.changes)
        )
        try:
            with self._engine.begin() as connection:
                change = connection.scalar(statement)
                if change is None:
                    return False
                self._move_step(connection, operation, move, step, now_ms, change)
        except _OtherState:
            return False
        return True

    def _move_step(
        self,
        connection: sa.Connection,
        operation: StepOperation,
        move: Move,
        step: StepInstance,
        now_ms: int,
        change: int,
    ) -> None:
        statement = (
            sa.update(_step)
            .where(
                _step.c.id == step.id,
                _step.c.status.in_(move.step_from),
                _step.c.execute_count == step.execute_count,
                _step.c.batch == step.batch,
            )
            .values(status=int(move.step_to), change=change, **_step_values(operation, move, step, now_ms))
        )
        if not connection.execute(statement).rowcount:
            raise _OtherState
        if operation in _RETRIES:
            connection.execute(_next_execution(operation, step, change))
        elif operation is StepOperation.FORCE_SKIP:
            _end_hosts(connection, step.id, step.execute_count, HostStatus.SKIPPED_UNKNOWN, now_ms, change)


def _job_values(to: RunStatus, now_ms: int) -> dict[str, Any]:
    """An operator's turn, or none: the engine has nothing to do. Else whoever claims the job goes on with it."""
    is_for_engine = to is RunStatus.RUNNING
    return {
        "status": int(to),
        "end_time": not_before_start(_job, now_ms) if to.is_finished else None,
        "open": is_for_engine,
        "worker_id": None,
        "claim": _job.c.claim + 1,
    }


def _step_values(operation: StepOperation, move: Move, step: StepInstance, now_ms: int) -> dict[str, Any]:
    values: dict[str, Any] = {}
    if operation in _RETRIES:
        values["execute_count"] = step.execute_count + 1
        values["start_time"] = None
    if takes_next_batch(operation, step):
        values["batch"] = step.batch + 1
    if not move.step_to.is_finished:
        values["end_time"] = None
    elif operation not in (StepOperation.IGNORE_ERROR, StepOperation.NEXT_STEP):  # which have ended
        values["end_time"] = not_before_start(_step, now_ms)
    return values


def _next_execution(operation: StepOperation, step: StepInstance, change: int) -> sa.Insert:
    """The hosts once more: those that are run again wait, the others keep what they have, and their logs."""
    in_turn: sa.ColumnElement[bool] = sa.true()
    if step.rolling is not None:
        is_parallel = step.rolling.is_parallel
        in_turn = _host.c.batch <= step.batch if is_parallel else _host.c.batch == step.batch
    again = in_turn if operation is StepOperation.RETRY_ALL else sa.and_(in_turn, sa.not_(_SUCCEEDED))
    again = sa.or_(again, _HAS_NOT_ENDED)
    count = step.execute_count + 1
    values: dict[str, Any] = {
        **{
            name: sa.case((again, sa.literal(value)), else_=_host.c[name])
            for name, value in _FORGOTTEN.items()
        },
        "execute_count": sa.literal(count),
        "executed_in": sa.case((again, count), else_=_host.c.executed_in),
        "change": sa.literal(change),
    }
    columns = [column.name for column in _host.columns]
    chosen = [values[name].label(name) if name in values else _host.c[name] for name in columns]
    rows = sa.select(*chosen).where(
        _host.c.step_instance_id == step.id, _host.c.execute_count == step.execute_count
    )
    return sa.insert(_host).from_select(columns, rows)


def _end_hosts(
    connection: sa.Connection, step_id: int, count: int, status: HostStatus, now_ms: int, change: int
) -> None:
    """End what has not ended of an execution."""
    code = ErrorCode.TERMINATED if status is HostStatus.TERMINATED else ErrorCode.OK
    connection.execute(
        sa.update(_host)
        .where(_host.c.step_instance_id == step_id, _host.c.execute_count == count, _HAS_NOT_ENDED)
        .values(
            status=int(status),
            error_code=int(code),
            end_time=not_before_start(_host, now_ms),
            change=change,
        )
    )
