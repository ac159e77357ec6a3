"""operate_job_instance and operate_step_instance, the same in v3 and v2 (contract e)."""

from __future__ import annotations

from enum import IntEnum
from typing import TypeVar

from adapter.api.call import Call
from adapter.api.reports import Operated
from adapter.errors import InvalidParameters
from adapter.job.operations import JobOperation, StepOperation
from adapter.messages import choices, say

_Code = TypeVar("_Code", bound=IntEnum)


def operate_job(call: Call) -> Operated:
    """operate_job_instance."""
    job_instance_id = _id(call, "job_instance_id")
    operate = call.services.operate
    operation = _operation(call, JobOperation)
    run = operate.terminate if operation is JobOperation.TERMINATE else operate.start
    run(call.caller, call.scope, job_instance_id)
    return Operated(job_instance_id)


def operate_step(call: Call) -> Operated:
    """operate_step_instance."""
    job_instance_id, step_instance_id = _id(call, "job_instance_id"), _id(call, "step_instance_id")
    operation = _operation(call, StepOperation)
    call.services.operate.step(call.caller, call.scope, job_instance_id, step_instance_id, operation)
    return Operated(job_instance_id, step_instance_id)


def _id(call: Call, name: str) -> int:
    """JOB answers 1241002 here, not what it says of ids elsewhere."""
    value = call[name]
    if value is None or value < 1:
        raise InvalidParameters(say("{name} must be at least 1", name=name))
    return int(value)


def _operation(call: Call, codes: type[_Code]) -> _Code:
    code = call["operation_code"]
    try:
        return codes(code)
    except ValueError:
        raise InvalidParameters(
            say("operation_code must be one of {allowed}, not {value}", allowed=choices(codes), value=code)
        ) from None
