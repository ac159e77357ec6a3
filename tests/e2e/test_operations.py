"""operate_step_instance on real hosts: what each operation does to a plan, and when it may not (contract e)."""

from __future__ import annotations

import time
from typing import Any

import pytest

from tests.e2e.jobs import Job, Jobs, wait_until
from tests.e2e.operating import operate_step, status_of
from tests.e2e.restarts import wait_for_start
from tests.lab import Lab
from tests.support.service import Service

RETRY_FAILED, IGNORE, CONFIRM, RETRY_ALL, REFUSE, ASK_AGAIN, NEXT, SKIP, NEXT_BATCH = (
    2,
    3,
    6,
    8,
    9,
    10,
    11,
    12,
    13,
)
TEMPLATE = """
scope: {{type: biz, id: "1"}}
templates:
  - name: {name}
    steps:
      - name: first
        script: {{language: 1, content: "{first}", account: root}}
        target: {{host_id_list: [101, 102]}}
{more}
    plans: [{{name: {name}}}]
"""
SECOND = """      - name: second
        script: {language: 1, content: "echo second", account: root}
        target: {host_id_list: [103]}"""
ASK = """      - name: ask
        approval: {message: "sure?", users: [ann, bob]}"""


class Plans:
    """Makes plans and launches them."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._names = iter(f"plan-{time.monotonic_ns()}-{n}" for n in range(1000))

    def launch(self, first: str, *more: str) -> Job:
        """A job whose first step runs this text on 101 and 102."""
        name = next(self._names)
        self._service.apply(TEMPLATE.format(name=name, first=first, more="\n".join(more)))
        plans = self._service.data("get_job_plan_list", bk_biz_id=1, length=1000)["data"]
        (plan_id,) = [plan["id"] for plan in plans if plan["name"] == name]
        launched = self._service.data("execute_job_plan", bk_biz_id=1, job_plan_id=plan_id)
        job_id = launched["job_instance_id"]
        steps = self._service.data("get_job_instance_status", bk_biz_id=1, job_instance_id=job_id)
        return Job(self._service, 1, job_id, steps["step_instance_list"][0]["step_instance_id"])


@pytest.fixture
def plans(service: Service) -> Plans:
    return Plans(service)


def states(job: Job) -> tuple[int, ...]:
    """Of the job and its steps."""
    return _states(status_of(job))


def _states(status: dict[str, Any]) -> tuple[int, ...]:
    return (status["job_instance"]["status"], *(step["status"] for step in status["step_instance_list"]))


def comes_to(job: Job, *wanted: int) -> None:
    status_of(job, until=lambda status: _states(status) == wanted)


def step_ids(job: Job) -> list[int]:
    return [step["step_instance_id"] for step in status_of(job)["step_instance_list"]]


def test_a_failed_step_is_retried_or_ignored(lab: Lab, plans: Plans) -> None:
    """All hosts once more, those that failed, and then none: the job goes on without them."""
    first = "echo $(hostname) $$; test $(hostname) != {bad}"
    bad = lab.exec(lab.hosts_of(1)[1], "hostname").stdout.strip()
    job = plans.launch(first.format(bad=bad), SECOND)
    comes_to(job, 4, 4, 1)
    logs = {host: job.log_now(host) for host in (101, 102)}
    assert operate_step(job, NEXT)["code"] == 1241003
    assert operate_step(job, RETRY_FAILED)["code"] == 0
    comes_to(job, 4, 4, 1)
    again = {host: job.log_now(host) for host in (101, 102)}
    assert again[101] == logs[101], "was not run again"
    assert again[102] != logs[102], "was run again"
    assert operate_step(job, RETRY_ALL)["code"] == 0
    comes_to(job, 4, 4, 1)
    assert job.log_now(101) != logs[101]
    step = status_of(job)["step_instance_list"][0]
    assert (step["execute_count"], [item["status"] for item in step["step_ip_result_list"]]) == (2, [9, 104])
    assert operate_step(job, IGNORE)["code"] == 0
    comes_to(job, 3, 6, 3)
    assert operate_step(job, RETRY_ALL)["code"] == 1241003


def test_a_terminated_job_goes_on_with_its_next_step(lab: Lab, plans: Plans) -> None:
    """The step that was ended reads skipped."""
    job = plans.launch("sleep 60", SECOND)
    comes_to(job, 2, 2, 1)
    wait_until(
        lambda: status_of(job)["step_instance_list"][0]["step_ip_result_list"][0]["status"] == 7, "a host"
    )
    operate = job.service.call("operate_job_instance", bk_biz_id=1, job_instance_id=job.id, operation_code=1)
    assert operate["code"] == 0
    comes_to(job, 11, 11, 1)
    assert operate_step(job, NEXT)["code"] == 0
    comes_to(job, 3, 5, 3)


def test_a_step_that_does_not_stop_is_skipped(lab: Lab, plans: Plans) -> None:
    """Its hosts read 500, and the job goes on at once, though the host still holds out."""
    mark = f"mark-{time.monotonic_ns()}"
    job = plans.launch(f"echo start >> ~/{mark}; sleep 60", SECOND)
    hosts = lab.hosts_of(1)[:2]
    wait_for_start(lab, hosts, mark)
    for host in hosts:
        lab.cut(host)
    try:
        operate = job.service.call(
            "operate_job_instance", bk_biz_id=1, job_instance_id=job.id, operation_code=1
        )
        assert operate["code"] == 0
        comes_to(job, 10, 10, 1)
        assert operate_step(job, RETRY_ALL)["code"] == 1241003
        assert operate_step(job, SKIP)["code"] == 0
        comes_to(job, 3, 5, 3)
        first = status_of(job)["step_instance_list"][0]
        assert [item["status"] for item in first["step_ip_result_list"]] == [500, 500]
    finally:
        for host in hosts:
            lab.mend(host)


def test_an_approval(plans: Plans) -> None:
    """Waits; others than those it asks are told so; refused, asked again, confirmed."""
    job = plans.launch("echo first", ASK, SECOND)
    comes_to(job, 7, 3, 7, 1)
    first, ask, _ = step_ids(job)
    stranger = operate_step(job, CONFIRM, ask)
    assert (stranger["code"], "ann, bob" in stranger["message"]) == (1244016, True), stranger
    for step_id, code in ((first, CONFIRM), (ask, RETRY_ALL), (ask, NEXT_BATCH), (ask, ASK_AGAIN)):
        assert operate_step(job, code, step_id)["code"] == 1241003
    assert operate_step(job, REFUSE, ask, user="ann")["code"] == 0
    assert states(job) == (13, 3, 13, 1)
    assert operate_step(job, ASK_AGAIN, ask, user="bob")["code"] == 0
    assert states(job) == (7, 3, 7, 1)
    assert operate_step(job, CONFIRM, ask, user="bob")["code"] == 0
    comes_to(job, 3, 3, 3, 3)
    assert operate_step(job, CONFIRM, ask, user="bob")["code"] == 1241003


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"operation_code": 4}, 1241002),
        ({"operation_code": None}, 1241002),
        ({"operation_code": 0}, 1241002),
        ({"step_instance_id": 0}, 1241002),
        ({"job_instance_id": None}, 1241002),
        ({"step_instance_id": 2**62}, 1244007),
        ({"job_instance_id": 2**62}, 1244006),
        ({"bk_biz_id": 2}, 1244006),
    ],
)
def test_operations_that_cannot_be(jobs: Jobs, changes: dict[str, Any], code: int) -> None:
    """JOB's code; nothing has changed."""
    job = jobs.script("exit 1", 101)
    assert job.status == 4
    body = {"bk_biz_id": 1, "job_instance_id": job.id, "step_instance_id": job.step_id, "operation_code": 8}
    assert job.service.call("operate_step_instance", **{**body, **changes})["code"] == code
    assert states(job) == (4, 4)
