"""What the store promises of operations: each happens whole or not at all; of two at once one does (contract e)."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest
import sqlalchemy as sa

from adapter.job.model import Approval, Host, HostResult, JobInstance, Scope, ScriptTask, StepInstance
from adapter.job.operations import StepOperation, move_of
from adapter.job.rolling import Rolling
from adapter.job.status import HostStatus, RunStatus, StepType, TaskType
from adapter.store import tables
from adapter.store.claims import ClaimLost, ClaimStore, Limits
from adapter.store.jobs import JobStore
from adapter.store.workers import WorkerStore

HOSTS = tuple(Host(bk_host_id=n, bk_cloud_id=0, ip=f"10.0.0.{n}", name=f"h{n}") for n in (1, 2, 3, 4))
S, H = RunStatus, HostStatus


def script_step(**changes: object) -> StepInstance:
    task = ScriptTask(language=1, content="echo", account_id=7)
    return replace(StepInstance(name="run", script=task, create_time=100), **changes)  # type: ignore[arg-type]


def approval_step() -> StepInstance:
    approval = Approval(message="sure?", users=("ann",))
    return StepInstance(name="ask", type=StepType.APPROVAL, approval=approval, create_time=100)


def begun(jobs: JobStore, *steps: StepInstance) -> JobInstance:
    """A job that runs, as its first step does."""
    job = JobInstance(scope=Scope("biz", "2"), type=TaskType.PLAN, create_time=100, steps=steps)
    stored = jobs.add(job, [() if step.approval else HOSTS for step in steps])
    jobs.begin_job(stored.id, 200)
    jobs.begin_step(stored.steps[0].id, 210)
    return again(jobs, stored)


def again(jobs: JobStore, job: JobInstance) -> JobInstance:
    found = jobs.get(job.id)
    assert found is not None
    return found


def ended(jobs: JobStore, job: JobInstance, *statuses: HostStatus, step: RunStatus = S.FAILED) -> JobInstance:
    """The job, its first step and its hosts, each with a log of `kept` bytes, as they ended."""
    (first, *_) = job.steps
    results = jobs.hosts(first.id, first.execute_count)
    jobs.save_hosts(
        first.id,
        first.execute_count,
        [
            replace(item, status=status, start_time=220, end_time=230, exit_code=1, log_bytes=5, log_kept=5)
            for item, status in zip(results, statuses, strict=False)
        ],
    )
    if step.is_finished:
        jobs.finish_step(first.id, step, 240)
        jobs.finish_job(job.id, step, 250)
    return again(jobs, job)


def operate(
    jobs: JobStore, operation: StepOperation, job: JobInstance, now_ms: int = 300, step: int = 0
) -> bool:
    move = move_of(operation, job.steps[step])
    assert move is not None
    return jobs.operate(operation, move, job.steps[step], now_ms)


def states(results: tuple[HostResult, ...]) -> list[tuple[HostStatus, int]]:
    return [(item.status, item.executed_in) for item in results]


def is_open(engine: sa.Engine, job: JobInstance) -> bool:
    with engine.begin() as connection:
        found = connection.scalar(
            sa.select(tables.job_instance.c.open).where(tables.job_instance.c.id == job.id)
        )
    return bool(found)


def test_a_retry_runs_the_hosts_that_failed_again(jobs: JobStore, engine: sa.Engine) -> None:
    """The good ones keep what they have; the earlier execution is kept whole; times begin anew."""
    job = ended(jobs, begun(jobs, script_step()), H.SUCCESS, H.NON_ZERO_EXIT, H.AGENT_ABNORMAL, H.SUCCESS)
    (before,) = job.steps
    assert not is_open(engine, job)
    assert operate(jobs, StepOperation.RETRY_FAILED, job)
    job = again(jobs, job)
    (step,) = job.steps
    assert (job.status, job.start_time, job.end_time) == (S.RUNNING, 200, None)
    assert (step.status, step.execute_count, step.start_time, step.end_time) == (S.WAITING, 1, None, None)
    results = jobs.hosts(step.id, 1)
    assert states(results) == [(H.SUCCESS, 0), (H.WAITING, 1), (H.WAITING, 1), (H.SUCCESS, 0)]
    assert results[0] == jobs.hosts(step.id, 0)[0]
    assert (results[1].exit_code, results[1].start_time, results[1].log_bytes) == (None, None, 0)
    assert states(jobs.hosts(step.id, 0)) == [
        (s, 0) for s in (H.SUCCESS, H.NON_ZERO_EXIT, H.AGENT_ABNORMAL, H.SUCCESS)
    ]
    assert is_open(engine, job)
    assert not operate(jobs, StepOperation.RETRY_FAILED, replace(job, steps=(before,)))
    assert len(jobs.hosts(step.id, 2)) == 0


def test_a_retry_of_all_runs_all_again(jobs: JobStore) -> None:
    """Twice, as each execution ends."""
    job = ended(jobs, begun(jobs, script_step()), H.SUCCESS, H.NON_ZERO_EXIT, H.SUCCESS, H.SUCCESS)
    assert operate(jobs, StepOperation.RETRY_ALL, job)
    assert states(jobs.hosts(job.steps[0].id, 1)) == [(H.WAITING, 1)] * 4
    jobs.begin_step(job.steps[0].id, 310)
    job = ended(jobs, again(jobs, job), H.NON_ZERO_EXIT, H.SUCCESS, H.SUCCESS, H.SUCCESS)
    assert operate(jobs, StepOperation.RETRY_FAILED, job)
    assert states(jobs.hosts(job.steps[0].id, 2)) == [(H.WAITING, 2), *[(H.SUCCESS, 1)] * 3]


@pytest.mark.parametrize(
    ("operation", "step", "step_after"),
    [
        (StepOperation.IGNORE_ERROR, S.FAILED, S.IGNORED),
        (StepOperation.NEXT_STEP, S.STOPPED, S.SKIPPED),
    ],
)
def test_a_job_goes_on_after_a_step(
    jobs: JobStore, engine: sa.Engine, operation: StepOperation, step: RunStatus, step_after: RunStatus
) -> None:
    """The step keeps its times, the hosts keep everything, and the engine has the job again."""
    job = ended(jobs, begun(jobs, script_step(), script_step(order=1)), *[H.NON_ZERO_EXIT] * 4, step=step)
    assert operate(jobs, operation, job)
    job = again(jobs, job)
    assert (job.status, job.end_time, is_open(engine, job)) == (S.RUNNING, None, True)
    assert [(one.status, one.end_time) for one in job.steps] == [(step_after, 240), (S.WAITING, None)]
    assert states(jobs.hosts(job.steps[0].id, 0)) == [(H.NON_ZERO_EXIT, 0)] * 4


def test_a_step_that_will_not_stop_is_skipped(jobs: JobStore) -> None:
    """Its unfinished hosts read 500, the others keep what they have."""
    job = ended(jobs, begun(jobs, script_step()), H.SUCCESS, H.RUNNING, step=S.RUNNING)
    assert jobs.request_stop(job.id, 260)
    job = again(jobs, job)
    assert (job.status, job.steps[0].status) == (S.STOPPING, S.STOPPING)
    assert operate(jobs, StepOperation.FORCE_SKIP, job)
    job = again(jobs, job)
    assert (job.status, job.steps[0].status, job.steps[0].end_time) == (S.RUNNING, S.SKIPPED, 300)
    results = jobs.hosts(job.steps[0].id, 0)
    assert [item.status for item in results] == [H.SUCCESS, *[H.SKIPPED_UNKNOWN] * 3]
    assert {item.end_time for item in results[2:]} == {300}


def test_an_approval(jobs: JobStore, engine: sa.Engine) -> None:
    """Waits as nobody's job; refused, asked again, and granted."""
    job = begun(jobs, script_step(), approval_step(), script_step(order=2))
    jobs.finish_step(job.steps[0].id, S.SUCCESS, 240)
    assert jobs.wait_for_operator(job.steps[1], 245)
    job = again(jobs, job)
    assert (job.status, job.steps[1].status, job.steps[1].start_time) == (S.WAITING_USER, S.WAITING_USER, 245)
    assert not is_open(engine, job)
    assert operate(jobs, StepOperation.CONFIRM_TERMINATE, job, step=1)
    refused = again(jobs, job)
    assert (refused.status, refused.end_time, refused.steps[1].status) == (
        S.CONFIRM_TERMINATED,
        300,
        S.CONFIRM_TERMINATED,
    )
    assert not is_open(engine, job)
    assert not operate(jobs, StepOperation.CONFIRM, refused, step=1)
    assert operate(jobs, StepOperation.RECONFIRM, refused, step=1)
    job = again(jobs, job)
    assert (job.status, job.end_time, job.steps[1].status, job.steps[1].end_time) == (
        S.WAITING_USER,
        None,
        S.WAITING_USER,
        None,
    )
    assert not is_open(engine, job)
    assert operate(jobs, StepOperation.CONFIRM, job, 400, step=1)
    job = again(jobs, job)
    assert (job.status, job.steps[1].status, job.steps[1].end_time) == (S.RUNNING, S.SUCCESS, 400)
    assert is_open(engine, job)


def test_a_job_that_waits_is_terminated(jobs: JobStore, engine: sa.Engine) -> None:
    """Its step at once; the job once a worker sees to it."""
    job = begun(jobs, script_step(), approval_step())
    jobs.finish_step(job.steps[0].id, S.SUCCESS, 240)
    jobs.wait_for_operator(job.steps[1], 245)
    assert jobs.request_stop(job.id, 260)
    job = again(jobs, job)
    assert (job.status, job.steps[1].status, job.steps[1].end_time) == (S.STOPPING, S.STOPPED, 260)
    assert is_open(engine, job)
    assert not jobs.wait_for_operator(job.steps[1], 270)


def rolling_job(jobs: JobStore) -> JobInstance:
    rolling = Rolling(expression="1 2", sizes=(1, 2, 1))
    return begun(jobs, script_step(rolling=rolling, batch=1))


def test_a_batch_is_retried_alone(jobs: JobStore) -> None:
    """The hosts of later batches wait as before, those of earlier ones are done with."""
    job = rolling_job(jobs)
    (step,) = job.steps
    assert step.rolling == Rolling(expression="1 2", sizes=(1, 2, 1))
    assert [item.batch for item in jobs.hosts(step.id, 0)] == [1, 2, 2, 3]
    assert jobs.open_batch(step.id, 2)
    assert not jobs.open_batch(step.id, 2)
    job = ended(jobs, job, H.NON_ZERO_EXIT, H.SUCCESS, H.NON_ZERO_EXIT)
    assert operate(jobs, StepOperation.RETRY_ALL, job)
    assert states(jobs.hosts(step.id, 1)) == [(H.NON_ZERO_EXIT, 0), *[(H.WAITING, 1)] * 3]
    assert (again(jobs, job).steps[0].batch, again(jobs, job).steps[0].execute_count) == (2, 1)


def test_the_error_of_a_batch_is_ignored(jobs: JobStore) -> None:
    """The step goes on with the next, and keeps its start."""
    job = ended(jobs, rolling_job(jobs), H.NON_ZERO_EXIT)
    assert operate(jobs, StepOperation.IGNORE_ERROR, job)
    (step,) = again(jobs, job).steps
    assert (step.status, step.batch, step.start_time, step.end_time) == (S.WAITING, 2, 210, None)
    jobs.begin_step(step.id, 900)
    assert again(jobs, job).steps[0].start_time == 210


def test_a_batch_waits_for_an_operator(jobs: JobStore) -> None:
    """Who goes on with the next; terminated instead, hosts that had no turn read 403."""
    job = rolling_job(jobs)
    assert jobs.wait_for_operator(job.steps[0], 245)
    job = again(jobs, job)
    assert operate(jobs, StepOperation.NEXT_BATCH, job)
    (step,) = again(jobs, job).steps
    assert (step.status, step.batch) == (S.WAITING, 2)
    assert not operate(jobs, StepOperation.NEXT_BATCH, job), "it waits no longer"
    jobs.begin_step(step.id, 310)
    jobs.wait_for_operator(step, 320)
    assert jobs.request_stop(job.id, 330)
    results = jobs.hosts(step.id, 0)
    assert {(item.status, item.error_code, item.end_time) for item in results} == {(H.TERMINATED, 126, 330)}


def test_of_two_operations_at_once_one_happens(jobs: JobStore) -> None:
    """Whatever their order."""
    operations = (StepOperation.RETRY_FAILED, StepOperation.IGNORE_ERROR, StepOperation.RETRY_ALL) * 2
    for _ in range(5):
        job = ended(jobs, begun(jobs, script_step()), *[H.NON_ZERO_EXIT] * 4)
        told: list[bool] = []
        gate = threading.Barrier(len(operations))

        def ask(operation: StepOperation, job: JobInstance = job, gate: threading.Barrier = gate) -> None:
            gate.wait()
            told.append(operate(jobs, operation, job))  # noqa: B023 read at once

        threads = [threading.Thread(target=ask, args=(operation,)) for operation in operations]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(told) == [False] * (len(operations) - 1) + [True]
        assert again(jobs, job).steps[0].execute_count <= 1


def test_an_operation_takes_the_job_from_its_worker(jobs: JobStore, engine: sa.Engine) -> None:
    """What that still wants to write of the job's end finds its claim gone; the next claim has the job."""
    workers = WorkerStore(engine)
    worker_id = workers.register("h", 1, 4, 1).id
    claims = ClaimStore(engine)
    stored = jobs.add(JobInstance(scope=Scope("biz", "2"), create_time=100, steps=(script_step(),)), [HOSTS])
    (claim,) = claims.claim(worker_id, Limits(per_worker=4), 0)
    mine = jobs.under(claim)
    mine.begin_job(stored.id, 200)
    mine.begin_step(stored.steps[0].id, 210)
    mine.finish_step(stored.steps[0].id, S.FAILED, 240)
    job = again(jobs, stored)
    assert (job.status, job.steps[0].status) == (S.RUNNING, S.FAILED)
    assert operate(jobs, StepOperation.RETRY_ALL, job)
    with pytest.raises(ClaimLost):
        mine.finish_job(stored.id, S.FAILED, 250)
    assert not claims.release(claim)
    (after,) = claims.claim(worker_id, Limits(per_worker=4), 0)
    assert after.number > claim.number
