"""Hosts to step to job: the states that follow from other states, and a host's tag (contract sections e, h)."""

from __future__ import annotations

import re
from collections.abc import Iterable

from adapter.job.model import HostResult, JobInstance, StepInstance
from adapter.job.status import HostStatus, RunStatus

_NEVER_RAN = (HostStatus.INVALID_HOST, HostStatus.NO_AGENT)
_TERMINATED = (HostStatus.TERMINATED, HostStatus.SCRIPT_TERMINATED)
#: A step in one of these states lets the job go on.
_PASSED = (RunStatus.SUCCESS, RunStatus.SKIPPED, RunStatus.IGNORED, RunStatus.ROLLING_WAITING)
_TAG = re.compile(r"job_(?:success|fail):\[([^\]\r\n]*)\]")
_TAG_LENGTH = 256


def step_status(results: Iterable[HostResult], stopped: bool, ignore_error: bool) -> RunStatus:
    """How a step ends whose hosts have ended. `stopped`: an operator asked for it while it ran.

    A stop wins over ignored errors: what was ended by hand has not failed.
    """
    statuses = [result.status for result in results]
    ran = [status for status in statuses if status not in _NEVER_RAN]
    if ran and all(status.is_success for status in ran):
        if len(ran) == len(statuses):
            return RunStatus.SUCCESS
    elif stopped or any(status in _TERMINATED for status in statuses):
        return RunStatus.STOPPED
    return RunStatus.IGNORED if ignore_error else RunStatus.FAILED


def job_status(steps: Iterable[StepInstance], stopped: bool = False) -> RunStatus:
    """How a job ends whose steps stand like this; RUNNING while a step is left to run."""
    if stopped:
        return RunStatus.STOPPED
    for step in steps:
        if step.status not in _PASSED:
            return step.status if step.status.is_finished else RunStatus.RUNNING
    return RunStatus.SUCCESS


def next_step(job: JobInstance) -> StepInstance | None:
    """The step to run now, or to go on with after a restart; None if the job has come to its end."""
    for step in sorted(job.steps, key=lambda step: step.order):
        if step.status in _PASSED:
            continue
        return None if step.status.is_finished else step
    return None


def tag_of(output_tail: str) -> str:
    """What the script's last job_success or job_fail line has in its brackets, "" without such a line."""
    tags = _TAG.findall(output_tail)
    return tags[-1].replace("\0", "")[:_TAG_LENGTH] if tags else ""
