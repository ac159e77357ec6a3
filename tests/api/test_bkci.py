"""The APIs for BlueKing CI's plugins: v3's and v4's use cases under names of their own."""

from __future__ import annotations

from typing import Any

import pytest

from adapter.job.commands import AccountRef, ExecuteScript, ScriptRef, TransferFile
from adapter.job.model import Server, TopoNode

from .bodies import SCOPE, v3
from .client import GATEWAY, envelope
from .conftest import World
from .jobs import T0

SYSTEM = f"{GATEWAY}/system"
SCRIPT, FILE = v3("bkci_plugin_fast_execute_script"), v3("bkci_plugin_fast_transfer_file")


def asked(world: World, name: str, body: dict[str, Any]) -> dict[str, Any]:
    """The envelope, asked for as plugins do: by the application, for a user."""
    credentials = {name: world.job.credentials[name] for name in ("bk_app_code", "bk_app_secret")}
    header = {"X-Bk-Username": "ann"}
    return envelope(
        world.http.post(f"{SYSTEM}/bkci_plugin_{name}", json={**credentials, **body}, headers=header)
    )


def test_a_script(world: World) -> None:
    """Targets of all kinds are united, the callback has an object of its own."""
    data = asked(world, "fast_execute_script", SCRIPT)["data"]
    assert data == {"job_instance_id": 10000, "job_instance_name": "Test", "step_instance_id": 10001}
    (command,) = world.launch.commands
    assert isinstance(command, ExecuteScript)
    assert command.caller.user == "ann"
    assert command.script == ScriptRef(content="echo $1", language=1)
    assert command.target == Server(
        host_ids=(101,), dynamic_groups=("3",), topo_nodes=(TopoNode(id=1000, node_type="module"),)
    )
    assert (command.account, command.param, command.param_sensitive) == (AccountRef(alias="root"), "hi", True)
    assert (command.timeout, command.task_name, command.start_task) == (60, "build", True)
    assert command.callback_url == "http://10.0.0.1/told"


def test_files(world: World) -> None:
    """As fast_transfer_file."""
    assert asked(world, "fast_transfer_file", FILE)["code"] == 0
    (command,) = world.launch.commands
    assert isinstance(command, TransferFile)
    assert (command.target_path, command.target) == ("/tmp/", Server(host_ids=(101,)))
    assert (command.account, command.callback_url) == (AccountRef(id=2), "http://10.0.0.1/told")
    assert command.sources[0].files == ("/etc/x",)


@pytest.mark.parametrize(
    ("name", "changes", "code"),
    [
        ("fast_execute_script", {"execute_target": None}, 1240003),
        ("fast_execute_script", {"execute_target": {"host_list": []}}, 1240003),
        ("fast_execute_script", {"execute_target": {"kube_container_filters": [{"a": 1}]}}, 1241011),
        ("fast_execute_script", {"script_content": None}, 1240003),
        ("fast_execute_script", {"account_alias": None}, 1240003),
        ("fast_execute_script", {"script_language": 9}, 1241005),
        ("fast_execute_script", {"timeout": 0}, 1240003),
        ("fast_execute_script", {"callback": {"url": "nowhere"}}, 1240003),
        ("fast_execute_script", {"callback": {"url": "http://169.254.169.254/"}}, 1240003),
        ("fast_execute_script", {"callback": "http://10.0.0.1/"}, 1240003),
        ("fast_transfer_file", {"file_target_path": "x"}, 1241007),
        ("fast_transfer_file", {"account_id": None}, 1241004),
        ("fast_transfer_file", {"execute_object": None}, 1241004),
        ("fast_transfer_file", {"execute_object": {}}, 1241004),
        ("fast_transfer_file", {"execute_object": {"kube_container_filters": [{"a": 1}]}}, 1241011),
        ("fast_transfer_file", {"file_source_list": []}, 1241004),
        ("fast_transfer_file", {"callback_url": "http://127.0.0.1/"}, 1240003),
    ],
)
def test_what_cannot_be_launched(world: World, name: str, changes: dict[str, Any], code: int) -> None:
    """As v3 and v4 say it."""
    body = {**(SCRIPT if "script" in name else FILE), **changes}
    assert asked(world, name, body)["code"] == code
    assert world.launch.commands == []


def execute_object(host_id: int, ip: str) -> dict[str, Any]:
    """As JOB's v3 has it: what is not known is null."""
    unknown = dict.fromkeys(("bk_cloud_name", "ipv6", "bk_agent_id", "alive"))
    host = {"bk_host_id": host_id, "bk_cloud_id": 0, "ip": ip, **unknown}
    return {"type": 1, "resource_id": str(host_id), "host": host}


def test_status(job: World) -> None:
    """Hosts only if they are asked for; no list where there are none."""
    body = {**SCOPE, "job_instance_id": 100, "include_execute_object_task_result": True}
    data = asked(job, "get_job_instance_status", body)["data"]
    assert (data["finished"], data["job_instance"]["job_instance_id"]) == (False, 100)
    script, file = data["step_instance_list"]
    assert script["execute_object_result_list"][0] == {
        "execute_object": execute_object(101, "10.0.0.1"),
        "status": 9,
        "tag": "ok",
        "exit_code": 0,
        "error_code": 0,
        "start_time": T0,
        "end_time": T0 + 5,
        "total_time": 100,
    }
    assert len(file["execute_object_result_list"]) == 2
    body = {**SCOPE, "job_instance_id": 100}
    steps = asked(job, "get_job_instance_status", body)["data"]["step_instance_list"]
    assert all("execute_object_result_list" not in step for step in steps)


def test_logs_of_a_script(job: World) -> None:
    """By id, also as text, or by cloud area and address; who is not in the step is absent."""
    listed = [
        {"type": 1, "resource_id": "101"},
        {"host": {"bk_cloud_id": 0, "ip": "10.0.0.2"}},
        {"resource_id": 9},
    ]
    body = {**SCOPE, "job_instance_id": 100, "step_instance_id": 200, "execute_object_list": listed}
    data = asked(job, "batch_get_job_instance_execute_object_log", body)["data"]
    assert data == {
        "job_instance_id": 100,
        "step_instance_id": 200,
        "log_type": 1,
        "script_execute_object_task_logs": [
            {"execute_object": execute_object(101, "10.0.0.1"), "log_content": "hello <b>&'\"\n"},
            {"execute_object": execute_object(102, "10.0.0.2"), "log_content": "failed\n"},
        ],
        "file_execute_object_task_logs": None,
    }


def test_logs_of_files(job: World) -> None:
    """Entries with both ends as execute objects."""
    body = {
        **SCOPE,
        "job_instance_id": 100,
        "step_instance_id": 201,
        "execute_object_list": [{"resource_id": 101}],
    }
    data = asked(job, "batch_get_job_instance_execute_object_log", body)["data"]
    assert (data["log_type"], data["script_execute_object_task_logs"]) == (2, None)
    (log,) = data["file_execute_object_task_logs"]
    assert log["execute_object"] == execute_object(101, "10.0.0.1")
    (entry,) = log["file_atomic_task_logs"]
    assert entry["src_execute_object"] == execute_object(301, "10.0.3.1")
    assert entry["dest_execute_object"] == execute_object(101, "10.0.0.1")
    assert (entry["mode"], entry["src_path"], entry["dest_path"], entry["status"]) == (
        1,
        "/tmp/x",
        "/tmp/x",
        3,
    )
    assert (entry["size"], entry["speed"], entry["process"]) == ("1.5 KB", "2 KB/s", "50%")
    assert set(entry) & {"src_ip", "dest_ip"} == set()


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"execute_object_list": []}, 1240003),
        ({"execute_object_list": None}, 1240003),
        ({"execute_object_list": [{"resource_id": 1}] * 501}, 1240003),
        ({"execute_object_list": [{}]}, 1240003),
        ({"execute_object_list": [{"host": {}}]}, 1240003),
        ({"execute_object_list": [{"resource_id": "0"}]}, 1240003),
        ({"execute_object_list": [{"resource_id": "x"}]}, 1240003),
        ({"execute_object_list": [{"resource_id": 2**63}]}, 1240003),
        ({"execute_object_list": [{"type": 2, "resource_id": 1}]}, 1241011),
        ({"job_instance_id": 0}, 1240003),
        ({"job_instance_id": 7}, 1244006),
        ({"step_instance_id": 7}, 1244006),
        ({"bk_scope_id": "2"}, 1244006),
    ],
)
def test_logs_that_there_are_none_of(job: World, changes: dict[str, Any], code: int) -> None:
    """1 to 500 hosts, of a job of the business."""
    body = {
        **SCOPE,
        "job_instance_id": 100,
        "step_instance_id": 200,
        "execute_object_list": [{"resource_id": 101}],
    }
    assert asked(job, "batch_get_job_instance_execute_object_log", body | changes)["code"] == code
