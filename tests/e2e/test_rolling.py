"""rolling_config on real hosts: batch after batch, in each mode, and what operators do about it (contract e)."""

from __future__ import annotations

import time
from itertools import pairwise
from typing import Any

import pytest

from tests.e2e.jobs import Job, Jobs, wait_until
from tests.e2e.operating import operate_step, status_of
from tests.lab import Lab, LabHost
from tests.support.audits import agrees

RETRY_FAILED, IGNORE, RETRY_ALL, NEXT_BATCH = 2, 3, 8, 13
PAUSE, GO_ON, MANUAL = 1, 2, 3
#: Succeeds where a file is, and says when it ran.
NEEDS_FILE = 'date +%s.%N; echo "ran $(hostname)"; test -e /tmp/{name}'


@pytest.fixture
def allow(lab: Lab, request: pytest.FixtureRequest) -> Any:
    """allow(hosts): scripts of this test succeed there from now on."""
    name = f"allowed-{request.node.name.replace('[', '-').replace(']', '')}-{time.monotonic_ns()}"

    def on(*hosts: LabHost) -> str:
        for host in hosts:
            lab.exec(host, f"touch /tmp/{name}")
        return NEEDS_FILE.format(name=name)

    return on


def rolled(jobs: Jobs, text: str, *, mode: int, expression: str = "1", **fields: Any) -> Job:
    return jobs.script(text, 101, 102, 103, rolling_config={"mode": mode, "expression": expression, **fields})


def test_batches_follow_each_other(lab: Lab, jobs: Jobs) -> None:
    """No host begins before those of the batch before have ended."""
    job = rolled(jobs, "date +%s.%N; sleep 1; date +%s.%N", mode=PAUSE).succeeded()
    times = [[float(line) for line in job.log(host).split()] for host in (101, 102, 103)]
    assert times == sorted(times), times
    assert all(ended <= began for (_, ended), (began, _) in pairwise(times)), times


def test_a_failure_stops_the_batches(lab: Lab, jobs: Jobs, allow: Any) -> None:
    """Retried, that batch runs again and the others follow; hosts that were good do not run again."""
    first, second, third = lab.hosts_of(1)
    job = rolled(jobs, allow(first, third), mode=PAUSE)
    assert job.status == 4
    assert [job.statuses[host] for host in (101, 102, 103)] == [9, 104, 5]
    before = job.log(101)
    allow(second)
    assert operate_step(job, RETRY_FAILED)["code"] == 0
    status = status_of(job, until=lambda status: status["finished"])
    (step,) = status["step_instance_list"]
    assert (status["job_instance"]["status"], step["status"], step["execute_count"]) == (3, 3, 1)
    assert [result["status"] for result in step["step_ip_result_list"]] == [9, 9, 9]
    assert job.log_now(101) == before
    assert job.log_now(102).count("ran") == 1


def test_failures_are_ignored(lab: Lab, jobs: Jobs, allow: Any) -> None:
    """Every batch runs; the step ends as its last batch does."""
    _, second, third = lab.hosts_of(1)
    job = rolled(jobs, allow(second, third), mode=GO_ON)
    assert job.status == 3
    assert [job.statuses[host] for host in (101, 102, 103)] == [104, 9, 9]


def test_batches_by_hand(lab: Lab, jobs: Jobs, allow: Any) -> None:
    """Each waits for an operator; one that failed can be ignored."""
    first, _, third = lab.hosts_of(1)
    job = rolled(jobs, allow(first, third), mode=MANUAL)
    waiting = status_of(job, until=lambda status: status["job_instance"]["status"] == 7)
    (step,) = waiting["step_instance_list"]
    assert (waiting["finished"], step["status"]) == (False, 7)
    assert [result["status"] for result in step["step_ip_result_list"]] == [9, 5, 5]
    assert operate_step(job, RETRY_ALL)["code"] == 1241003
    assert operate_step(job, NEXT_BATCH)["code"] == 0
    status_of(job, until=lambda status: status["job_instance"]["status"] == 4)
    assert operate_step(job, NEXT_BATCH)["code"] == 1241003
    assert operate_step(job, IGNORE)["code"] == 0
    job.succeeded()
    assert [job.statuses[host] for host in (101, 102, 103)] == [9, 104, 9]


def test_batches_by_the_clock(lab: Lab, jobs: Jobs) -> None:
    """They begin while those before still run."""
    waits: Any = {
        "execution_mode": 2,
        "batch_start_wait_fixed_ms": 1000,
        "batch_start_wait_random_min_ms": 0,
        "batch_start_wait_random_max_ms": 100,
    }
    job = rolled(jobs, "date +%s.%N; sleep 8; date +%s.%N", mode=PAUSE, **waits).succeeded()
    times = [[float(line) for line in job.log(host).split()] for host in (101, 102, 103)]
    begins = [began for began, _ in times]
    assert all(after - before > 0.9 for before, after in pairwise(begins)), times
    assert begins[2] < times[0][1], "the last had begun before the first ended"


def test_a_rolling_job_is_terminated(lab: Lab, jobs: Jobs) -> None:
    """While a batch runs, and while one waits: hosts that had no turn read 403 too."""
    running = rolled(jobs, "sleep 60", mode=PAUSE)
    waiting = rolled(jobs, "true", mode=MANUAL)
    wait_until(lambda: _statuses(running)[0] == 7, "the first host to run")
    status_of(waiting, until=lambda status: status["job_instance"]["status"] == 7)
    for job in (running, waiting):
        call = job.service.call("operate_job_instance", bk_biz_id=1, job_instance_id=job.id, operation_code=1)
        assert call["code"] == 0
    assert (running.status, waiting.status) == (11, 11)
    assert [running.statuses[host] for host in (101, 102, 103)] == [403, 403, 403]
    assert [waiting.statuses[host] for host in (101, 102, 103)] == [9, 403, 403]
    steps = [job.end["step_instance_list"][0]["status"] for job in (running, waiting)]
    assert steps == [11, 11]
    agrees(running.service.data_dir, lab.inventory)


def _statuses(job: Job) -> list[int]:
    (step,) = status_of(job)["step_instance_list"]
    return [result["status"] for result in step["step_ip_result_list"]]
