"""The v4 dialect: its fields, its replies, and what goes wrong (contract b4, c)."""

from __future__ import annotations

from typing import Any

import pytest

from adapter import errors
from adapter.api import replies_v4
from adapter.errors import JobError
from adapter.job.model import IpRef, Scope, Server, TopoNode

from .bodies import SCOPE, v4
from .client import GATEWAY_V4, envelope_v4
from .conftest import World
from .jobs import JOB, known_job


def _error(world: World, name: str, body: dict[str, Any], status: int) -> dict[str, Any]:
    error = world.job.v4(name, body, status)["error"]
    assert isinstance(error, dict)
    return error


# --- fast_execute_script ---------------------------------------------------------------------------------


def test_a_script(world: World) -> None:
    """Hosts by id and by address are united: addresses become ids."""
    reply = world.job.v4("fast_execute_script", v4("fast_execute_script"))
    assert reply["data"] == {
        "job_instance_id": 10000,
        "job_instance_name": "Test",
        "step_instance_id": 10001,
    }
    command: Any = world.launch.commands[0]
    assert command.target == Server(
        host_ids=(101, 101), dynamic_groups=("3",), topo_nodes=(TopoNode(id=1000, node_type="module"),)
    )
    assert (command.param, command.param_sensitive, command.timeout) == ("hello", False, 1000)
    assert (command.scope, command.start_task) == (Scope("biz", "1"), True)


def test_addresses_alone_stay_addresses(world: World) -> None:
    """Nothing needs to be looked up for them before the launch does."""
    target = {"host_list": [{"bk_cloud_id": 0, "ip": "10.9.9.9"}]}
    assert world.job.v4("fast_execute_script", v4("fast_execute_script", execute_target=target))
    command: Any = world.launch.commands[0]
    assert command.target == Server(ips=(IpRef(bk_cloud_id=0, ip="10.9.9.9"),))


def test_a_script_of_the_library_is_enough(world: World) -> None:
    """Text and language are not looked at then, other than in v3."""
    body = v4("fast_execute_script", script_version_id=7, script_language=99, script_content="")
    assert world.job.v4("fast_execute_script", body)
    command: Any = world.launch.commands[0]
    assert (command.script.version_id, command.script.content) == (7, None)


@pytest.mark.parametrize("value", [True, "true", 1])
def test_a_sensitive_parameter(world: World, value: object) -> None:
    """A boolean, other than in v3; numbers do as well."""
    assert world.job.v4("fast_execute_script", v4("fast_execute_script", param_sensitive=value))
    command: Any = world.launch.commands[0]
    assert command.param_sensitive is True


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        ({"execute_target": None}, "execute_target", "at least one host"),
        ({"execute_target": {}}, "execute_target", "at least one host"),
        ({"execute_target": {"host_list": [], "dynamic_group_list": None}}, "execute_target", "at least one"),
        ({"execute_target": []}, "execute_target", "must be an object"),
        ({"execute_target": {"host_list": [{}]}}, "execute_target.host_list[0].bk_host_id", "is required"),
        (
            {"execute_target": {"host_list": [{"ip": "1.1.1.1"}]}},
            "execute_target.host_list[0]",
            "bk_cloud_id",
        ),
        ({"execute_target": {"host_list": [{"bk_host_id": 0}]}}, "execute_target.host_list[0]", "not 0"),
        (
            {"execute_target": {"host_list": [{"bk_cloud_id": 0, "ip": "1.1.1.256"}]}},
            "execute_target.host_list[0].ip",
            "1.1.1.256",
        ),
        ({"task_name": "x" * 513}, "task_name", "at most 512 characters"),
        ({"script_content": None}, "script_content", "is required without"),
        ({"account_alias": None}, "account_id", "is required"),
        ({"timeout": 0}, "timeout", "must be within 1..259200, not 0"),
        ({"callback_url": "ftp://x"}, "callback_url", "must be a URL"),
        ({"param_sensitive": "perhaps"}, "param_sensitive", "true or false"),
    ],
)
def test_fields_that_cannot_be(world: World, changes: dict[str, Any], field: str, words: str) -> None:
    """HTTP 400, the field in the message, what is wrong with it in the details."""
    error = _error(world, "fast_execute_script", v4("fast_execute_script", **changes), 400)
    assert error["code"] == "INVALID_ARGUMENT"
    assert error["message"].startswith(f"Fields [{field}")
    assert error["message"].endswith("bind failed")
    assert error["details"][0]["code"] == "1241025"
    assert words in error["details"][0]["message"]
    assert world.launch.commands == []


@pytest.mark.parametrize(
    ("changes", "status", "kind", "code"),
    [
        ({"script_language": 9}, 400, "INVALID_ARGUMENT", "1241005"),
        ({"script_version_id": 0}, 400, "INVALID_ARGUMENT", "1241005"),
        ({"script_language": 6}, 501, "NOT_IMPLEMENTED", "1241011"),
        ({"rolling_config": {"expression": "x"}}, 400, "INVALID_ARGUMENT", "1244026"),
        (
            {"execute_target": {"kube_container_filters": [{"a": 1}]}},
            501,
            "NOT_IMPLEMENTED",
            "1241011",
        ),
        (
            {"execute_target": {"host_list": [{"bk_host_id": 101}, {"bk_cloud_id": 9, "ip": "1.1.1.1"}]}},
            400,
            "FAILED_PRECONDITION",
            "1244030",
        ),
        ({"bk_scope_id": "77"}, 404, "NOT_FOUND", "1243049"),
    ],
)
def test_refusals(world: World, changes: dict[str, Any], status: int, kind: str, code: str) -> None:
    """Each has its HTTP status; nothing is launched."""
    error = _error(world, "fast_execute_script", v4("fast_execute_script", **changes), status)
    assert (error["code"], error["details"][0]["code"]) == (kind, code)
    assert world.launch.commands == []


def test_a_business_by_its_old_name(world: World) -> None:
    """A POST may still say bk_biz_id, a query of v4 may not."""
    old = {"bk_scope_type": None, "bk_scope_id": None, "bk_biz_id": 1}
    assert world.job.v4("fast_execute_script", v4("fast_execute_script", **old))
    for name in ("get_job_instance_status", "get_job_instance_list"):
        error = _error(world, name, v4(name, **old), 400)
        assert "bk_scope_type" in error["message"]


# --- errors ----------------------------------------------------------------------------------------------


def _classes(root: type[JobError]) -> list[type[JobError]]:
    return [root, *(below for child in root.__subclasses__() for below in _classes(child))]


@pytest.mark.parametrize("found", _classes(JobError)[1:], ids=lambda found: found.__name__)
def test_every_error_has_its_kind(found: type[JobError]) -> None:
    """No error becomes INTERNAL because somebody forgot it."""
    kinds = replies_v4._KINDS
    assert any(base in kinds for base in found.__mro__), "say in replies_v4 what it is"


@pytest.mark.parametrize(
    ("error", "status", "kind"),
    [
        (errors.JobUnknown(7), 404, "NOT_FOUND"),
        (errors.UnsupportedOperation("x"), 400, "FAILED_PRECONDITION"),
        (errors.TooManyTargets(7), 429, "RESOURCE_EXHAUSTED"),
        (errors.ScopeQuotaExceeded("biz_2", 7), 429, "RESOURCE_EXHAUSTED"),
        (errors.AccountExists("a"), 409, "ALREADY_EXISTS"),
        (errors.TooManyFileTasks(7), 500, "INTERNAL"),
        (errors.MissingParameter("a"), 400, "INVALID_ARGUMENT"),
        (ZeroDivisionError("inside"), 500, "INTERNAL"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_errors_of_the_use_case(world: World, error: Exception, status: int, kind: str) -> None:
    """Status and kind follow from the class; nothing of the inside is shown."""
    world.launch.error = error
    found = _error(world, "fast_execute_script", v4("fast_execute_script"), status)
    assert found["code"] == kind
    assert "inside" not in found["message"]


def test_strangers(world: World) -> None:
    """HTTP 401."""
    found = envelope_v4(world.http.post(f"{GATEWAY_V4}/fast_execute_script", json=SCOPE), 401)["error"]
    assert (found["code"], found["details"][0]["code"]) == ("UNAUTHENTICATED", "1306000")


def test_a_scope_that_the_application_may_not_use(world: World) -> None:
    """HTTP 403, with the permission as data."""
    secret = world.applications.create("limited_v4", scopes=frozenset(), act_as_any_user=True)
    who = {"bk_app_code": "limited_v4", "bk_app_secret": secret, "bk_username": "admin"}
    found = _error(world, "fast_execute_script", {**v4("fast_execute_script"), **who}, 403)
    assert found["code"] == "NO_PERMISSION"
    assert found["data"]["actions"][0]["id"] == "access_business"


def test_bodies_that_cannot_be_read(world: World) -> None:
    """HTTP 400 and 413."""
    path = f"{GATEWAY_V4}/fast_execute_script"
    for body in (b"{", b"[]", b"\xff", b'{"a": "\\u0000"}', b'{"a": ' + b"[" * 70 + b"]" * 70 + b"}"):
        found = envelope_v4(world.http.post(path, content=body), 400)["error"]
        assert (found["code"], found["details"][0]["code"]) == ("INVALID_ARGUMENT", "1241022")
    too_large = envelope_v4(world.http.post(path, content=b" " * 300_000), 413)["error"]
    assert too_large["code"] == "INVALID_ARGUMENT"


# --- queries ---------------------------------------------------------------------------------------------


def test_status(world: World) -> None:
    """Hosts are execute objects, without an error_code; what is null is absent."""
    known_job(world)
    body = v4("get_job_instance_status")
    data = world.job.v4("get_job_instance_status", body)["data"]
    assert (data["finished"], data["job_instance"]["job_instance_id"]) == (False, 100)
    assert "end_time" not in data["job_instance"]
    script, file = data["step_instance_list"]
    assert (script["step_instance_id"], script["type"], script["total_time"]) == (200, 1, 1500)
    assert script["step_execute_object_result_list"][0] == {
        "execute_object": {
            "type": 1,
            "resource_id": "101",
            "host": {"bk_host_id": 101, "bk_cloud_id": 0, "ip": "10.0.0.1"},
        },
        "status": 9,
        "tag": "ok",
        "exit_code": 0,
        "start_time": JOB.create_time,
        "end_time": (JOB.create_time or 0) + 5,
        "total_time": 100,
    }
    assert [item["status"] for item in file["step_execute_object_result_list"]] == [9, 104]
    body = v4("get_job_instance_status", return_execute_object_result=None)
    steps = world.job.v4("get_job_instance_status", body)["data"]["step_instance_list"]
    assert all("step_execute_object_result_list" not in step for step in steps)


def test_logs_of_a_script(world: World) -> None:
    """The first list with something in it counts; hosts that are not in the step are absent."""
    known_job(world)
    name = "batch_get_job_instance_execute_object_log"
    data = world.job.v4(name, v4(name))["data"]
    assert (data["job_instance_id"], data["step_instance_id"], data["log_type"]) == (100, 200, 1)
    assert [item["execute_object"]["resource_id"] for item in data["script_step_execute_object_logs"]] == [
        "101"
    ]
    assert data["script_step_execute_object_logs"][0]["log_content"] == "hello <b>&'\"\n"
    assert "file_step_execute_object_logs" not in data
    data = world.job.v4(name, v4(name, host_id_list=[]))["data"]
    assert len(data["script_step_execute_object_logs"]) == 1


def test_logs_of_files(world: World) -> None:
    """Uploads and downloads apart, for the hosts that are asked for."""
    known_job(world)
    name = "batch_get_job_instance_execute_object_log"
    body = v4(name, step_instance_id=201, host_id_list=[101, 301])
    target, source = world.job.v4(name, body)["data"]["file_step_execute_object_logs"]
    assert (target["execute_object"]["resource_id"], source["execute_object"]["resource_id"]) == (
        "101",
        "301",
    )
    assert "upload_log" not in target
    assert "download_log" not in source
    download, upload = target["download_log"][0], source["upload_log"][0]
    assert (download["mode"], download["src_execute_object"]["host"]["bk_host_id"]) == (1, 301)
    assert (download["dest_execute_object"]["host"]["bk_host_id"], download["dest_path"]) == (101, "/tmp/x")
    assert (upload["mode"], "dest_execute_object" in upload, upload["process"]) == (0, False, "100%")


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"host_id_list": None, "ip_list": None}, 400, "1241025"),
        ({"host_id_list": list(range(1, 52))}, 400, "1241025"),
        ({"host_id_list": None, "ip_list": [{"bk_host_id": 1}] * 51}, 400, "1241025"),
        ({"host_id_list": None, "ip_list": [{"bk_cloud_id": 1}]}, 400, "1241025"),
        ({"host_id_list": None, "ip_list": None, "container_id_list": [1]}, 501, "1241011"),
        ({"job_instance_id": 0}, 400, "1241025"),
        ({"job_instance_id": 2**63}, 400, "1241025"),
        ({"step_instance_id": None}, 400, "1241025"),
        ({"job_instance_id": 2**63 - 1}, 404, "1244006"),
        ({"step_instance_id": 999}, 404, "1244006"),
    ],
)
def test_logs_that_there_are_none_of(world: World, changes: dict[str, Any], status: int, code: str) -> None:
    """50 hosts at a time."""
    known_job(world)
    name = "batch_get_job_instance_execute_object_log"
    assert _error(world, name, v4(name, **changes), status)["details"][0]["code"] == code


def test_a_list(world: World) -> None:
    """Rows without a total; ten unless said otherwise."""
    known_job(world)
    body = v4("get_job_instance_list", offset=None, length=None)
    data = world.job.v4("get_job_instance_list", body)["data"]
    assert set(data) == {"job_instance_list"}
    row = data["job_instance_list"][0]
    assert (row["id"], row["job_instance_id"], row["status"], row["type"]) == (100, 100, 2, 0)
    assert (world.query.filters[-1].start, world.query.filters[-1].length) == (0, 10)
    world.job.v4("get_job_instance_list", v4("get_job_instance_list", offset="10000", length="200"))
    assert (world.query.filters[-1].start, world.query.filters[-1].length) == (10_000, 200)


def test_an_empty_list(world: World) -> None:
    """[] here, other than in v3."""
    data = world.job.v4("get_job_instance_list", v4("get_job_instance_list"))["data"]
    assert data == {"job_instance_list": []}


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"create_time_start": None}, "1241025"),
        ({"create_time_end": None}, "1241025"),
        ({"create_time_start": 0}, "1241007"),
        ({"create_time_end": 1}, "1241007"),
        ({"create_time_end": 1_800_000_000_000}, "1241002"),
        ({"offset": -1}, "1241025"),
        ({"offset": 10_001}, "1241025"),
        ({"length": 0}, "1241025"),
        ({"length": 201}, "1241025"),
        ({"status": 99}, "1241002"),
    ],
)
def test_lists_that_cannot_be(world: World, changes: dict[str, Any], code: str) -> None:
    """Pages and times have limits."""
    error = _error(world, "get_job_instance_list", v4("get_job_instance_list", **changes), 400)
    assert (error["code"], error["details"][0]["code"]) == ("INVALID_ARGUMENT", code)
