"""Do a job's states agree with each other? What the store alone can tell."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from adapter.audit.finding import Disagreement, Kind
from adapter.job.model import HostResult, JobInstance, StepInstance
from adapter.job.roll_up import job_status, step_status
from adapter.job.status import ERROR_CODE_OF, HostStatus, RunStatus

#: Seconds without anybody's care after which an unfinished job counts as forgotten.
LONG = 300


@dataclass(frozen=True, kw_only=True)
class Owner:
    """Who carries a job on. Ages are seconds."""

    is_open: bool  #: the engine has something left to do for it
    worker_id: str | None
    worker_silence: float | None = (
        None  #: since the worker's last beat; None: there is no such worker any more
    )
    somebody_works: bool = False  #: some worker lives


def of_job(job: JobInstance) -> Iterator[Disagreement]:
    """The job's state against those of its steps."""
    yield from _times(job)
    if not job.status.is_finished:
        return
    expected = job_status(job.steps)
    # Terminated and abnormal jobs end so whatever their steps ended with.
    if job.status not in (expected, RunStatus.STOPPED, RunStatus.ABNORMAL):
        yield Kind.STATE, f"reads {_name(job.status)}, its steps add up to {_name(expected)}"
    for step in job.steps:
        if not step.status.is_finished and step.status is not RunStatus.WAITING:
            yield (
                Kind.STATE,
                f"has finished ({_name(job.status)}), its step {step.id} is {_name(step.status)}",
            )
    waits = [step.order for step in job.steps if step.status is RunStatus.WAITING]
    late = [step for step in job.steps if waits and step.order > min(waits) and step.status.is_finished]
    for step in late:
        yield Kind.STATE, f"its step {step.id} has ended ({_name(step.status)}), one before it has not begun"


def of_owner(job: JobInstance, owner: Owner, age: float) -> Iterator[Disagreement]:
    """Does somebody carry on a job that was stored `age` seconds ago, and nobody one that has ended?

    The words hold no age: said again a moment later they are the same.
    """
    if job.status.is_finished:
        if owner.is_open and not job.callback_url:
            yield Kind.OWNER, f"has finished ({_name(job.status)}), and the engine still has it to do"
        return
    if job.status is RunStatus.WAITING_USER:
        if owner.is_open:
            yield Kind.OWNER, "waits for an operator, and the engine still has it to do"
    elif not owner.is_open:
        yield Kind.OWNER, f"is {_name(job.status)}, and the engine has nothing left to do for it"
    elif not job.started or age < LONG:
        return
    elif owner.worker_id is None:
        # One that has not begun may wait for a place as long as somebody works.
        if job.status is not RunStatus.WAITING or not owner.somebody_works:
            yield Kind.OWNER, f"is {_name(job.status)} for more than {LONG} s, and no worker has claimed it"
    elif owner.worker_silence is None or owner.worker_silence > LONG:
        heard = "is gone" if owner.worker_silence is None else f"is silent for more than {LONG} s"
        yield Kind.OWNER, f"is {_name(job.status)}, and its worker {owner.worker_id} {heard}"


def of_step(
    step: StepInstance, results: Sequence[HostResult], job_is_stopped: bool
) -> Iterator[Disagreement]:
    """The step's state against those of its hosts. `job_is_stopped`: somebody terminated the job."""
    yield from _times(step)
    if step.approval is not None:
        return
    if not step.status.is_finished:
        if step.status is RunStatus.WAITING:
            begun = [item for item in results if _is_in_turn(step, item) and _has_begun(step, item)]
            if begun:
                yield Kind.STATE, f"has not begun, {len(begun)} of its hosts have"
        return
    turn = [item for item in results if _is_in_turn(step, item)]
    unfinished = [item for item in turn if not item.status.is_finished]
    if unfinished:
        first = unfinished[0]
        yield (
            Kind.STATE,
            f"has finished ({_name(step.status)}), {len(unfinished)} of its hosts have not:"
            f" {first.host.label} is {_name(first.status)}",
        )
        return
    if step.status in (RunStatus.ABNORMAL, RunStatus.SKIPPED):  # whatever its hosts ended with
        return
    last = [item for item in results if item.batch == step.batch]
    possible = {
        step_status(counting, stopped, step.ignore_error)
        for stopped in {False, job_is_stopped}
        for counting in (turn, last, results)
    }
    if RunStatus.FAILED in possible:
        possible.add(RunStatus.IGNORED)  # by an operator, or by its rolling mode
    if step.status not in possible:
        words = " or ".join(_name(status) for status in sorted(possible))
        yield Kind.STATE, f"reads {_name(step.status)}, its hosts add up to {words}"


def _is_in_turn(step: StepInstance, result: HostResult) -> bool:
    """False for a host whose batch has not begun, and may never."""
    return result.batch <= step.batch or result.status is not HostStatus.WAITING


def _has_begun(step: StepInstance, result: HostResult) -> bool:
    """In this execution, and in the batch that is to begin."""
    return (
        result.status is not HostStatus.WAITING
        and result.executed_in == step.execute_count
        and result.batch == step.batch
    )


def of_host(step: StepInstance, result: HostResult) -> Iterator[Disagreement]:
    """One host's state, codes, times and sizes against each other."""
    status, code = result.status, result.exit_code
    if status.is_finished:
        if result.end_time is None:
            yield Kind.TIME, f"has finished ({_name(status)}) and has no end time"
    elif result.end_time is not None:
        yield Kind.TIME, f"is {_name(status)} and has an end time"
    if status is HostStatus.RUNNING and result.start_time is None:
        yield Kind.TIME, "runs and has no start time"
    if step.script is not None:
        if status is HostStatus.SUCCESS and code != 0:
            yield Kind.EXIT_CODE, f"reads SUCCESS with exit code {code}"
        if status is HostStatus.NON_ZERO_EXIT and code in (0, None):
            yield Kind.EXIT_CODE, f"reads NON_ZERO_EXIT with exit code {code}"
    if not status.is_finished and code is not None:
        yield Kind.EXIT_CODE, f"is {_name(status)} with exit code {code}"
    expected = int(ERROR_CODE_OF.get(status, 0))
    if result.error_code != expected:
        yield Kind.STATE, f"is {_name(status)} with error code {result.error_code}, not {expected}"
    if result.log_kept > result.log_bytes:
        yield Kind.LOG, f"{result.log_kept} bytes are kept of {result.log_bytes} that were printed"


def _times(item: JobInstance | StepInstance) -> Iterator[Disagreement]:
    if item.status.is_finished and item.end_time is None:
        yield Kind.TIME, f"has finished ({_name(item.status)}) and has no end time"
    if not item.status.is_finished and item.end_time is not None:
        yield Kind.TIME, f"is {_name(item.status)} and has an end time"
    if item.status is RunStatus.RUNNING and item.start_time is None:
        yield Kind.TIME, "runs and has no start time"


def _name(status: RunStatus | HostStatus) -> str:
    return f"{status.name} ({status:d})"
