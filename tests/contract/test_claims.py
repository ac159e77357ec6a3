"""Which worker gets which job, on both databases: once, within limits, fairly, and under a number that fences."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from cryptography.fernet import Fernet

from adapter.job.model import Host, JobInstance, Scope, ScriptTask, StepInstance
from adapter.job.status import HostStatus, RunStatus
from adapter.store.claims import Claim, ClaimLost, ClaimStore, Limits
from adapter.store.database import migrate, open_database
from adapter.store.jobs import JobStore
from adapter.store.logs import LogStore
from adapter.store.secrets import SecretBox
from adapter.store.workers import WorkerRow, WorkerState, WorkerStore
from tests.support.startable import to_start

A, B = Scope("biz", "1"), Scope("biz", "2")
HOST = Host(bk_host_id=1, bk_cloud_id=0, ip="10.0.0.1", name="web1")
MANY = Limits(per_worker=1000, per_scope=1000)


class Bench:
    """Stores on one database."""

    def __init__(self, engine: sa.Engine) -> None:
        self.jobs = JobStore(engine, SecretBox(Fernet.generate_key()))
        self.logs = LogStore(engine)
        self.claims = ClaimStore(engine)
        self.workers = WorkerStore(engine)

    def job(self, scope: Scope = A, callback_url: str | None = None, *, started: bool = True) -> JobInstance:
        """A stored job of one step on one host."""
        step = StepInstance(
            name="s", script=ScriptTask(language=1, content="true", account_id=0), create_time=1
        )
        job = JobInstance(
            scope=scope, steps=(step,), create_time=1, callback_url=callback_url, started=started
        )
        return self.jobs.add(job, [(HOST,)])

    def worker(self) -> WorkerRow:
        """A registered one."""
        return self.workers.register("machine", 1, 16, 1)

    def claimed(self, worker: WorkerRow, limits: Limits = MANY, has: int = 0) -> list[int]:
        """Ids of the jobs it gets now."""
        return [claim.job_instance_id for claim in self.claims.claim(worker.id, limits, has)]


@pytest.fixture
def bench(each_database: str, tmp_path: Path) -> Iterator[Bench]:
    engine = open_database(each_database)
    migrate(engine, tmp_path / "lock")
    yield Bench(engine)
    engine.dispose()


def test_a_job_is_claimed_once_and_only_if_it_was_started(bench: Bench) -> None:
    """In the order of their submission."""
    ids = [bench.job().id for _ in range(3)]
    waits = bench.job(started=False).id
    one, two = bench.worker(), bench.worker()
    assert bench.claims.is_any_left()
    assert bench.claimed(one) == ids
    assert bench.claimed(two) == []
    assert not bench.claims.is_any_left()
    bench.jobs.request_start(waits)
    assert bench.claimed(two) == [waits]


def test_workers_that_claim_at_once_share_without_overlap_and_keep_the_limits(bench: Bench) -> None:
    """Ten threads, a hundred jobs: each once; never more than the total."""
    jobs = {bench.job(A if number % 2 else B).id for number in range(100)}
    limits = Limits(per_worker=9, total=60, per_scope=40)
    workers = [bench.worker() for _ in range(10)]
    got: list[int] = []
    threads = [
        threading.Thread(target=lambda worker=worker: got.extend(bench.claimed(worker, limits)))
        for worker in workers
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(got) == len(set(got)) == 60
    assert set(got) < jobs


def test_a_worker_gets_no_more_than_it_may_run(bench: Bench) -> None:
    """What it has counts."""
    for _ in range(5):
        bench.job()
    assert len(bench.claimed(bench.worker(), Limits(per_worker=4, per_scope=99), has=1)) == 3


def test_no_scope_takes_everything_and_another_has_its_turn_first(bench: Bench) -> None:
    """A hundred jobs of one business leave a quarter of the room; the single job of another does not queue."""
    for _ in range(100):
        bench.job(A)
    worker, limits = bench.worker(), Limits(per_worker=16)
    assert len(bench.claimed(worker, limits)) == 12
    assert bench.claimed(worker, limits, has=12) == []
    single = bench.job(B).id
    assert bench.claimed(worker, limits, has=12) == [single]


def test_what_is_to_be_stopped_needs_no_room(bench: Bench) -> None:
    """A terminate does not wait for a turn."""
    full = Limits(per_worker=1, total=1)
    worker = bench.worker()
    (running,) = ([bench.job().id] and bench.claimed(worker, full, 0)) or [0]
    stopped, waits = bench.job().id, bench.job().id
    assert bench.jobs.request_stop(stopped, 5)
    assert bench.claimed(worker, full, has=1) == [stopped]
    assert to_start(bench.jobs) == [running, stopped, waits]


def test_who_drains_or_was_taken_for_dead_gets_nothing(bench: Bench) -> None:
    """Its jobs are anybody's, under another number, and it can't write about them any more."""
    job = bench.job()
    slow, other = bench.worker(), bench.worker()
    (claim,) = bench.claims.claim(slow.id, MANY, 0)
    late = bench.jobs.under(claim)
    assert late.begin_job(job.id, 5)
    assert bench.workers.take_over(slow, other.id) == 1
    assert bench.workers.take_over(slow, other.id) is None
    assert bench.claimed(slow) == []
    (step,) = job.steps
    results = bench.jobs.hosts(step.id, 0)
    for write in (
        lambda: late.begin_step(step.id, 6),
        lambda: late.finish_step(step.id, RunStatus.FAILED, 6),
        lambda: late.finish_job(job.id, RunStatus.FAILED, 6),
        lambda: late.save_hosts(step.id, 0, [item.evolve(status=HostStatus.FAILED) for item in results]),
        lambda: bench.logs.under(claim).append(step.id, 0, 1, 0, b"late"),
        lambda: bench.logs.under(claim).save_file_logs(step.id, 0, []),
    ):
        with pytest.raises(ClaimLost):
            write()
    assert bench.claimed(other) == [job.id]
    assert bench.jobs.get(job.id) == bench.jobs.under(claim).get(job.id)
    assert bench.jobs.status(job.id) is RunStatus.RUNNING
    assert bench.jobs.hosts(step.id, 0) == results
    assert bench.logs.read(step.id, 0, 1) == b""
    bench.workers.drain(other.id)
    bench.job()
    assert bench.claimed(other) == []


def test_a_worker_that_has_beaten_since_is_not_taken_over(bench: Bench) -> None:
    """Whoever saw its counter stand is told that it moved."""
    slow, other = bench.worker(), bench.worker()
    assert bench.workers.beat(slow.id)
    assert bench.workers.take_over(slow, other.id) is None
    (again,) = [row for row in bench.workers.not_ended() if row.id == slow.id]
    assert bench.workers.take_over(again, other.id) == 0
    assert not bench.workers.beat(slow.id)


def test_of_two_that_take_over_one_wins(bench: Bench) -> None:
    """Each job is given free once."""
    for _ in range(5):
        bench.job()
    dead, *others = (bench.worker() for _ in range(9))
    assert len(bench.claimed(dead)) == 5
    won: list[int | None] = []
    threads = [
        threading.Thread(target=lambda other=other: won.append(bench.workers.take_over(dead, other.id)))
        for other in others
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(number for number in won if number is not None) == [5]


def test_what_is_released_is_anybodys_and_the_old_number_is_worth_nothing(bench: Bench) -> None:
    """Released twice, or after another has it, changes nothing."""
    job = bench.job()
    one, two = bench.worker(), bench.worker()
    (claim,) = bench.claims.claim(one.id, MANY, 0)
    assert bench.claims.of(one.id) == [claim]
    assert bench.claims.release(claim)
    (next_claim,) = bench.claims.claim(two.id, MANY, 0)
    assert next_claim.number > claim.number
    assert not bench.claims.release(claim)
    assert bench.claims.of(two.id) == [next_claim]
    with pytest.raises(ClaimLost):
        bench.jobs.under(claim).finish_job(job.id, RunStatus.FAILED, 1)
    with pytest.raises(ClaimLost):
        bench.jobs.under(Claim(job.id, next_claim.number, one.id)).finish_job(job.id, RunStatus.FAILED, 1)
    assert bench.jobs.under(next_claim).finish_job(job.id, RunStatus.SUCCESS, 1)
    assert bench.claims.of(two.id) == []


def test_a_job_with_a_callback_stays_open_until_that_is_seen_to(bench: Bench) -> None:
    """Its worker may die between the two: whoever comes next gets the finished job."""
    job = bench.job(callback_url="http://x/")
    one, two = bench.worker(), bench.worker()
    (claim,) = bench.claims.claim(one.id, MANY, 0)
    assert bench.jobs.under(claim).finish_job(job.id, RunStatus.SUCCESS, 1)
    assert bench.claimed(two) == []
    bench.workers.leave(one.id)
    (claim,) = bench.claims.claim(two.id, MANY, 0)
    bench.jobs.under(claim).close_job(job.id)
    assert not bench.claims.is_any_left()
    assert to_start(bench.jobs) == []
    assert bench.jobs.status(job.id) is RunStatus.SUCCESS


def test_reports_tell_what_each_worker_has_and_when_it_last_beat(bench: Bench) -> None:
    """By the database's clock; those that ended are kept for a while, and not for ever."""
    one = bench.worker()
    bench.job()
    bench.claimed(one)
    (report,) = bench.workers.reports()
    assert (report.worker.id, report.jobs, report.worker.state) == (one.id, 1, WorkerState.WORKING)
    assert 0 <= report.beat_age < 30
    for _ in range(60):
        bench.workers.take_over(bench.worker(), one.id)
    assert len(bench.workers.reports()) <= 53
    assert one.id in {report.worker.id for report in bench.workers.reports()}


def test_an_end_is_not_before_its_start(bench: Bench) -> None:
    """The clock was set back, or the job went on with a machine whose clock is behind."""
    job = bench.job()
    bench.jobs.begin_job(job.id, 5000)
    bench.jobs.begin_step(job.steps[0].id, 6000)
    bench.jobs.finish_step(job.steps[0].id, RunStatus.SUCCESS, 1000)
    bench.jobs.finish_job(job.id, RunStatus.SUCCESS, 900)
    ended = bench.jobs.get(job.id)
    assert ended is not None
    assert (ended.start_time, ended.end_time, ended.total_time) == (5000, 5000, 0)
    assert (ended.steps[0].end_time, ended.steps[0].total_time) == (6000, 0)
