"""Requests all the way to the database and back, with the real use cases."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from adapter.config import Settings
from adapter.job.model import FileLog
from adapter.store.opening import open_store

from .bodies import v2, v3, v4
from .conftest import StoppedClock
from .real import Real, build

SEEDS = Path(__file__).parents[1] / "seeds"


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Real]:
    """One application for all tests here."""
    settings = Settings(data_dir=tmp_path_factory.mktemp("real"))
    stores = open_store(settings)
    yield build(stores, StoppedClock(), settings)
    stores.close()


def _seed(name: str, **changes: Any) -> dict[str, Any]:
    body = json.loads((SEEDS / f"{name}.json").read_text())
    for credential in ("bk_app_code", "bk_app_secret", "bk_token"):
        del body[credential]
    return {**body, **changes}


def _ok(reply: dict[str, Any]) -> Any:
    assert reply["code"] == 0, reply
    return reply["data"]


def test_a_script(real: Real) -> None:
    """The seed's request; its job waits to be picked up, and can be asked about and terminated."""
    body = _seed("fast_execute_script", account_id=real.account_id, script_version_id=real.script_version_id)
    launched = _ok(real.job.v3("fast_execute_script", body))
    job = {"job_instance_id": launched["job_instance_id"]}
    status = _ok(real.job.v3("get_job_instance_status", v3("get_job_instance_status", **job)))
    assert (status["finished"], status["job_instance"]["status"]) == (False, 1)
    step = status["step_instance_list"][0]
    assert step["step_instance_id"] == launched["step_instance_id"]
    hosts = step["step_ip_result_list"]
    assert [(host["bk_host_id"], host["status"]) for host in hosts] == [(101, 5), (102, 5), (103, 5)]

    real.logs.append(step["step_instance_id"], 0, 101, 0, b"hello \xff\n")
    wanted = {**job, "step_instance_id": step["step_instance_id"]}
    log = _ok(real.job.v3("get_job_instance_ip_log", v3("get_job_instance_ip_log", **wanted)))
    assert log["log_content"] == "hello \ufffd\n"
    logs = _ok(real.job.v2("get_job_instance_log", v2("get_job_instance_log", **job)))
    assert logs[0]["step_results"][0]["ip_logs"][0]["log_content"] == "hello \ufffd\n"

    rows = _ok(
        real.job.v3(
            "get_job_instance_list",
            v3("get_job_instance_list", create_time_start=1_699_999_999_999, status=1, name=None),
        )
    )
    assert rows["data"][0]["job_instance_id"] == launched["job_instance_id"]
    terminate = v3("operate_job_instance", **job)
    assert _ok(real.job.v3("operate_job_instance", terminate))["job_instance_id"] == job["job_instance_id"]


def test_a_platform_job(real: Real) -> None:
    """The seed's request: seen from both businesses."""
    body = _seed("execute_platform_job", bk_job_id=real.plan_id)
    for step, step_id in zip(body["steps"], real.step_ids, strict=True):
        step["step_id"] = step_id
    body["steps"][0]["script_id"] = real.script_version_id
    launched = _ok(real.job.v2("execute_platform_job", body))
    assert set(launched) == {"job_instance_name", "job_instance_id"}
    for biz in (1, 2):
        query = v2("get_job_instance_status", job_instance_id=launched["job_instance_id"], bk_biz_id=biz)
        status = _ok(real.job.v2("get_job_instance_status", query))
        assert status["job_instance"]["bk_job_id"] == real.plan_id
        assert [len(block["step_instances"][0]["step_ip_status"]) for block in status["blocks"]] == [2, 2]


def test_files(real: Real) -> None:
    """A source's uploads are told beside the target's downloads."""
    source = {**v3("fast_transfer_file")["file_source_list"][0], "account": {"id": real.account_id}}
    source["server"] = {"host_id_list": [103]}
    launched = _ok(real.job.v3("fast_transfer_file", v3("fast_transfer_file", file_source_list=[source])))
    step = launched["step_instance_id"]
    entries = [
        FileLog(bk_host_id=103, mode=0, src_host_id=103, src_path="/tmp/x"),
        FileLog(
            bk_host_id=101, mode=1, src_host_id=103, src_path="/tmp/x", dest_host_id=101, dest_path="/b/x"
        ),
    ]
    real.logs.save_file_logs(step, 0, entries)
    wanted = {"job_instance_id": launched["job_instance_id"], "step_instance_id": step}
    log = _ok(real.job.v3("get_job_instance_ip_log", v3("get_job_instance_ip_log", **wanted)))
    assert [entry["mode"] for entry in log["file_logs"]] == [1, 0]
    assert log["file_logs"][0]["src_ip"] == {"bk_host_id": 103, "bk_cloud_id": 5, "ip": "10.0.0.1"}


def test_a_plan_that_waits(real: Real) -> None:
    """start_task=false waits for operation 2, which works once."""
    body = v3("execute_job_plan", job_plan_id=real.plan_id, start_task=False, global_var_list=None)
    launched = _ok(real.job.v3("execute_job_plan", body))
    name = "get_job_instance_global_var_value"
    told = _ok(real.job.v3(name, v3(name, job_instance_id=launched["job_instance_id"])))
    assert [step["global_var_list"] for step in told["step_instance_var_list"]] == [
        [{"name": "word", "value": "hi", "type": 1}]
    ] * 2
    start = v3("operate_job_instance", job_instance_id=launched["job_instance_id"], operation_code=2)
    _ok(real.job.v3("operate_job_instance", start))
    assert real.job.v3("operate_job_instance", start)["code"] == 1241015


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"bk_scope_id": "77"}, 1243049),
        ({"account_alias": "nobody"}, 1244003),
        ({"script_id": "nothing"}, 1243001),
        ({"target_server": {"host_id_list": [999]}}, 1244030),
        ({"target_server": {"dynamic_group_list": [{"id": "nothing"}]}}, 1211003),
        ({"target_server": {"topo_node_list": [{"id": 9, "node_type": "module"}]}}, 1244028),
    ],
)
def test_refusals_of_the_launch(real: Real, changes: dict[str, Any], code: int) -> None:
    """JOB's codes reach the caller."""
    assert real.job.v3("fast_execute_script", v3("fast_execute_script", **changes))["code"] == code


def test_sql(real: Real) -> None:
    """Type 4 wherever a step's state is told, 1 in what it executes; the account shows whose client runs."""
    body = v3("fast_execute_sql", db_account_id=real.db_account_id, target_server={"host_id_list": [101]})
    launched = _ok(real.job.v3("fast_execute_sql", body))
    assert launched["step_instance_id"] is None
    job = {"job_instance_id": launched["job_instance_id"]}
    status = _ok(real.job.v3("get_job_instance_status", v3("get_job_instance_status", **job)))
    (step,) = status["step_instance_list"]
    assert step["type"] == 4
    both = {**job, "step_instance_id": step["step_instance_id"]}
    old = _ok(real.job.v2("get_job_instance_status", v2("get_job_instance_status", **job)))
    assert (old["blocks"][0]["type"], old["blocks"][0]["step_instances"][0]["type"]) == (4, 4)
    old = _ok(real.job.v2("get_step_instance_status", v2("get_step_instance_status", **both)))
    assert old["step_instance_detail"]["type"] == 4
    new = real.job.v4("get_job_instance_status", v4("get_job_instance_status", **job))["data"]
    assert new["step_instance_list"][0]["type"] == 4
    detail = _ok(real.job.v3("get_step_instance_detail", v3("get_step_instance_detail", **both)))
    assert (detail["type"], detail["script_info"]["script_language"]) == (1, 6)
    assert detail["script_info"]["account"]["id"] == real.account_id
    accounts = _ok(real.job.v3("get_account_list", v3("get_account_list", category=2, alias="", account="")))
    (database,) = accounts["data"]
    assert (database["type"], database["db_system_account_id"]) == (9, real.account_id)
    assert "not shown" not in str(accounts)


def test_files_that_come_with_the_request(real: Real) -> None:
    """A file step without contents: type 4 of JOB's sources, and no step in the reply."""
    body = v3("push_config_file", target_server={"host_id_list": [101]})
    launched = _ok(real.job.v3("push_config_file", body))
    assert launched["step_instance_id"] is None
    job = real.jobs.get(launched["job_instance_id"])
    assert job is not None
    wanted = v3("get_step_instance_detail", job_instance_id=job.id, step_instance_id=job.steps[0].id)
    detail = _ok(real.job.v3("get_step_instance_detail", wanted))
    (source,) = detail["file_info"]["file_source_list"]
    assert (detail["type"], source["file_type"], source["file_list"]) == (2, 4, ["app.conf"])
    assert body["file_list"][0]["content"] not in str(detail)
