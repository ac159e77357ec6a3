"""The durable workflows (design D7): a worker's claim to a job is one, a callback of it is another.

Jobs have one way of recovery, the claim (store.claims): whoever gets a job claims it anew, under the next number
and so as a new workflow, which finds in the store and on the hosts what is done. DBOS runs a dead worker's workflow
again as well: that finds that its claim is nobody's here, and ends. Callbacks are DBOS's to recover.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Protocol, TypeVar

import structlog
from dbos import DBOS, SetEnqueueOptions, SetWorkflowID, StepOptions

from adapter.engine.callback import Callbacks
from adapter.engine.passing import is_passing
from adapter.engine.step_run import StepRuns
from adapter.engine.surroundings import HandedOver
from adapter.job.model import JobInstance
from adapter.job.roll_up import job_status, next_step
from adapter.job.status import RunStatus
from adapter.ports import Clock
from adapter.store.claims import Claim, ClaimLost
from adapter.store.jobs import JobStore

log = structlog.get_logger(__name__)
T = TypeVar("T")

#: Seconds between attempts while a disk is full or the database is away.
_PAUSE = 2.0
#: A step of a workflow that fails for another reason is tried for about ten minutes.
_PATIENT = StepOptions(retries_allowed=True, max_attempts=300, interval_seconds=2, backoff_rate=1)


@dataclass(frozen=True, kw_only=True)
class Parts:
    """What workflows work with. DBOS finds workflows by name, so their parts are bound once, by bind()."""

    jobs: JobStore
    steps: StepRuns
    callbacks: Callbacks
    clock: Clock


class Owner(Protocol):
    """The worker, as its workflows see it."""

    def has(self, claim: Claim) -> bool:
        """True if the claim is this worker's, and in hand."""
        ...

    def must_let_go(self) -> bool:
        """True once it may act no more."""
        ...

    def let_go(self, claim: Claim, *, closed: bool) -> None:
        """The workflow has ended; unless the job is closed, somebody must claim it again."""
        ...


#: Later attempts at callbacks wait here, and first ones while _TOLD_AT_ONCE others are under way.
CALLBACK_QUEUE = "callbacks"
_TOLD_AT_ONCE = 16
_CALLBACK = "callback-"

_bound: list[tuple[Parts, Owner]] = []
_active: set[str] = set()


def bind(parts: Parts, owner: Owner) -> None:
    """Give the workflows of this process their parts; before DBOS is launched."""
    _bound[:] = [(parts, owner)]


def active() -> list[str]:
    """The workflows that run in this process now."""
    return sorted(_active)


@contextmanager
def _as_active(name: str) -> Iterator[None]:
    _active.add(name)
    try:
        yield
    finally:
        _active.discard(name)


#: Records of workflows that are removed together.
_FORGOTTEN_AT_ONCE = 100


def forget_ended(before: int) -> int:
    """Remove DBOS's records of workflows that ended before (ms); how many. What runs or waits stays."""
    until = datetime.fromtimestamp(before / 1000, UTC).isoformat()
    count = 0
    while ended := DBOS.list_workflows(
        status=["SUCCESS", "ERROR", "CANCELLED"],
        completed_before=until,
        limit=_FORGOTTEN_AT_ONCE,
        load_input=False,
        load_output=False,
    ):
        DBOS.delete_workflows([each.workflow_id for each in ended])
        count += len(ended)
    return count


def workflow_id(claim: Claim) -> str:
    """The name of a claim's workflow: starting it twice is one workflow."""
    return f"job-{claim.job_instance_id}-{claim.number}"


@DBOS.workflow(name="run_job")
def run_job(job_instance_id: int, number: int, worker_id: str) -> str:
    """Run the steps of a claimed job in order and bring it to its final state; how it went, in a word."""
    parts, owner = _bound[0]
    claim = Claim(job_instance_id, number, worker_id)
    if not owner.has(claim):
        return "not mine"  # the record of a dead worker; the job has another claim by now, or will have
    closed = False
    with _as_active(workflow_id(claim)):
        try:
            status = _Run(parts, owner, claim).to_its_end()
            closed = True
        except (HandedOver, ClaimLost) as reason:
            log.info("let_go", job_instance_id=job_instance_id, claim=number, reason=type(reason).__name__)
            return "handed over"
        finally:
            owner.let_go(claim, closed=closed)
    return status.name.lower()


#: No run of theirs came to its end: an operator's transaction ended them.
_ENDED_BY_HAND = (RunStatus.STOPPED, RunStatus.SKIPPED)


class _Run:
    """One claim's run of a job."""

    def __init__(self, parts: Parts, owner: Owner, claim: Claim) -> None:
        self._owner = owner
        self._clock = parts.clock
        self._callbacks = parts.callbacks
        self._jobs = parts.jobs.under(claim)
        self._steps = parts.steps.under(claim)
        self._id = claim.job_instance_id

    def to_its_end(self) -> RunStatus:
        """The job's final state, or that it waits for an operator. Raises HandedOver, ClaimLost."""
        broke: Exception | None = None
        try:
            status = self._run_steps()
        except Exception as error:  # whatever it is, the job must not stay "running" for ever
            if self._owner.must_let_go() or is_passing(error):
                raise HandedOver from error  # whoever claims it next goes on, when that is possible again
            log.exception("job_abnormal", job_instance_id=self._id, error=repr(error))
            status, broke = RunStatus.ABNORMAL, error
        if status is RunStatus.WAITING_USER:
            return status  # nobody's, until an operator says how it goes on
        try:
            if broke is not None:
                self._break_off(broke)
            self._end(status)
        except Exception as error:
            if is_passing(error):
                raise HandedOver from error
            raise
        return status

    def _break_off(self, why: Exception) -> None:
        """End the step that was under way; the job ends, whether that works or not."""
        try:
            self._persistently("break_off", lambda: self._end_step(why))
        except Exception as error:
            log.exception("step_not_ended", job_instance_id=self._id, error=repr(error))

    def _end_step(self, why: Exception) -> None:
        step = next_step(self._job())
        if step is not None:
            # An error's own words may hold anything, and hosts' logs are read by many.
            reason = f"the service failed ({type(why).__name__}); its log says more: job_abnormal"
            self._steps.break_off(step.id, reason)

    def _end(self, status: RunStatus) -> None:
        owed = self._durably("finish_job", lambda: self._finish(status))
        for completion in owed:
            _tell(self._id, completion)
        if owed:
            self._durably("close_job", lambda: self._jobs.close_job(self._id))

    def _run_steps(self) -> RunStatus:
        step_id = self._durably("begin_job", self._begin)
        while step_id is not None:
            step_id = self._durably("run_step", partial(self._run_step, step_id))
        job = self._job()
        if _stands(job):
            return job.status
        return job_status(job.steps, _is_stopping(job))

    def _begin(self) -> int | None:
        self._jobs.begin_job(self._id, self._clock.now_ms())
        job = self._job()
        for step in job.steps:
            if step.status in _ENDED_BY_HAND:
                self._steps.leave_to_cleaning(step)
        return _next_step(job)

    def _run_step(self, step_id: int) -> int | None:
        self._steps.run(step_id)
        return _next_step(self._job())

    def _finish(self, status: RunStatus) -> tuple[int, ...]:
        """The completions that a callback is to tell of. A job that had finished already may still owe one."""
        self._jobs.finish_job(self._id, status, self._clock.now_ms())
        return self._callbacks.owed(self._id)

    def _job(self) -> JobInstance:
        job = self._jobs.get(self._id)
        if job is None:
            raise LookupError(f"job instance {self._id} is not in the store")
        return job

    def _durably(self, name: str, what: Callable[[], T]) -> T:
        """The result of `what`; see _persistently(). What fails otherwise is tried again, and raised in the end.

        DBOS need not record it: nobody ever runs a claim again, and whoever has the next finds in the store what
        is done. For each job that were three commits more.
        """
        left = _PATIENT["max_attempts"]
        while True:
            try:
                return self._persistently(name, what)
            except Exception:
                left -= 1
                if not left:
                    raise
            time.sleep(_PATIENT["interval_seconds"])

    def _persistently(self, name: str, what: Callable[[], T]) -> T:
        """The result of `what`, which waits for a disk that is full and a database that is away.

        Another failure is raised, and logged: it must not hide in delay.
        """
        while True:
            if self._owner.must_let_go():
                raise HandedOver
            try:
                return what()
            except Exception as error:
                if not is_passing(error):
                    log.exception("workflow_step_failed", step=name, error=repr(error))
                    raise
                reason = " ".join(str(error).split())[:300]
                log.warning("workflow_step_waits", job_instance_id=self._id, step=name, reason=reason)
            time.sleep(_PAUSE)


def _step(name: str, what: Callable[[], T]) -> T:
    return DBOS.run_step(StepOptions(**{**_PATIENT, "name": name}), what)


def _next_step(job: JobInstance) -> int | None:
    """The step to run now; None if there is none."""
    step = None if _stands(job) else next_step(job)
    return None if step is None else step.id


def _stands(job: JobInstance) -> bool:
    """True if nothing more happens to the job without an operator."""
    return job.status.is_finished or job.status is RunStatus.WAITING_USER


def _is_stopping(job: JobInstance) -> bool:
    return job.status is RunStatus.STOPPING


def _tell(job_instance_id: int, completion: int) -> None:
    """Begin to tell of a completion: at once, unless many others are being told, whose receivers may hang.

    Those hold threads, which jobs need: what is more waits in the queue.
    """
    with SetWorkflowID(_callback_id(job_instance_id, completion, 1)):
        if sum(name.startswith(_CALLBACK) for name in _active) < _TOLD_AT_ONCE:
            DBOS.start_workflow(deliver_callback, job_instance_id, 1, completion)
        else:
            DBOS.enqueue_workflow(CALLBACK_QUEUE, deliver_callback, job_instance_id, 1, completion)


def _callback_id(job_instance_id: int, completion: int, attempt: int) -> str:
    return f"{_CALLBACK}{job_instance_id}.{completion}.{attempt}"


@DBOS.workflow(name="deliver_callback")
def deliver_callback(job_instance_id: int, attempt: int = 1, completion: int = 1) -> bool:
    """One attempt to tell callback_url how the job ended; True once there is nothing more to try.

    A failed one enqueues the next with its pause, which a restart does not lose and which holds no thread:
    a receiver that is away for an hour must not keep jobs from running.
    """
    with _as_active(_callback_id(job_instance_id, completion, attempt)):
        callbacks = _bound[0][0].callbacks
        if _step("call", partial(callbacks.deliver, job_instance_id, completion, attempt)):
            return True
        pause = callbacks.pause_after(attempt)
        if pause is not None:
            with (
                SetWorkflowID(_callback_id(job_instance_id, completion, attempt + 1)),
                SetEnqueueOptions(delay_seconds=pause),
            ):
                DBOS.enqueue_workflow(
                    CALLBACK_QUEUE, deliver_callback, job_instance_id, attempt + 1, completion
                )
        return False
