"""What the numbers of changes promise, on SQLite and PostgreSQL: in order of commit, none missed, read in pages."""

from __future__ import annotations

import threading

import pytest
import sqlalchemy as sa

from adapter.job.model import (
    FileSource,
    FileTask,
    Host,
    HostResult,
    JobInstance,
    Scope,
    ScriptTask,
    StepInstance,
)
from adapter.job.rolling import Rolling, RollingType
from adapter.job.status import HostStatus, RunStatus, StepType
from adapter.store.changes import Change, JobChanges, after
from adapter.store.jobs import JobStore

NOTHING = -1


@pytest.fixture
def changes(engine: sa.Engine) -> JobChanges:
    return JobChanges(engine)


def hosts(count: int) -> tuple[Host, ...]:
    return tuple(Host(bk_host_id=i, bk_cloud_id=0, ip="", name=f"h{i}") for i in range(1, count + 1))


def a_job(jobs: JobStore, *counts: int) -> JobInstance:
    """A job with a step for each number of hosts."""
    task = ScriptTask(language=1, content="echo", account_id=7)
    steps = tuple(StepInstance(name="run", order=i, script=task, create_time=1) for i in range(len(counts)))
    job = JobInstance(scope=Scope("biz", "2"), create_time=1, steps=steps)
    return jobs.add(job, [hosts(count) for count in counts])


def read(changes: JobChanges, job: JobInstance, since: int, limit: int = 3) -> list[Change]:
    """Everything after a number, page by page."""
    upto, place = changes.last(job.id), after(since)
    found: list[Change] = []
    assert upto is not None
    while page := changes.page(job.id, place, upto, limit):
        assert len(page) <= limit
        found += page
        place = page[-1].place
    return found


def words(found: list[Change]) -> list[tuple[int, str, int]]:
    """Number, what changed, its state."""
    told = []
    for change in found:
        if change.job:
            told.append((change.number, "job", int(change.job.status)))
        elif change.step:
            told.append((change.number, f"step {change.step.order}", int(change.step.status)))
        elif change.host:
            host = change.host.result
            told.append((change.number, f"host {host.host.bk_host_id}", int(host.status)))
    return told


def ran(jobs: JobStore, step_id: int, status: HostStatus, *ids: int) -> None:
    """Save hosts with a state."""
    wanted = [HostResult(host=host, status=status) for host in hosts(max(ids)) if host.bk_host_id in ids]
    jobs.save_hosts(step_id, 0, wanted)


def test_a_new_job_is_its_whole_present_state(jobs: JobStore, changes: JobChanges) -> None:
    """Number 0, in order: the job, its steps, the hosts of each."""
    job = a_job(jobs, 3, 1)
    assert changes.last(job.id) == 0
    assert [(number, what) for number, what, _ in words(read(changes, job, NOTHING))] == [
        (0, "job"), (0, "step 0"), (0, "step 1"), (0, "host 1"), (0, "host 2"), (0, "host 3"), (0, "host 1"),
    ]  # fmt: skip
    assert read(changes, job, 0) == []
    assert [(c.number, c.job is None, c.step is None) for c in changes.head(job.id)] == [
        (0, False, True), (0, True, False), (0, True, False),
    ]  # fmt: skip


def test_a_life_is_numbered_in_order(jobs: JobStore, changes: JobChanges) -> None:
    """Each write is one number; whoever knows one gets what changed since, as it is now, once."""
    job = a_job(jobs, 2)
    step = job.steps[0].id
    jobs.begin_job(job.id, 5)
    jobs.begin_step(step, 6)
    ran(jobs, step, HostStatus.RUNNING, 1, 2)
    ran(jobs, step, HostStatus.SUCCESS, 1)
    assert words(read(changes, job, NOTHING)) == [
        (1, "job", 2),
        (2, "step 0", 2),
        (3, "host 2", 7),
        (4, "host 1", 9),
    ]
    assert words(read(changes, job, 3)) == [(4, "host 1", 9)]
    assert jobs.request_stop(job.id, 5)
    assert words(read(changes, job, 4)) == [(5, "job", 10), (5, "step 0", 10)]
    ran(jobs, step, HostStatus.TERMINATED, 2)
    jobs.finish_step(step, RunStatus.STOPPED, 9)
    jobs.finish_job(job.id, RunStatus.FAILED, 10)
    assert words(read(changes, job, 5)) == [(6, "host 2", 403), (7, "step 0", 11), (8, "job", 11)]
    assert changes.last(job.id) == 8


def test_a_write_that_changes_nothing_is_no_change(jobs: JobStore, changes: JobChanges) -> None:
    """A late "running" of a finished host, a second end, a stop that comes too late."""
    job = a_job(jobs, 1)
    step = job.steps[0].id
    ran(jobs, step, HostStatus.SUCCESS, 1)
    jobs.finish_step(step, RunStatus.SUCCESS, 9)
    jobs.finish_job(job.id, RunStatus.SUCCESS, 9)
    known = changes.last(job.id)
    assert known is not None
    ran(jobs, step, HostStatus.RUNNING, 1)
    assert not jobs.finish_step(step, RunStatus.FAILED, 10)
    assert not jobs.finish_job(job.id, RunStatus.FAILED, 10)
    assert not jobs.request_stop(job.id, 5)
    jobs.save_hosts(step, 0, [])
    assert read(changes, job, known) == []


def test_other_jobs_are_nobodys_changes(jobs: JobStore, changes: JobChanges) -> None:
    """Numbers are each job's own; a job that is not there has none."""
    job, other = a_job(jobs, 1), a_job(jobs, 1)
    jobs.begin_job(other.id, 5)
    assert changes.last(job.id) == 0
    assert changes.last(other.id + 1) is None
    assert changes.head(other.id + 1) == ()


def test_a_reader_misses_nothing_however_many_write(
    jobs: JobStore, changes: JobChanges, engine: sa.Engine
) -> None:
    """Two writers of hosts and a stop at once: a reader that only ever asks for "since" ends with all there is.

    It fails if a number could be read before a lower one is committed.
    """
    job = a_job(jobs, 20, 20)
    jobs.begin_job(job.id, 1)
    for step in job.steps:
        jobs.begin_step(step.id, 1)

    def write(step_id: int) -> None:
        for host in range(1, 21):
            ran(jobs, step_id, HostStatus.RUNNING, host)
            ran(jobs, step_id, HostStatus.SUCCESS, host)

    def stop() -> None:
        assert jobs.request_stop(job.id, 5)
        for step in job.steps:
            jobs.finish_step(step.id, RunStatus.STOPPED, 9)

    writers = [threading.Thread(target=write, args=(step.id,)) for step in job.steps]
    writers.append(threading.Thread(target=stop))
    for writer in writers:
        writer.start()
    mirror: dict[str, int] = {}
    known, is_last_look = NOTHING, False
    while True:
        upto = changes.last(job.id)
        assert upto is not None
        place = after(known)
        while page := changes.page(job.id, place, upto, 7):
            for change, (_, what, status) in zip(page, words(list(page)), strict=True):
                key = f"{change.host.step_instance_id if change.host else ''} {what}"
                mirror[key] = status
            place = page[-1].place
        known = upto
        if is_last_look:
            break
        is_last_look = not any(writer.is_alive() for writer in writers)
    found = read(changes, job, NOTHING, 100)
    for change, (_, what, status) in zip(found, words(found), strict=True):
        key = f"{change.host.step_instance_id if change.host else ''} {what}"
        assert mirror[key] == status, key
    assert len(mirror) == len(found) == 43
    # 2 hosts' writers, 3 beginnings, a stop, 2 ends: a number each
    assert changes.last(job.id) == 2 * 40 + 3 + 1 + 2


def test_a_host_of_several_batches_is_told_of_each(jobs: JobStore, changes: JobChanges) -> None:
    """Pages that end between two of its rows lose none, and what is saved of one batch is of that alone."""
    source = FileSource(files=("/a", "/b"), account_id=7, hosts=hosts(1))
    step = StepInstance(
        name="send",
        type=StepType.FILE,
        file=FileTask(sources=(source,), target_path="/tmp/", account_id=7),
        rolling=Rolling(type=RollingType.FILE_SOURCES, max_files=1, sizes=(3, 3)),
        batch=1,
        create_time=1,
    )
    job = jobs.add(JobInstance(scope=Scope("biz", "2"), create_time=1, steps=(step,)), [hosts(3)])
    (step,) = job.steps
    for limit in (1, 2, 3, 4, 100):
        told = [
            (change.host.result.host.bk_host_id, change.host.result.batch)
            for change in read(changes, job, NOTHING, limit)
            if change.host
        ]
        assert told == [(1, 1), (1, 2), (2, 1), (2, 2), (3, 1), (3, 2)], limit
    ended = [HostResult(host=host, status=HostStatus.SUCCESS, batch=1) for host in hosts(2)]
    jobs.save_hosts(step.id, 0, ended)
    found = {(item.host.bk_host_id, item.batch): item.status for item in jobs.hosts(step.id, 0)}
    assert [key for key, status in found.items() if status is HostStatus.SUCCESS] == [(1, 1), (2, 1)]
    now = jobs.host(step.id, 0, 1)
    assert now is not None
    assert now.batch == 2, "the first that has not ended"
