"""Rules of the contract that no other test shows: orders of checks, limits, steps that ask, batches."""

from __future__ import annotations

import base64
from dataclasses import replace
from typing import Any

import pytest

from adapter.api.apis import V2, V3
from adapter.api.schemas_v3 import MAX_SCRIPT_BYTES
from adapter.job.model import Approval, StepInstance
from adapter.job.operations import StepOperation
from adapter.job.rolling import Rolling
from adapter.job.status import RunStatus, StepType

from .bodies import v2, v3
from .conftest import World
from .jobs import JOB, RESULTS, SCRIPT_STEP, T0, data_of

ASK = StepInstance(
    id=202,
    job_instance_id=100,
    order=2,
    name="Ask",
    type=StepType.APPROVAL,
    status=RunStatus.WAITING_USER,
    approval=Approval(message="sure?", users=("admin",)),
    create_time=T0,
)


def test_the_order_of_checks_of_a_transfer(world: World) -> None:
    """Path, account, target, the list of sources, rolling, each source."""
    source = v3("fast_transfer_file")["file_source_list"][0]
    mistakes: list[tuple[dict[str, Any], int, str]] = [
        ({"timeout": 0}, 1240003, "timeout"),
        ({"file_target_path": "x"}, 1241007, "[file_target_path]"),
        ({"account_alias": ""}, 1241004, "[account_id|account_alias]"),
        ({"target_server": {}}, 1241004, "[target_server]"),
        ({"rolling_config": {"expression": "x"}}, 1244026, '"x"'),
        ({"file_source_list": [{**source, "account": None}]}, 1241004, "[file_source.account]"),
    ]
    for first, (_, code, words) in enumerate(mistakes):
        changes = {name: value for change, _, _ in mistakes[first:] for name, value in change.items()}
        if first < 4:
            changes["file_source_list"] = []
        reply = world.job.v3("fast_transfer_file", v3("fast_transfer_file", **changes))
        assert (reply["code"], words in reply["message"]) == (code, True), reply
    changes = {"file_source_list": [], "rolling_config": {"expression": "x"}}
    reply = world.job.v3("fast_transfer_file", v3("fast_transfer_file", **changes))
    assert (reply["code"], "[file_source_list]" in reply["message"]) == (1241004, True)
    assert world.launch.commands == []


@pytest.mark.parametrize(("version", "name"), [(v3, "fast_execute_script"), (v2, "fast_execute_script")])
def test_the_size_of_scripts(version: Any, name: str) -> None:
    """As much as a MEDIUMTEXT holds; looked at where the field is read, as such a body is beyond a test's limit."""
    schema = (V3 if version is v3 else V2)[name].schema()
    field = schema.fields["script_content"]
    fits = base64.b64encode(b"x" * MAX_SCRIPT_BYTES).decode()
    assert len(field.deserialize(fits)) == MAX_SCRIPT_BYTES == 16_777_215
    found = schema.validate({**version(name), "script_content": base64.b64encode(b"x" * 2**24).decode()})
    assert set(found) == {"script_content"}


def test_a_step_that_asks(job: World) -> None:
    """Its detail has the message; it has no hosts, so v2's log of it has no results."""
    job.query.known[100] = replace(JOB, steps=(SCRIPT_STEP, ASK))
    detail = data_of(job, "get_step_instance_detail", step_instance_id=202)
    assert (detail["type"], detail["approval_info"]) == (3, {"approval_message": "sure?"})
    assert (detail["script_info"], detail["file_info"]) == (None, None)
    steps = job.job.v2("get_job_instance_log", v2("get_job_instance_log"))["data"]
    assert (steps[1]["step_instance_id"], steps[1]["is_finished"], steps[1]["step_results"]) == (
        202,
        False,
        [],
    )
    status = data_of(job, "get_job_instance_status")["step_instance_list"][1]
    assert (status["type"], status["status"], status["step_ip_result_list"]) == (3, 7, [])


@pytest.mark.parametrize(("batch", "hosts"), [(None, [102]), (0, [101, 102, 103]), (1, [101]), (3, [103])])
def test_batches_of_a_step(job: World, batch: int | None, hosts: list[int]) -> None:
    """The last that began unless one is named; 0 is all of them."""
    rolling = Rolling(expression="1", sizes=(1, 1, 1))
    job.query.known[100] = replace(JOB, steps=(replace(SCRIPT_STEP, rolling=rolling, batch=2),))
    job.query.results[200] = tuple(item.evolve(batch=number) for number, item in enumerate(RESULTS, 1))
    asked = {"batch": batch, "execute_count": None, "keyword": None, "search_ip": None}
    data = data_of(
        job, "get_step_instance_status", **asked, status=None, tag=None, max_host_num_per_group=None
    )
    found = [
        item["bk_host_id"] for group in data["step_result_group_list"] for item in group["host_result_list"]
    ]
    assert sorted(found) == hosts


@pytest.mark.parametrize("dialect", ["v3", "v2"])
def test_operate_step_instance(job: World, dialect: str) -> None:
    """Every operation arrives in both dialects; the reply names job and step."""
    for code in (2, 3, 6, 8, 9, 10, 11, 12, 13):
        body = (v3 if dialect == "v3" else v2)("operate_step_instance", operation_code=str(code))
        reply = getattr(job.job, dialect)("operate_step_instance", body)
        assert reply["code"] == 0, reply
        assert (reply["data"]["job_instance_id"], reply["data"]["step_instance_id"]) == (100, 200)
        called = job.operate.calls.pop()[0]
        assert called == f"{StepOperation(code).name.lower()} of 200"
    for wrong in (0, 1, 4, 5, 7, 14, None):
        body = (v3 if dialect == "v3" else v2)("operate_step_instance", operation_code=wrong)
        assert getattr(job.job, dialect)("operate_step_instance", body)["code"] == 1241002
    assert job.operate.calls == []
