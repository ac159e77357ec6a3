"""The durable workflows (design D7): a job instance is one, its callback is another, each step run is a step.

DBOS records each finished step. After a crash it runs the workflow again from the last recorded one; what was
under way is found again by engine.step_run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

import structlog
from dbos import DBOS, SetEnqueueOptions, SetWorkflowID, StepOptions

from adapter.engine.callback import Callbacks
from adapter.engine.step_run import StepRuns
from adapter.job.roll_up import job_status, next_step
from adapter.job.status import RunStatus
from adapter.ports import Clock
from adapter.store.jobs import JobStore

log = structlog.get_logger(__name__)
T = TypeVar("T")

#: A step of a workflow that fails for a passing reason (the database restarts) is tried for about ten minutes.
_PATIENT = StepOptions(retries_allowed=True, max_attempts=10, interval_seconds=1, backoff_rate=2)


@dataclass(frozen=True, kw_only=True)
class Parts:
    """What workflows work with. DBOS finds workflows by name, so their parts are bound once, by bind()."""

    jobs: JobStore
    steps: StepRuns
    callbacks: Callbacks
    clock: Clock


#: Later attempts at callbacks wait here.
CALLBACK_QUEUE = "callbacks"

_bound: list[Parts] = []
_active: set[str] = set()


def bind(parts: Parts) -> None:
    """Give the workflows of this process their parts; before DBOS is launched."""
    _bound[:] = [parts]


def _parts() -> Parts:
    return _bound[0]


def active() -> list[str]:
    """The workflows that run in this process now; a handle does not tell: handed over, they stay PENDING."""
    return sorted(_active)


@contextmanager
def _as_active(name: str) -> Iterator[None]:
    _active.add(name)
    try:
        yield
    finally:
        _active.discard(name)


def job_workflow_id(job_instance_id: int) -> str:
    """The name of a job's workflow: starting it twice is one workflow."""
    return f"job-{job_instance_id}"


@DBOS.workflow(name="run_job")
def run_job(job_instance_id: int) -> int:
    """Run the steps of a job in order and bring it to its final state; returns that."""
    with _as_active(job_workflow_id(job_instance_id)):
        return _run_job(_parts(), job_instance_id)


def _run_job(parts: Parts, job_instance_id: int) -> int:
    try:
        status = _run_steps(parts, job_instance_id)
    except Exception as error:  # whatever it is, the job must not stay "running" for ever
        log.exception("job_abnormal", job_instance_id=job_instance_id, error=repr(error))
        status = RunStatus.ABNORMAL
    _durably("finish_job", lambda: _finish(parts, job_instance_id, status))
    if _durably("has_callback", lambda: _has_callback(parts, job_instance_id)):
        with SetWorkflowID(f"callback-{job_instance_id}"):
            DBOS.start_workflow(deliver_callback, job_instance_id)
    return int(status)


def _run_steps(parts: Parts, job_instance_id: int) -> RunStatus:
    _durably("begin_job", lambda: parts.jobs.begin_job(job_instance_id, parts.clock.now_ms()))
    while (step_id := _durably("next_step", lambda: _next_step(parts, job_instance_id))) is not None:
        _run_step(parts, step_id)
    return RunStatus(_durably("job_status", lambda: _job_status(parts, job_instance_id)))


def _run_step(parts: Parts, step_id: int) -> None:
    _durably("run_step", lambda: int(parts.steps.run(step_id)))


def _durably(name: str, what: Callable[[], T]) -> T:
    """The result of `what`, recorded. A failure is tried again, and logged each time: it must not hide in delay."""

    def logged() -> T:
        try:
            return what()
        except Exception as error:
            log.exception("workflow_step_failed", step=name, error=repr(error))
            raise

    options = StepOptions(**{**_PATIENT, "name": name})
    return DBOS.run_step(options, logged)


def _next_step(parts: Parts, job_instance_id: int) -> int | None:
    job = parts.jobs.get(job_instance_id)
    step = next_step(job) if job is not None else None
    return None if step is None else step.id


def _job_status(parts: Parts, job_instance_id: int) -> int:
    job = parts.jobs.get(job_instance_id)
    return int(RunStatus.ABNORMAL if job is None else job_status(job.steps, job.status is RunStatus.STOPPING))


def _finish(parts: Parts, job_instance_id: int, status: RunStatus) -> bool:
    return parts.jobs.finish_job(job_instance_id, status, parts.clock.now_ms())


def _has_callback(parts: Parts, job_instance_id: int) -> bool:
    job = parts.jobs.get(job_instance_id)
    return job is not None and bool(job.callback_url)


@DBOS.workflow(name="deliver_callback")
def deliver_callback(job_instance_id: int, attempt: int = 1) -> bool:
    """One attempt to tell callback_url how the job ended; True once it was told.

    A failed one enqueues the next with its pause, which a restart does not lose and which holds no thread:
    a receiver that is away for an hour must not keep jobs from running.
    """
    with _as_active(f"callback-{job_instance_id}"):
        callbacks = _parts().callbacks
        if _durably("call", partial(callbacks.deliver, job_instance_id, attempt)):
            return True
        pause = callbacks.pause_after(attempt)
        if pause is not None:
            with (
                SetWorkflowID(f"callback-{job_instance_id}-{attempt + 1}"),
                SetEnqueueOptions(delay_seconds=pause),
            ):
                DBOS.enqueue_workflow(CALLBACK_QUEUE, deliver_callback, job_instance_id, attempt + 1)
        return False
