"""query_agent_info, and `alive` wherever hosts are shown: what stands for the agents that are not here."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from adapter.config import Settings
from adapter.job.model import Seen
from adapter.store.opening import open_store

from .conftest import StoppedClock, World
from .real import Real, build

BIZ_1 = {"bk_scope_type": "biz", "bk_scope_id": "1"}
SYSTEM = "/api/v3/system/query_agent_info"


def asked(world: World, **fields: Any) -> dict[str, Any]:
    """The reply of query_agent_info."""
    return world.job.v3("query_agent_info", {**BIZ_1, **fields})


def test_agents(world: World) -> None:
    """1 answers; hosts that are not in the business, or that nobody can tell of, are left out, as JOB does."""
    world.reachability.known = {
        101: Seen(answers=True, version="OpenSSH_9.2p1"),
        102: Seen(answers=True),
        999: Seen(answers=True),
    }
    assert asked(world, host_id_list=[101, 999, 101])["data"] == {
        "agent_info_list": [{"bk_host_id": 101, "status": 1, "version": "OpenSSH_9.2p1"}]
    }
    world.reachability.known = {101: Seen(answers=False)}
    (agent,) = asked(world, host_id_list=["101"])["data"]["agent_info_list"]
    assert agent == {"bk_host_id": 101, "status": 0, "version": None}
    world.reachability.known = {}
    assert asked(world, host_id_list=[101])["data"] == {"agent_info_list": []}
    assert set(world.reachability.waited) == {5.0}


@pytest.mark.parametrize(
    "path", [SYSTEM, "/api/bk-job/prod" + SYSTEM, "/api/job/v3/job-manage/query_agent_info"]
)
def test_where_it_is(world: World, path: str) -> None:
    """JOB has it below /system/, where clients ask for it."""
    body = {**world.job.credentials, **BIZ_1, "host_id_list": [101]}
    reply = world.http.post(path, json=body, headers={"X-Bk-Username": "admin"}).json()
    assert (reply["code"], reply["data"]) == (0, {"agent_info_list": []})


@pytest.mark.parametrize(
    ("fields", "code", "said"),
    [
        ({}, 1240003, "host_id_list must list 1..5000 hosts"),
        ({"host_id_list": []}, 1240003, "host_id_list must list 1..5000 hosts"),
        ({"host_id_list": list(range(1, 5002))}, 1240003, "host_id_list must list 1..5000 hosts"),
        ({"host_id_list": [1, "x"]}, 1240003, "host_id_list"),
        ({"host_id_list": [101], "bk_scope_id": "77"}, 1243049, "biz_77"),
        ({"host_id_list": [101], "bk_scope_type": "set"}, 1240003, "Invalid bk_scope_type"),
    ],
)
def test_refusals(world: World, fields: dict[str, Any], code: int, said: str) -> None:
    """With the field, and nobody is looked at."""
    reply = asked(world, **fields)
    assert reply["code"] == code
    assert said in reply["message"]
    assert world.reachability.waited == []


def test_as_many_as_there_may_be(world: World) -> None:
    """5000 in one request."""
    assert asked(world, host_id_list=list(range(101, 5101)))["data"] == {"agent_info_list": []}


@pytest.fixture
def real(tmp_path: Path) -> Iterator[Real]:
    """The application with its store; host 101 is known to answer, 103 is not known."""
    settings = Settings(data_dir=tmp_path)
    stores = open_store(settings)
    yield build(stores, StoppedClock(), settings)
    stores.close()


def test_alive(real: Real) -> None:
    """In each form of a host: 1 or 0, null where nobody can tell (v4 leaves it out)."""
    script = {
        "script_language": 1,
        "script_content": base64.b64encode(b"id").decode(),
        "account_alias": "root",
    }
    launched = real.job.v3(
        "fast_execute_script", {**BIZ_1, **script, "target_server": {"host_id_list": [101, 103]}}
    )
    job = {"job_instance_id": launched["data"]["job_instance_id"]}
    step = {**job, "step_instance_id": launched["data"]["step_instance_id"]}

    detail = real.job.v3("get_step_instance_detail", {**BIZ_1, **step})["data"]
    listed = detail["script_info"]["server"]["ip_list"]
    assert [(host["bk_host_id"], host["alive"]) for host in listed] == [(101, 1), (103, None)]

    query = {**BIZ_1, **job, "return_execute_object_result": True}
    status = real.job.v4("get_job_instance_status", query)["data"]
    results = status["step_instance_list"][0]["step_execute_object_result_list"]
    assert [result["execute_object"]["host"].get("alive", "absent") for result in results] == [1, "absent"]

    logs = real.job.v4(
        "batch_get_job_instance_execute_object_log", {**BIZ_1, **step, "host_id_list": [101, 103]}
    )
    found = logs["data"]["script_step_execute_object_logs"]
    assert [log["execute_object"]["host"].get("alive", "absent") for log in found] == [1, "absent"]

    query = {**BIZ_1, **job, "include_execute_object_task_result": True}
    status = real.job.v3("bkci_plugin_get_job_instance_status", query)["data"]
    results = status["step_instance_list"][0]["execute_object_result_list"]
    assert [result["execute_object"]["host"]["alive"] for result in results] == [1, None]
