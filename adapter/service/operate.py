"""Operations on a job instance and on one of its steps (contract section e)."""

from __future__ import annotations

from collections.abc import Callable

import structlog

from adapter import errors
from adapter.job.commands import Caller
from adapter.job.model import JobInstance, Scope, StepInstance
from adapter.job.operations import StepOperation, move_of
from adapter.job.status import RunStatus
from adapter.messages import Phrase, say
from adapter.ports import Clock
from adapter.service.query import visible
from adapter.store.jobs import JobStore

log = structlog.get_logger(__name__)

_CONFIRMATIONS = (StepOperation.CONFIRM, StepOperation.CONFIRM_TERMINATE, StepOperation.RECONFIRM)


class Operate:
    """operate_job_instance and operate_step_instance.

    Each writes what is wanted, in one transaction that makes sure of the state, and wakes the engine, which then
    does it. Of two at once one is told UnsupportedOperation.
    """

    def __init__(self, jobs: JobStore, clock: Clock, wake: Callable[[], None]) -> None:
        self._jobs = jobs
        self._clock = clock
        self._wake = wake

    def terminate(self, caller: Caller, scope: Scope, job_instance_id: int) -> None:
        """Stop a job that runs or waits for an operator, or that has been started and not yet picked up.

        Raises JobUnknown, UnsupportedOperation for any other state.
        """
        job = self._job(scope, job_instance_id)
        if not self._jobs.request_stop(job.id, self._clock.now_ms()):
            raise errors.UnsupportedOperation(self._why_not_terminated(job))
        _note(caller, job, operation="terminate")
        self._wake()

    def start(self, caller: Caller, scope: Scope, job_instance_id: int) -> None:
        """Start a job that was launched with start_task=false. Raises JobUnknown, AlreadyStarted."""
        job = self._job(scope, job_instance_id)
        if not self._jobs.request_start(job.id):
            raise errors.AlreadyStarted(job.id)
        _note(caller, job, operation="start")
        self._wake()

    def step(
        self,
        caller: Caller,
        scope: Scope,
        job_instance_id: int,
        step_instance_id: int,
        operation: StepOperation,
    ) -> None:
        """Do an operation on a step of the job.

        Raises JobUnknown, StepNotExist, UnsupportedOperation in a state where it is not legal, and NotAConfirmer.
        """
        job = self._job(scope, job_instance_id)
        step = next((step for step in job.steps if step.id == step_instance_id), None)
        if step is None:
            raise errors.StepNotExist(step_instance_id)
        if operation is StepOperation.IGNORE_ERROR and step.status is RunStatus.ABNORMAL:
            return  # JOB takes it, and does nothing (contract e)
        move = move_of(operation, step)
        if move is None or step.status not in move.step_from or job.status not in move.job_from:
            raise errors.UnsupportedOperation(_why_not(operation, job, step))
        if operation in _CONFIRMATIONS:
            _require_confirmer(caller, step)
        if not self._jobs.operate(operation, move, step, self._clock.now_ms()):
            job = self._job(scope, job_instance_id)
            step = next(one for one in job.steps if one.id == step_instance_id)
            raise errors.UnsupportedOperation(_why_not(operation, job, step))
        _note(caller, job, operation=operation.name.lower(), step_instance_id=step.id)
        self._wake()

    def _why_not_terminated(self, job: JobInstance) -> Phrase:
        status = self._jobs.status(job.id)
        if not status.is_finished and not job.started:
            return say(
                "job [{id}] cannot be terminated in state {state}; it waits for operation_code 2 (start)",
                id=job.id,
                state=_name(status),
            )
        return say("job [{id}] cannot be terminated in state {state}", id=job.id, state=_name(status))

    def _job(self, scope: Scope, job_instance_id: int) -> JobInstance:
        return visible(self._jobs.get(job_instance_id), scope, job_instance_id)


def _require_confirmer(caller: Caller, step: StepInstance) -> None:
    if step.approval is not None and caller.user not in step.approval.users:
        raise errors.NotAConfirmer(caller.user, step.approval.users)


def _why_not(operation: StepOperation, job: JobInstance, step: StepInstance) -> Phrase:
    return say(
        "operation_code {code} ({operation}) on step [{id}] in state {state}, its job in state {job_state}",
        code=int(operation),
        operation=operation.name.lower().replace("_", " "),
        id=step.id,
        state=_name(step.status),
        job_state=_name(job.status),
    )


def _name(status: RunStatus) -> str:
    return f"{int(status)} ({status.name.lower()})"


def _note(caller: Caller, job: JobInstance, **what: object) -> None:
    """Who did it: the service's log is where that is found."""
    log.info("operated", job_instance_id=job.id, user=caller.user, app=caller.app_code, **what)
