"""The worker and its workflows over a real database of workflows; what steps do is played."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast

import pytest
from dbos import DBOS

from adapter.engine import worker as worker_module
from adapter.engine import workflows
from adapter.engine.lease import Lease
from adapter.engine.locks import AlreadyRunning
from adapter.engine.step_run import StepRuns
from adapter.engine.surroundings import HandedOver
from adapter.engine.worker import Worker
from adapter.engine.workflows import Parts
from adapter.job.model import JobInstance, StepInstance
from adapter.job.status import RunStatus
from adapter.store.claims import Claim, Limits
from adapter.store.database import is_shared
from adapter.store.workers import WorkerState, WorkerStore
from tests.support.raw_receiver import RawReceiver

from .conftest import Bench, made_bench

NOBODY = "http://127.0.0.1:9/"  # the discard port: nothing listens


@dataclass
class Steps:
    """Plays engine.step_run: notes which steps ran, and ends each as it was told."""

    bench: Bench
    lease: Lease
    ends: dict[str, RunStatus] = field(default_factory=dict)
    held: set[str] = field(default_factory=set)  #: scripts that go on until handed over
    broken: set[str] = field(default_factory=set)
    ran: list[str] = field(default_factory=list)
    broken_off: dict[int, str] = field(default_factory=dict)
    is_all_lost: bool = False  #: a step that broke cannot be ended either

    def under(self, claim: Claim) -> Steps:
        return self

    def run(self, step_instance_id: int) -> RunStatus:
        step = self.bench.jobs.step(step_instance_id)
        assert step is not None
        assert step.script is not None
        content = step.script.content
        self.ran.append(content)
        self.bench.jobs.begin_step(step.id, 1)
        if content in self.broken:
            raise RuntimeError("broken: s3cret")
        while content in self.held:
            if self.lease.is_over():
                raise HandedOver
            time.sleep(0.02)
        end = self.ends.get(content, RunStatus.SUCCESS)
        self.bench.jobs.finish_step(step.id, end, 2)
        return end

    def leave_to_cleaning(self, step: StepInstance) -> None:
        pass

    def break_off(self, step_instance_id: int, reason: str) -> None:
        self.broken_off[step_instance_id] = reason
        if self.is_all_lost:
            raise RuntimeError("nothing works any more")
        self.bench.jobs.finish_step(step_instance_id, RunStatus.ABNORMAL, 2)


@dataclass
class Running:
    """A worker and what it works with."""

    worker: Worker
    steps: Steps
    bench: Bench

    def wait(self, job: JobInstance, status: RunStatus, seconds: float = 10) -> JobInstance:
        """The job once it has that state."""
        until = time.monotonic() + seconds
        while self.bench.jobs.status(job.id) is not status:
            assert time.monotonic() < until, f"{self.bench.jobs.status(job.id)!r} is not {status!r}"
            time.sleep(0.02)
        return self.bench.again(job)


NewWorker = Callable[..., Running]


@pytest.fixture(params=["sqlite", "postgresql"])
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bench]:
    """Every test of this file runs on both."""
    url = request.getfixturevalue("postgresql_url") if request.param == "postgresql" else ""
    yield from made_bench(tmp_path, url)


@pytest.fixture
def new_worker(bench: Bench, runtime: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[NewWorker]:
    """Starts workers, one after the other on the same data directory; they are stopped afterwards."""
    monkeypatch.setattr(worker_module, "_SWEEP", 0.05)
    started: list[Running] = []

    def new(callback_timeout: float = 1, **played: Any) -> Running:
        lease = Lease(is_shared=is_shared(bench.settings.database))
        steps = Steps(bench, lease, **played)
        callbacks = bench.callbacks(timeout=callback_timeout, pauses=(600,))
        parts = Parts(jobs=bench.jobs, steps=cast(StepRuns, steps), callbacks=callbacks, clock=bench)
        running = Running(Worker(bench.settings, parts, lease, runtime), steps, bench)
        running.worker.start()
        started.append(running)
        return running

    yield new
    for running in started:
        running.worker.stop(0)


def test_steps_run_in_order_and_the_job_ends_well(bench: Bench, new_worker: NewWorker) -> None:
    """A job that was stored before the worker started, and one that it is woken for."""
    early = bench.job("one", "two", "three")
    running = new_worker()
    assert running.wait(early, RunStatus.SUCCESS).end_time == bench.now
    late = bench.job("four")
    running.worker.wake()
    running.wait(late, RunStatus.SUCCESS, seconds=3)
    assert running.steps.ran == ["one", "two", "three", "four"]


def test_records_of_workflows_that_ended_are_forgotten(bench: Bench, new_worker: NewWorker) -> None:
    """Those that ended before, and no others."""
    running = new_worker()
    running.wait(bench.job("one"), RunStatus.SUCCESS)
    until = time.monotonic() + 5
    while not (ended := DBOS.list_workflows(status="SUCCESS")):
        assert time.monotonic() < until
        time.sleep(0.02)
    assert workflows.forget_ended(1) == 0
    assert workflows.forget_ended(int(time.time() * 1000) + 60_000) >= len(ended)
    assert DBOS.list_workflows() == []


@pytest.mark.parametrize("end", [RunStatus.FAILED, RunStatus.STOPPED, RunStatus.ABNORMAL])
def test_a_step_that_ends_badly_ends_the_job(bench: Bench, new_worker: NewWorker, end: RunStatus) -> None:
    """The job has the step's state; the next step never runs."""
    job = bench.job("one", "two")
    running = new_worker(ends={"one": end})
    running.wait(job, end)
    assert running.steps.ran == ["one"]


def test_ignored_errors_let_the_job_go_on(bench: Bench, new_worker: NewWorker) -> None:
    """Step state 6 counts as passed."""
    job = bench.job("one", "two")
    running = new_worker(ends={"one": RunStatus.IGNORED})
    running.wait(job, RunStatus.SUCCESS)
    assert running.steps.ran == ["one", "two"]


def test_a_job_that_waits_for_its_start_is_left_alone(bench: Bench, new_worker: NewWorker) -> None:
    """start_task=false: nothing runs until it is asked for."""
    job = bench.job("one", started=False)
    running = new_worker()
    time.sleep(1.5)
    assert running.steps.ran == []
    assert bench.jobs.request_start(job.id)
    running.wait(job, RunStatus.SUCCESS)


@pytest.mark.parametrize("is_all_lost", [False, True], ids=["", "nor-can-its-step-be-ended"])
def test_a_job_that_breaks_the_service_ends_abnormal(
    bench: Bench, new_worker: NewWorker, monkeypatch: pytest.MonkeyPatch, is_all_lost: bool
) -> None:
    """Whatever is raised, after the patience is at its end neither job nor step stays "running"."""
    monkeypatch.setitem(workflows._PATIENT, "max_attempts", 2)
    monkeypatch.setitem(workflows._PATIENT, "interval_seconds", 0.01)
    job = bench.job("one", "two")
    running = new_worker(broken={"one"}, is_all_lost=is_all_lost)
    ended = running.wait(job, RunStatus.ABNORMAL, seconds=30)  # tracebacks are printed with all variables
    assert running.steps.ran == ["one", "one"]
    broken, waits = ended.steps
    assert broken.status is (RunStatus.RUNNING if is_all_lost else RunStatus.ABNORMAL)
    assert waits.status is RunStatus.WAITING
    reason = "the service failed (RuntimeError); its log says more: job_abnormal"
    assert running.steps.broken_off == {broken.id: reason}


def test_a_job_that_was_stopped_ends_stopped(bench: Bench, new_worker: NewWorker) -> None:
    """Whatever the step's own end; and the next step does not run."""
    job = bench.job("one", "two")
    running = new_worker(held={"one"})
    running.wait(job, RunStatus.RUNNING)
    assert bench.jobs.request_stop(job.id, 5)
    running.steps.ends["one"] = RunStatus.STOPPED
    running.steps.held.clear()
    running.wait(job, RunStatus.STOPPED)
    assert running.steps.ran == ["one"]


def test_a_data_directory_has_one_worker(new_worker: NewWorker) -> None:
    """The second one says who is in the way, and what may be done."""
    new_worker()
    with pytest.raises(AlreadyRunning, match=r"holds worker\.lock.*--no-worker"):
        new_worker()


def test_stop_waits_for_what_runs(bench: Bench, new_worker: NewWorker) -> None:
    """Within the drain time a job comes to its end; none begins."""
    job = bench.job("one")
    running = new_worker(held={"one"})
    running.wait(job, RunStatus.RUNNING)
    threading.Timer(0.5, running.steps.held.clear).start()
    running.worker.stop(30)
    assert bench.jobs.status(job.id) is RunStatus.SUCCESS


def test_what_is_handed_over_goes_on_with_the_next_worker_and_the_one_after(
    bench: Bench, new_worker: NewWorker
) -> None:
    """Each stop is as quick as the drain time says, for jobs that were recovered too."""
    job = bench.job("one", "two")
    for _ in range(3):
        running = new_worker(held={"two"})
        until = time.monotonic() + 10
        while "two" not in running.steps.ran:
            assert time.monotonic() < until
            time.sleep(0.02)
        began = time.monotonic()
        running.worker.stop(0.2)
        assert time.monotonic() - began < 5
        assert bench.jobs.status(job.id) is RunStatus.RUNNING
    last = new_worker()
    last.wait(job, RunStatus.SUCCESS)
    assert last.steps.ran == ["two"]


def test_hand_over_ends_the_draining(bench: Bench, new_worker: NewWorker) -> None:
    """Somebody in a hurry need not wait for the drain time."""
    job = bench.job("one")
    running = new_worker(held={"one"})
    running.wait(job, RunStatus.RUNNING)
    threading.Timer(0.5, running.worker.hand_over).start()
    began = time.monotonic()
    running.worker.stop(60)
    assert time.monotonic() - began < 10
    assert bench.jobs.status(job.id) is RunStatus.RUNNING


def test_callbacks_that_wait_keep_no_job_from_running(
    bench: Bench, new_worker: NewWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More callbacks wait for their next attempt than there are threads."""
    jobs = [bench.job(f"told {number}", callback_url=NOBODY) for number in range(45)]
    running = new_worker()
    for job in jobs:
        running.wait(job, RunStatus.SUCCESS, seconds=30)
    after = bench.job("after")
    running.worker.wake()
    running.wait(after, RunStatus.SUCCESS)


def test_receivers_that_hang_keep_no_job_from_running(bench: Bench, new_worker: NewWorker) -> None:
    """More of them than there are threads, each for as long as it may; every job is told of in the end."""
    receiver = RawReceiver()
    receiver.behave(receiver.hangs())
    url = f"http://127.0.0.1:{receiver.port}/"
    count = Limits(per_worker=bench.settings.max_running_jobs).in_hand + 40
    jobs = [bench.job(f"told {number}", callback_url=url) for number in range(count)]
    try:
        running = new_worker(callback_timeout=30)
        for job in jobs:
            running.wait(job, RunStatus.SUCCESS, seconds=60)
        after = bench.job("after")
        running.worker.wake()
        running.wait(after, RunStatus.SUCCESS)
        assert 0 < len(receiver.got) < count / 2
    finally:
        receiver.close()


@pytest.mark.parametrize("bench", ["postgresql"], indirect=True)
def test_a_worker_that_was_taken_for_dead_lets_go_and_begins_again(
    bench: Bench, new_worker: NewWorker
) -> None:
    """Its job runs again, under its next name; what the earlier run would have written is not."""
    job = bench.job("one")
    running = new_worker(held={"one"})
    running.wait(job, RunStatus.RUNNING)
    workers = WorkerStore(bench.engine)
    (row,) = workers.not_ended()
    while workers.take_over(row, "somebody") is None:  # it beats meanwhile
        (row,) = workers.not_ended()
    until = time.monotonic() + 30
    while len(running.steps.ran) < 2:
        assert time.monotonic() < until
        time.sleep(0.05)
    (again,) = workers.not_ended()
    assert again.id != row.id
    assert again.state is WorkerState.WORKING
    running.steps.held.clear()
    running.wait(job, RunStatus.SUCCESS)
    assert running.steps.ran == ["one", "one"]


def test_no_more_jobs_run_than_may(bench: Bench, new_worker: NewWorker) -> None:
    """A free place is taken as soon as there is one."""
    bench.settings = replace(bench.settings, max_running_jobs=2, max_running_jobs_per_scope=9)
    jobs = [bench.job(name) for name in ("one", "two", "three")]
    running = new_worker(held={"one", "two", "three"})
    running.wait(jobs[1], RunStatus.RUNNING)
    time.sleep(1.5)
    assert bench.jobs.status(jobs[2].id) is RunStatus.WAITING
    running.steps.held.discard("one")
    running.wait(jobs[2], RunStatus.RUNNING, seconds=3)
    assert bench.jobs.request_stop(jobs[1].id, 5)
    running.steps.held.clear()
    for job, status in zip(jobs, (RunStatus.SUCCESS, RunStatus.STOPPED, RunStatus.SUCCESS), strict=True):
        running.wait(job, status)
