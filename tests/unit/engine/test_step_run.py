"""When a step run touches no host at all."""

from __future__ import annotations

import json
import threading
import time
from pathlib import Path

import pytest
import sqlalchemy as sa

from adapter.engine.audit import Audit
from adapter.engine.file_cache import FileCache
from adapter.engine.step_run import StepRuns
from adapter.engine.surroundings import HandedOver
from adapter.job.model import FileSource, FileTask, JobInstance, StepInstance
from adapter.job.operations import StepOperation, move_of
from adapter.job.rolling import Rolling, RollingType
from adapter.job.status import HostStatus, RunStatus, StepType
from adapter.store import tables
from adapter.store.audit import AuditStore
from adapter.store.claims import Claim, ClaimLost
from adapter.store.collected import CollectedRuns
from adapter.store.workers import WorkerStore

from .conftest import ONE, SCOPE, TWO, Bench


class Runs:
    """Step runs of a bench, and what holds them up."""

    def __init__(self, bench: Bench, runtime: Path) -> None:
        self.bench = bench
        self.handover = threading.Event()
        self.artifacts = bench.directory / "artifacts"
        self.runs = StepRuns(
            jobs=bench.jobs,
            logs=bench.logs,
            collected=CollectedRuns(bench.engine),
            preparation=bench.preparation(),
            clock=bench,
            artifacts=self.artifacts,
            file_cache=FileCache(bench.directory / "cache", 2**30),
            placing=bench.placing(),
            providing=bench.providing(),
            runtime=runtime,
            handover=self.handover.is_set,
        )

    def audit(self) -> Audit:
        """Of what the runs leave."""
        return Audit(
            jobs=self.bench.jobs,
            logs=self.bench.logs,
            store=AuditStore(self.bench.engine),
            workers=WorkerStore(self.bench.engine),
            clock=self.bench,
            artifacts=self.artifacts,
            is_shared=False,
            again_after=0,
        )

    def stop_soon(self, job: JobInstance) -> None:
        """Terminate the job in a moment."""
        threading.Timer(0.5, self.bench.jobs.request_stop, [job.id, 5]).start()


@pytest.fixture
def runs(bench: Bench, runtime: Path) -> Runs:
    """Over two hosts of this machine."""
    return Runs(bench, runtime)


def untouched(runs: Runs, job: JobInstance) -> bool:
    """True if all hosts are 403 and nothing was written for a run."""
    (step,) = runs.bench.again(job).steps
    results = runs.bench.jobs.hosts(step.id, 0)
    assert {(item.status, item.error_code, item.start_time) for item in results} == {
        (HostStatus.TERMINATED, 126, None)
    }
    return step.status is RunStatus.STOPPED and not runs.artifacts.exists()


def test_a_step_of_a_job_that_is_stopped_already_does_not_begin(runs: Runs) -> None:
    """Terminated between two steps, or before the first: no connection is made for it."""
    job = runs.bench.job()
    runs.bench.jobs.begin_job(job.id, 1)
    runs.bench.jobs.request_stop(job.id, 5)
    assert runs.runs.run(job.steps[0].id) is RunStatus.STOPPED
    assert untouched(runs, job)


def test_a_step_that_waits_for_the_inventory_is_ended_by_a_stop(runs: Runs) -> None:
    """Nothing has begun, so nothing has to be looked for on a host."""
    runs.bench.hosts.ready = False
    job = runs.bench.job()
    runs.bench.jobs.begin_job(job.id, 1)
    runs.stop_soon(job)
    began = time.monotonic()
    assert runs.runs.run(job.steps[0].id) is RunStatus.STOPPED
    assert time.monotonic() - began < 5
    assert untouched(runs, job)


@pytest.mark.parametrize("held_by", ["inventory", "nothing"])
def test_a_step_that_waits_is_handed_over(runs: Runs, held_by: str) -> None:
    """It stays as it is for the next start."""
    runs.bench.hosts.ready = held_by != "inventory"
    job = runs.bench.job()
    if held_by == "nothing":
        runs.handover.set()
    else:
        threading.Timer(0.3, runs.handover.set).start()
    with pytest.raises(HandedOver):
        runs.runs.run(job.steps[0].id)
    (step,) = runs.bench.again(job).steps
    assert step.status is RunStatus.WAITING
    assert not runs.artifacts.exists()


def test_a_step_whose_job_is_anothers_by_now_writes_nothing(runs: Runs) -> None:
    """A worker that was taken for dead and was not."""
    job = runs.bench.job()
    late = runs.runs.under(Claim(job.id, 1, "late"))
    with pytest.raises(ClaimLost):
        late.run(job.steps[0].id)
    (step,) = runs.bench.again(job).steps
    assert step.status is RunStatus.WAITING


def test_a_step_that_has_ended_is_not_run_again(runs: Runs) -> None:
    """A workflow that is run again after a crash asks for it."""
    job = runs.bench.job()
    runs.bench.jobs.finish_step(job.steps[0].id, RunStatus.FAILED, 1)
    assert runs.runs.run(job.steps[0].id) is RunStatus.FAILED
    assert not runs.artifacts.exists()


def test_a_step_whose_account_is_gone_says_so_for_every_host(runs: Runs) -> None:
    """Deleted after the job was submitted: 399 with the reason, and no retries for minutes."""
    job = runs.bench.job(account_id=7)
    began = time.monotonic()
    assert runs.runs.run(job.steps[0].id) is RunStatus.FAILED
    assert time.monotonic() - began < 5
    step_id = job.steps[0].id
    assert {item.status for item in runs.bench.jobs.hosts(step_id, 0)} == {HostStatus.TASK_ERROR}
    assert b"account ID=7 was deleted" in runs.bench.logs.read(step_id, 0, 1)


def test_hosts_that_left_the_inventory_are_invalid_and_the_others_run(runs: Runs) -> None:
    """Here all are gone: state 2 each, and the step has failed."""
    job = runs.bench.job()
    runs.bench.hosts = type(runs.bench.hosts)([], {"biz_2": []})
    runs.runs.preparation.__dict__["hosts"] = runs.bench.hosts
    assert runs.runs.run(job.steps[0].id) is RunStatus.FAILED
    results = runs.bench.jobs.hosts(job.steps[0].id, 0)
    assert {item.status for item in results} == {HostStatus.INVALID_HOST}


def test_invalid_hosts_of_a_cron_are_never_run(runs: Runs) -> None:
    """State 2 with the reason, though the inventory knows them; a retry ends the same way."""
    job = runs.bench.job()
    (step,) = job.steps
    with runs.bench.engine.begin() as connection:
        connection.execute(sa.update(tables.host_result).values(is_invalid=True))
    assert runs.runs.run(step.id) is RunStatus.FAILED
    results = runs.bench.jobs.hosts(step.id, 0)
    assert {item.status for item in results} == {HostStatus.INVALID_HOST}
    assert b"when the cron launched the job" in runs.bench.logs.read(step.id, 0, 1)
    stored = runs.bench.jobs.step(step.id)
    assert stored is not None
    runs.bench.jobs.finish_job(job.id, RunStatus.FAILED, 1)
    move = move_of(StepOperation.RETRY_ALL, stored)
    assert move is not None
    assert runs.bench.jobs.operate(StepOperation.RETRY_ALL, move, stored, 2)
    assert all(item.host.is_invalid for item in runs.bench.jobs.hosts(step.id, 1))
    assert runs.runs.run(step.id) is RunStatus.FAILED
    assert {item.status for item in runs.bench.jobs.hosts(step.id, 1)} == {HostStatus.INVALID_HOST}


def begun(runs: Runs) -> tuple[JobInstance, Path]:
    """A job whose step the service has begun, and the step's spool."""
    job = runs.bench.job()
    runs.bench.jobs.begin_job(job.id, 1)
    runs.bench.jobs.begin_step(job.steps[0].id, 1)
    spool = runs.artifacts / str(job.id) / str(job.steps[0].id) / "0" / "spool"
    spool.mkdir(parents=True)
    return job, spool


def test_a_step_that_breaks_off_ends_with_its_hosts(runs: Runs) -> None:
    """ABNORMAL; what came of its hosts is taken in, the others are LOG_ERROR with the reason. An audit agrees."""
    job, spool = begun(runs)
    (step,) = job.steps
    ended = {"state": "finished", "exit_code": 0, "log_bytes": 5, "end_time": runs.bench.now}
    (spool / "1.json").write_text(json.dumps(ended))
    (spool / "1.log").write_bytes(b"done\n")
    (spool / "2.log").write_bytes(b"so far\n")
    for _ in range(2):
        runs.runs.break_off(step.id, "the service failed (RuntimeError)")
    one, two = runs.bench.jobs.hosts(step.id, 0)
    assert (one.status, one.exit_code, one.log_kept) == (HostStatus.SUCCESS, 0, 5)
    assert (two.status, two.exit_code, two.log_bytes, two.log_kept) == (HostStatus.LOG_ERROR, None, 7, 7)
    assert runs.bench.logs.read(step.id, 0, 1) == b"done\n"
    so_far, words = runs.bench.logs.read(step.id, 0, 2).decode().splitlines()
    assert so_far == "so far"
    assert words.endswith("] the service failed (RuntimeError)")
    assert runs.bench.jobs.finish_job(job.id, RunStatus.ABNORMAL, runs.bench.now)
    assert runs.bench.again(job).steps[0].status is RunStatus.ABNORMAL
    assert runs.audit().run([job.id]).findings == []


def test_a_step_in_batches_of_files_breaks_off_with_all_of_them(runs: Runs) -> None:
    """What came of a batch is taken in from its own directory; hosts of every batch end."""
    source = FileSource(files=("/a", "/b"), account_id=0, hosts=(ONE,))
    step = StepInstance(
        name="send",
        type=StepType.FILE,
        file=FileTask(sources=(source,), target_path="/tmp/", account_id=0),
        rolling=Rolling(type=RollingType.FILE_SOURCES, max_files=1, sizes=(2, 2)),
        batch=1,
        create_time=1,
    )
    jobs = runs.bench.jobs
    job = jobs.add(JobInstance(scope=SCOPE, create_time=1, steps=(step,)), [(ONE, TWO)])
    (step,) = job.steps
    jobs.begin_job(job.id, 1)
    jobs.begin_step(step.id, 1)
    spool = runs.artifacts / str(job.id) / str(step.id) / "0" / "batch-1" / "spool"
    spool.mkdir(parents=True)
    (spool / "1.json").write_text(json.dumps({"state": "ok", "end_time": runs.bench.now}))
    runs.runs.break_off(step.id, "the service failed (RuntimeError)")
    found = {(item.batch, item.host.bk_host_id): item.status for item in jobs.hosts(step.id, 0)}
    assert found.pop((1, 1)) is HostStatus.SUCCESS
    assert found == dict.fromkeys([(1, 2), (2, 1), (2, 2)], HostStatus.LOG_ERROR)
    assert runs.bench.again(job).steps[0].status is RunStatus.ABNORMAL


def test_hosts_end_also_where_nothing_can_be_said_of_them(runs: Runs) -> None:
    """What broke the step, here a result that cannot be read, breaks the words too."""
    job, spool = begun(runs)
    (spool / "1.json").write_text('{"state": "fini')
    runs.runs.break_off(job.steps[0].id, "the service failed (ValueError)")
    results = runs.bench.jobs.hosts(job.steps[0].id, 0)
    assert {item.status for item in results} == {HostStatus.LOG_ERROR}
    assert all(item.end_time for item in results)
    assert runs.bench.again(job).steps[0].status is RunStatus.ABNORMAL


def test_a_step_that_has_not_begun_does_not_break_off(runs: Runs) -> None:
    """Its hosts were never touched: they wait, as after a step that failed."""
    job = runs.bench.job()
    runs.runs.break_off(job.steps[0].id, "the service failed (RuntimeError)")
    assert runs.bench.again(job) == job
    assert {item.status for item in runs.bench.jobs.hosts(job.steps[0].id, 0)} == {HostStatus.WAITING}
