"""What an operator can do to a step: in which states, and what becomes of step and job (contract e)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from adapter.job.model import StepInstance
from adapter.job.status import MAY_BE_RETRIED, RunStatus


class StepOperation(IntEnum):
    """operation_code of operate_step_instance."""

    RETRY_FAILED = 2
    IGNORE_ERROR = 3
    CONFIRM = 6
    RETRY_ALL = 8
    CONFIRM_TERMINATE = 9
    RECONFIRM = 10
    NEXT_STEP = 11
    FORCE_SKIP = 12
    NEXT_BATCH = 13


class JobOperation(IntEnum):
    """operation_code of operate_job_instance."""

    TERMINATE = 1
    START = 2


@dataclass(frozen=True, kw_only=True)
class Move:
    """From any of these states of step and job to one of each, at once or not at all."""

    step_from: frozenset[RunStatus]
    job_from: frozenset[RunStatus]
    step_to: RunStatus
    job_to: RunStatus = RunStatus.RUNNING


#: A job reads RUNNING for a moment when its step has ended and it is about to.
_OF_ENDED = MAY_BE_RETRIED | {RunStatus.RUNNING}
_ASKS = frozenset({RunStatus.WAITING_USER})

_RETRY = Move(step_from=MAY_BE_RETRIED, job_from=_OF_ENDED, step_to=RunStatus.WAITING)
_MOVES = {
    StepOperation.RETRY_FAILED: _RETRY,
    StepOperation.RETRY_ALL: _RETRY,
    StepOperation.IGNORE_ERROR: Move(
        step_from=frozenset({RunStatus.FAILED}), job_from=_OF_ENDED, step_to=RunStatus.IGNORED
    ),
    StepOperation.CONFIRM: Move(step_from=_ASKS, job_from=_ASKS, step_to=RunStatus.SUCCESS),
    StepOperation.CONFIRM_TERMINATE: Move(
        step_from=_ASKS,
        job_from=_ASKS,
        step_to=RunStatus.CONFIRM_TERMINATED,
        job_to=RunStatus.CONFIRM_TERMINATED,
    ),
    StepOperation.RECONFIRM: Move(
        step_from=frozenset({RunStatus.CONFIRM_TERMINATED}),
        job_from=frozenset({RunStatus.CONFIRM_TERMINATED}),
        step_to=RunStatus.WAITING_USER,
        job_to=RunStatus.WAITING_USER,
    ),
    StepOperation.NEXT_STEP: Move(
        step_from=frozenset({RunStatus.STOPPED}),
        job_from=frozenset({RunStatus.STOPPED, RunStatus.RUNNING}),
        step_to=RunStatus.SKIPPED,
    ),
    StepOperation.FORCE_SKIP: Move(
        step_from=frozenset({RunStatus.STOPPING}),
        job_from=frozenset({RunStatus.STOPPING}),
        step_to=RunStatus.SKIPPED,
    ),
    StepOperation.NEXT_BATCH: Move(step_from=_ASKS, job_from=_ASKS, step_to=RunStatus.WAITING),
}
_OF_APPROVALS = frozenset({StepOperation.CONFIRM, StepOperation.CONFIRM_TERMINATE, StepOperation.RECONFIRM})
_OF_RUNS = frozenset({StepOperation.RETRY_FAILED, StepOperation.RETRY_ALL, StepOperation.NEXT_BATCH})


def move_of(operation: StepOperation, step: StepInstance) -> Move | None:
    """What the operation does to this step; None if there is no such operation for a step of its kind.

    To ignore the error of a batch that another follows is to go on with that batch.
    """
    is_approval = step.approval is not None
    if operation in (_OF_RUNS if is_approval else _OF_APPROVALS):
        return None
    if operation is StepOperation.NEXT_BATCH and not has_next_batch(step):
        return None
    move = _MOVES[operation]
    if operation is StepOperation.IGNORE_ERROR and has_next_batch(step):
        return Move(step_from=move.step_from, job_from=move.job_from, step_to=RunStatus.WAITING)
    return move


def takes_next_batch(operation: StepOperation, step: StepInstance) -> bool:
    """True if the step goes on with the batch after the one it has."""
    return operation in (StepOperation.NEXT_BATCH, StepOperation.IGNORE_ERROR) and has_next_batch(step)


def has_next_batch(step: StepInstance) -> bool:
    """True for a rolling step that has not come to its last batch."""
    return step.rolling is not None and step.batch < step.rolling.batches
