"""Accounts, scripts and job plans over the API, with the real catalog."""

from __future__ import annotations

import base64
import json
import uuid
from collections.abc import Callable
from typing import Any

import pytest

from adapter.job.model import IpRef, Scope, Server, TopoNode
from adapter.job.plan import GlobalVariable, PlanFile, PlanFileSource, PlanScript, PlanStep
from adapter.job.status import StepType, VariableType

from . import bodies
from .bodies import v3
from .conftest import World

NOW = 1_700_000_000_000
SCOPE = {"bk_scope_type": "biz", "bk_scope_id": "1", "bk_biz_id": 1}
AUTHORSHIP = {
    "creator": "admin",
    "create_time": NOW,
    "last_modify_user": "admin",
    "last_modify_time": NOW,
}


@pytest.fixture
def unique() -> Callable[[str], str]:
    """Names that no other test has: all share one database."""
    suffix = uuid.uuid4().hex[:8]
    return lambda name: f"{name}-{suffix}"


def _data(world: World, name: str, body: dict[str, Any]) -> Any:
    reply = world.job.v3(name, {**bodies.SCOPE, **body})
    assert reply["code"] == 0, reply
    return reply["data"]


def test_accounts(world: World, unique: Callable[[str], str]) -> None:
    """Made, listed, not made twice; the password never comes back."""
    alias = unique("app")
    body = {"account": "app", "type": "1", "category": 1, "alias": alias, "password": "hunter2"}
    made = _data(world, "create_account", body)
    assert made == {
        "id": made["id"],
        "account": "app",
        "alias": alias,
        "category": 1,
        "type": 1,
        "db_system_account_id": None,
        "os": "Linux",
        "description": "",
        **SCOPE,
        **AUTHORSHIP,
    }
    assert type(made["id"]) is int
    page = _data(world, "get_account_list", {"alias": alias})
    assert page == {"start": 0, "length": 20, "total": 1, "data": [made]}
    assert world.job.v3("create_account", {**bodies.SCOPE, **body})["code"] == 1243007
    other = world.job.v3("get_account_list", {"bk_biz_id": 2, "alias": alias})["data"]
    assert (other["total"], other["data"]) == (0, [])


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"account": None}, "account"),
        ({"account": "-x"}, "account"),
        ({"type": 3}, "type"),
        ({"category": None}, "category"),
        ({"alias": "x" * 256}, "alias"),
    ],
)
def test_refused_accounts(world: World, changes: dict[str, Any], word: str) -> None:
    """1240003 naming the field."""
    reply = world.job.v3("create_account", v3("create_account", **changes))
    assert (reply["code"], word in reply["message"]) == (1240003, True)


def test_scripts(world: World, unique: Callable[[str], str]) -> None:
    """A draft, published, replaced by a second version."""
    name = unique("hello")
    body = {"name": name, "script_language": 1, "content": "ZWNobyAkMQ==", "version": "1.0"}
    first = _data(world, "create_script", {**body, "version_desc": "the first"})
    assert first == {
        "id": first["id"],
        "script_id": first["script_id"],
        "name": name,
        "version": "1.0",
        "content": "echo $1",
        "status": 0,
        "version_desc": "the first",
        "script_language": 1,
        "description": "",
        **SCOPE,
        **AUTHORSHIP,
    }
    assert (type(first["id"]), type(first["script_id"])) == (int, str)
    assert _data(world, "get_script_list", {"name": name})["data"] == []  # nothing is online yet
    of_script = {"script_id": first["script_id"]}
    published = _data(world, "publish_script_version", {**of_script, "script_version_id": first["id"]})
    assert published == {"id": first["id"], "script_id": first["script_id"], "status": 1}
    second = _data(world, "create_script_version", {**of_script, "content": "YQ==", "version": "2.0"})
    _data(world, "publish_script_version", {**of_script, "script_version_id": second["id"]})

    versions = _data(world, "get_script_version_list", of_script)
    assert [(item["version"], item["status"], item["content"]) for item in versions["data"]] == [
        ("2.0", 1, None),
        ("1.0", 2, None),
    ]
    versions = _data(world, "get_script_version_list", {**of_script, "return_script_content": True})
    assert [item["content"] for item in versions["data"]] == ["a", "echo $1"]
    assert _data(world, "get_script_version_detail", {"id": first["id"]})["status"] == 2
    by_name = _data(world, "get_script_version_detail", {**of_script, "version": "2.0"})
    assert by_name["id"] == second["id"]
    row = _data(world, "get_script_list", {"name": name, "script_language": 0})["data"][0]
    assert row == {
        "id": first["script_id"],
        "name": name,
        "script_language": 1,
        "online_script_version_id": second["id"],
        "description": "",
        **SCOPE,
        **AUTHORSHIP,
    }


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"name": None}, 1240003),
        ({"name": "a/b"}, 1240003),
        ({"content": None}, 1240003),
        ({"content": "!!"}, 1240003),
        ({"version": "a b"}, 1240003),
        ({"script_language": 0}, 1241005),
        ({"script_language": 7}, 1241005),
        ({"script_language": 6, "content": None}, 1240003),
    ],
)
def test_refused_scripts(world: World, changes: dict[str, Any], code: int) -> None:
    """JOB's codes; scripts that cannot run are not stored either."""
    assert world.job.v3("create_script", v3("create_script", **changes))["code"] == code


@pytest.mark.parametrize(
    ("name", "body", "code"),
    [
        ("get_script_version_detail", {}, 1241005),
        ("get_script_version_detail", {"id": 999_999}, 1243047),
        ("get_script_version_list", {}, 1240003),
        ("get_script_version_list", {"script_id": "nothing"}, 1243001),
        ("create_script_version", {"script_id": "nothing", "content": "YQ==", "version": "1"}, 1243001),
        ("publish_script_version", {"script_id": "nothing", "script_version_id": 1}, 1243001),
        ("publish_script_version", {"script_id": "nothing"}, 1240003),
        ("get_job_plan_detail", {}, 1241007),
        ("get_job_plan_detail", {"job_plan_id": 999_999}, 1244012),
    ],
)
def test_what_is_not_there(world: World, name: str, body: dict[str, Any], code: int) -> None:
    """JOB's codes."""
    assert world.job.v3(name, {**bodies.SCOPE, **body})["code"] == code


def test_pages_are_put_right(world: World) -> None:
    """Never refused."""
    for name in ("get_account_list", "get_script_list", "get_job_plan_list", "get_job_template_list"):
        page = _data(world, name, {"start": -1, "length": 5000})
        assert (page["start"], page["length"]) == (0, 1000)
        assert _data(world, name, {"start": 2**62, "length": 0})["length"] == 20


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def _plan(world: World, name: str) -> tuple[int, int]:
    account = _data(world, "create_account", {"account": "app", "type": 1, "category": 1, "alias": name})[
        "id"
    ]
    target = Server(
        host_ids=(101, 999),
        ips=(IpRef(bk_cloud_id=1, ip="10.0.0.9"),),
        dynamic_groups=("g",),
        topo_nodes=(TopoNode(id=7, node_type="module"),),
    )
    steps = (
        PlanStep(
            id=0,
            name="Script",
            type=StepType.SCRIPT,
            target=Server(variable="hosts"),
            script=PlanScript(
                account_id=account,
                language=1,
                content="echo $word",
                param="hunter2",
                param_sensitive=True,
                timeout=60,
            ),
            ignore_error=True,
        ),
        PlanStep(
            id=0,
            name="File",
            type=StepType.FILE,
            target=target,
            file=PlanFile(
                account_id=account,
                target_path="/tmp/",
                sources=(
                    PlanFileSource(files=("/tmp/a",), account_id=999_999, server=Server(host_ids=(101,))),
                ),
                upload_speed_limit=5,
            ),
        ),
    )
    variables = (
        GlobalVariable(id=0, name="word", type=VariableType.STRING, value="hi", required=True),
        GlobalVariable(id=0, name="password", type=VariableType.CIPHER, value="hunter2"),
        GlobalVariable(id=0, name="hosts", type=VariableType.HOSTS, server=Server(host_ids=(101,))),
    )
    plans = world.stores.plans
    template = plans.create_template(
        Scope("biz", "1"), name=name, steps=steps, variables=variables, operator="admin", now_ms=NOW
    )
    only_first = frozenset({template.steps[0].id})
    plan_id = plans.create_plan(template, name=name, steps=only_first, operator="admin", now_ms=NOW)
    return plan_id, account


def test_plans(world: World, unique: Callable[[str], str]) -> None:
    """Every step and variable, those left out too; secrets are asterisks."""
    name = unique("plan")
    plan_id, account = _plan(world, name)
    page = _data(world, "get_job_plan_list", {"name": name})
    row = page["data"][0]
    assert row == {
        "id": plan_id,
        "job_template_id": row["job_template_id"],
        "name": name,
        "need_update": False,
        **SCOPE,
        **AUTHORSHIP,
    }
    detail = _data(world, "get_job_plan_detail", {"job_plan_id": plan_id})
    assert "hunter2" not in json.dumps(detail)
    script, file = detail.pop("step_list")
    variables = detail.pop("global_var_list")
    assert detail == {**row, "job_plan_id": plan_id}
    assert script == {
        "id": script["id"],
        "name": "Script",
        "type": 1,
        "enable": 1,
        "script_info": {
            "script_type": 1,
            "script_id": None,
            "script_version_id": None,
            "script_content": _base64("echo $word"),
            "script_language": 1,
            "script_param": _base64("******"),
            "windows_interpreter": None,
            "script_timeout": 60,
            "account": {"id": account, "name": "app", "alias": name},
            "server": {
                "variable": "hosts",
                "host_id_list": [],
                "ip_list": [],
                "dynamic_group_list": [],
                "topo_node_list": [],
            },
            "is_param_sensitive": 1,
            "is_ignore_error": 1,
        },
        "file_info": None,
        "approval_info": None,
    }
    assert (file["type"], file["enable"], file["script_info"]) == (2, 0, None)
    info = file["file_info"]
    assert (info["timeout"], info["transfer_mode"], info["is_ignore_error"]) == (7200, 2, 0)
    assert (info["source_speed_limit"], info["destination_speed_limit"]) == (5, None)
    assert info["file_destination"] == {
        "path": "/tmp/",
        "account": {"id": account, "name": "app", "alias": name},
        "server": {
            "variable": None,
            "host_id_list": [101, 999],
            "ip_list": [
                {"bk_host_id": 101, "bk_cloud_id": 0, "ip": "10.0.0.1"},
                {"bk_host_id": 999, "bk_cloud_id": None, "ip": None},
                {"bk_host_id": None, "bk_cloud_id": 1, "ip": "10.0.0.9"},
            ],
            "dynamic_group_list": [{"id": "g"}],
            "topo_node_list": [{"id": 7, "node_type": "module"}],
        },
    }
    source = info["file_source_list"][0]
    assert (source["file_type"], source["file_list"]) == (1, ["/tmp/a"])
    assert source["account"] == {"id": 999_999, "name": None, "alias": None}
    assert [
        (item["id"], item["name"], item["type"], item["value"], item["required"], item["used"])
        for item in variables
    ] == [
        (1, "word", 1, "hi", 1, True),
        (2, "password", 4, "******", 0, False),
        (3, "hosts", 3, None, 0, True),
    ]
    assert variables[2]["server"]["host_id_list"] == [101]
