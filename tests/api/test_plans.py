"""Templates and plans in v3's lists, v2 and v4: every field, every filter, what is refused (contract b4, d, i)."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from adapter.config import Settings
from adapter.job.model import IpRef, Scope, Server, TopoNode
from adapter.job.plan import (
    GlobalVariable,
    PlanApproval,
    PlanFile,
    PlanFileSource,
    PlanScript,
    PlanStep,
)
from adapter.job.status import StepType, VariableType
from adapter.store.opening import Stores, open_store

from .bodies import SCOPE as BIZ
from .client import GATEWAY_V4, envelope_v4
from .conftest import StoppedClock
from .real import Real, build

SCOPE = {"bk_scope_type": "biz", "bk_scope_id": "1", "bk_biz_id": 1}
NOW = StoppedClock().now_ms()
NOW_TEXT = datetime.fromtimestamp(NOW / 1000).strftime("%Y-%m-%d %H:%M:%S")
TODAY = NOW_TEXT[:10]
AUTHORED = {"creator": "ann", "create_time": NOW, "last_modify_user": "ann", "last_modify_time": NOW}
AUTHORED_V2 = AUTHORED | {"create_time": NOW_TEXT, "last_modify_time": NOW_TEXT}
HOST = {"bk_host_id": 101, "bk_cloud_id": 0, "ip": "10.0.0.1"}
TARGET = Server(
    host_ids=(101,),
    ips=(IpRef(bk_cloud_id=1, ip="10.0.0.9"),),
    dynamic_groups=("g",),
    topo_nodes=(TopoNode(id=7, node_type="module"),),
)
IPS = [HOST, {"bk_host_id": None, "bk_cloud_id": 1, "ip": "10.0.0.9"}]
NODES = [{"id": 7, "node_type": "module"}]
NOWHERE = {
    "ip_list": [],
    "custom_query_id": [],
    "target_server": {"variable": None, "ip_list": [], "dynamic_group_id_list": [], "topo_node_list": []},
}


@pytest.fixture
def stores(tmp_path: Path) -> Iterator[Stores]:
    """A database of its own: lists are looked at as a whole."""
    opened = open_store(Settings(data_dir=tmp_path))
    yield opened
    opened.close()


@pytest.fixture
def real(stores: Stores, tmp_path: Path) -> Real:
    """The application on it, with the template and the plan `real` (ids 1) in it."""
    return build(stores, StoppedClock(), Settings(data_dir=tmp_path))


@pytest.fixture
def release(real: Real, stores: Stores) -> int:
    """The template `release`, id 2, of four steps, with the plan `all but the file`, id 2."""
    account = real.account_id
    steps = (
        PlanStep(
            id=0,
            name="Library",
            type=StepType.SCRIPT,
            target=Server(variable="hosts"),
            script=PlanScript(account_id=account, script_id=real.script_id, param="a b", timeout=60),
        ),
        PlanStep(
            id=0,
            name="Secret",
            type=StepType.SCRIPT,
            target=TARGET,
            script=PlanScript(
                account_id=account, language=1, content="echo $word", param="hunter2", param_sensitive=True
            ),
            ignore_error=True,
        ),
        PlanStep(
            id=0,
            name="File",
            type=StepType.FILE,
            target=TARGET,
            file=PlanFile(
                account_id=account,
                target_path="/tmp/",
                sources=(PlanFileSource(files=("/a",), account_id=account, server=Server(variable="hosts")),),
                upload_speed_limit=5,
            ),
        ),
        PlanStep(
            id=0,
            name="Ask",
            type=StepType.APPROVAL,
            target=Server(),
            approval=PlanApproval(message="Go on?", users=("ann",), roles=("JOB_RESOURCE_OWNER",)),
        ),
    )
    variables = (
        GlobalVariable(
            id=0, name="word", type=VariableType.STRING, value="hi", required=True, description="d"
        ),
        GlobalVariable(id=0, name="password", type=VariableType.CIPHER, value="hunter2"),
        GlobalVariable(id=0, name="hosts", type=VariableType.HOSTS, server=TARGET),
        GlobalVariable(id=0, name="list", type=VariableType.INDEX_ARRAY, value="(a)"),
        GlobalVariable(id=0, name="map", type=VariableType.ASSOC_ARRAY, value="([a]=b)"),
    )
    template = stores.plans.create_template(
        Scope("biz", "1"),
        name="release",
        steps=steps,
        variables=variables,
        description="what for",
        operator="ann",
        now_ms=NOW,
    )
    library, secret, _, ask = (step.id for step in template.steps)
    stores.plans.create_plan(
        template,
        name="all but the file",
        steps=frozenset({library, secret, ask}),
        operator="ann",
        now_ms=NOW,
    )
    return template.id


def data(reply: dict[str, Any]) -> Any:
    """What was answered."""
    assert reply["code"] == 0, reply
    return reply["data"]


def base64_of(text: str) -> str:
    """As JOB shows texts of scripts."""
    return base64.b64encode(text.encode()).decode()


# --- v3 --------------------------------------------------------------------------------------------------


def test_templates_of_v3(real: Real, release: int) -> None:
    """Every field, last changed first; pages are put right."""
    page = data(real.job.v3("get_job_template_list", {**BIZ, "length": 1}))
    row = {"id": release, "name": "release", "description": "what for", **SCOPE, **AUTHORED}
    assert page == {"start": 0, "length": 1, "total": 2, "data": [row]}
    assert data(real.job.v3("get_job_template_list", {**BIZ, "start": -1, "length": 5000}))["length"] == 1000


@pytest.mark.parametrize(
    ("wanted", "templates", "plans"),
    [
        ({}, 2, 2),
        ({"name": "AL"}, 1, 2),
        ({"name": "rele"}, 1, 0),
        ({"name": "%"}, 0, 0),
        ({"creator": "ann"}, 1, 1),
        ({"last_modify_user": "admin"}, 1, 1),
        ({"create_time_start": NOW, "create_time_end": str(NOW)}, 1, 1),
        ({"create_time_end": NOW - 1}, 1, 1),
        ({"last_modify_time_start": NOW + 1}, 0, 0),
        ({"last_modify_time_end": 1}, 1, 1),
        ({"creator": "ann", "name": "real"}, 0, 0),
    ],
)
@pytest.mark.usefixtures("release")
def test_filters_of_v3(real: Real, wanted: dict[str, Any], templates: int, plans: int) -> None:
    """By GET, where every value is a string, and by POST."""
    for name, found in (("get_job_template_list", templates), ("get_job_plan_list", plans)):
        assert data(real.job.v3(name, {**BIZ, **wanted}))["total"] == found
        assert data(real.job.get(f"/api/v3/{name}", {**BIZ, **wanted}))["total"] == found


def test_a_plan_says_that_it_needs_an_update(real: Real, release: int, stores: Stores) -> None:
    """In the list and in the detail, as soon as its template changes."""
    template = stores.plans.template(release)
    assert template is not None
    stores.plans.update_template(
        release,
        name="release",
        steps=template.steps[:1],
        variables=template.variables,
        description="",
        operator="bob",
        now_ms=NOW,
    )
    page = data(real.job.v3("get_job_plan_list", {**BIZ, "job_template_id": release}))
    assert [row["need_update"] for row in page["data"]] == [True]
    detail = data(real.job.v3("get_job_plan_detail", {**BIZ, "job_plan_id": 2}))
    assert detail["need_update"] is True
    assert len(detail["step_list"]) == 4


def test_a_library_script_and_a_question_of_v3(real: Real, release: int) -> None:
    """What a script of the library says is shown, in base64; so is who is asked. Disabled steps are in sight."""
    assert release
    detail = data(real.job.v3("get_job_plan_detail", {**BIZ, "job_plan_id": 2}))
    assert (detail["id"], detail["job_plan_id"]) == (2, 2)
    library, secret, file, ask = detail["step_list"]
    assert [step["enable"] for step in detail["step_list"]] == [1, 1, 0, 1]
    info = library["script_info"]
    assert (info["script_type"], info["script_id"]) == (2, real.script_id)
    assert (info["script_version_id"], info["script_language"]) == (real.script_version_id, 1)
    assert info["script_content"] == base64_of("echo hello $1")
    assert info["script_param"] == base64_of("a b")
    assert secret["script_info"]["script_param"] == base64_of("******")
    assert file["file_info"]["source_speed_limit"] == 5
    assert ask["approval_info"] == {
        "approval_type": 1,
        "approval_user": {"user_list": ["ann"], "role_list": ["JOB_RESOURCE_OWNER"]},
        "approval_message": "Go on?",
        "notify_channel": [],
    }


# --- v2 --------------------------------------------------------------------------------------------------


def test_the_list_of_v2(real: Real, release: int) -> None:
    """A plain array of all plans; times are text."""
    assert release
    rows = data(real.job.v2("get_job_list", {"bk_biz_id": 1}))
    assert [row["bk_job_id"] for row in rows] == [2, real.plan_id]
    assert rows[0] == {**SCOPE, "bk_job_id": 2, "name": "all but the file", "step_num": 3, **AUTHORED_V2}
    assert rows[1]["step_num"] == 2


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({"name": "all"}, [2]),
        ({"creator": "admin"}, [1]),
        ({"last_modify_user": "ann"}, [2]),
        ({"create_time_start": TODAY, "create_time_end": TODAY}, [2]),
        ({"create_time_end": "2000-01-01"}, [1]),
        ({"last_modify_time_start": "2000-01-01"}, [2]),
        ({"last_modify_time_end": "1971-01-01"}, [1]),
        ({"start": 1}, [1]),
        ({"length": 1}, [2]),
        ({"start": -5, "length": 0}, [2, 1]),
        ({"start": 7}, []),
    ],
)
@pytest.mark.usefixtures("release")
def test_filters_of_v2(real: Real, wanted: dict[str, Any], found: list[int]) -> None:
    """A day is all of it, in the service's time zone."""
    rows = data(real.job.v2("get_job_list", {"bk_biz_id": 1, **wanted}))
    assert [row["bk_job_id"] for row in rows] == found


@pytest.mark.parametrize("day", ["2023-02-30", "yesterday", "1700000000", "1969-12-31", "9999-12-31", "2023"])
def test_days_that_are_none(real: Real, day: str) -> None:
    """1240003 with the field and the value."""
    reply = real.job.v2("get_job_list", {"bk_biz_id": 1, "create_time_end": day})
    assert reply["code"] == 1240003
    assert "create_time_end" in reply["message"]
    assert day in reply["message"]


def test_the_detail_of_v2(real: Real, release: int) -> None:
    """Every field of contract i; the step that the plan leaves out is not there."""
    detail = data(real.job.v2("get_job_detail", {"bk_biz_id": 1, "bk_job_id": 2}))
    assert "hunter2" not in str(detail)
    steps, variables = detail.pop("steps"), detail.pop("global_vars")
    assert detail == {
        **SCOPE,
        "bk_job_id": 2,
        "name": "all but the file",
        **AUTHORED_V2,
        "template_id": release,
        "tag_id": "1",
        "step_num": 3,
    }
    targets = {
        "ip_list": IPS,
        "custom_query_id": ["g"],
        "target_server": {
            "variable": None,
            "ip_list": IPS,
            "dynamic_group_id_list": ["g"],
            "topo_node_list": NODES,
        },
    }
    assert steps[1] == {
        "step_id": steps[1]["step_id"],
        "name": "Secret",
        "type": 1,
        "block_order": 2,
        "block_name": "Secret",
        "order": 2,
        "pause": 0,
        **AUTHORED_V2,
        "script_id": None,
        "script_type": 1,
        "script_content": "echo $word",
        "script_param": "******",
        "script_timeout": 7200,
        "is_param_sensitive": 1,
        "account": "root",
        "account_id": real.account_id,
        "db_account_id": 0,
        "file_target_path": None,
        "file_source": None,
        "confirm_message": None,
        **targets,
    }
    assert (steps[0]["script_id"], steps[0]["script_type"], steps[0]["script_content"]) == (
        real.script_version_id,
        1,
        "echo hello $1",
    )
    assert steps[0]["target_server"]["variable"] == "hosts"
    assert [(step["name"], step["order"]) for step in steps] == [("Library", 1), ("Secret", 2), ("Ask", 3)]
    assert (steps[2]["type"], steps[2]["confirm_message"]) == (3, "Go on?")
    word, password, hosts, array, mapping = variables
    assert word == {
        "id": 1,
        "type": 1,
        "category": 1,
        "name": "word",
        "value": "hi",
        "description": "d",
        "step_ids": None,
        **NOWHERE,
    }
    assert (password["type"], password["category"], password["value"]) == (1, 4, "******")
    assert (hosts["type"], hosts["category"], hosts["value"]) == (2, 3, None)
    assert (hosts["ip_list"], hosts["step_ids"]) == (IPS, [steps[0]["step_id"]])
    assert [(item["type"], item["category"]) for item in (array, mapping)] == [(3, 6), (4, 5)]


def test_files_in_the_detail_of_v2(real: Real) -> None:
    """Of the plan that has them."""
    detail = data(real.job.v2("get_job_detail", {"bk_biz_id": 1, "bk_job_id": real.plan_id}))
    file = detail["steps"][1]
    assert (file["type"], file["file_target_path"], file["account"]) == (2, "/tmp/b/", "root")
    (source,) = file["file_source"]
    assert (source["files"], source["account"], source["ip_list"]) == (["/tmp/a"], "root", [HOST])


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, 1241007),
        ({"bk_job_id": 0}, 1241007),
        ({"bk_job_id": 99}, 1244012),
        ({"bk_job_id": 2**63 - 1}, 1244012),
        ({"bk_job_id": 2**63}, 1240003),
        ({"bk_biz_id": 2, "bk_job_id": 1}, 1244012),
    ],
)
def test_plans_of_v2_that_there_are_none_of(real: Real, body: dict[str, Any], code: int) -> None:
    """1241007 names bk_job_id; another business's is none."""
    reply = real.job.v2("get_job_detail", {"bk_biz_id": 1, **body})
    assert reply["code"] == code
    if code == 1241007:
        assert "[bk_job_id]" in reply["message"]


# --- v4 --------------------------------------------------------------------------------------------------


def test_a_template_of_v4(real: Real, release: int) -> None:
    """Every field; nothing that is null is there; secrets are asterisks."""
    path, query = f"{GATEWAY_V4}/get_job_template_detail", {**BIZ, "id": str(release)}
    reply = envelope_v4(real.job.http.get(path, params={**real.job.credentials, **query}), 200)
    assert "hunter2" not in str(reply)
    found = reply["data"]
    assert found == real.job.v4("get_job_template_detail", {**BIZ, "id": release})["data"]
    steps, variables = found.pop("step_list"), found.pop("global_var_list")
    assert found == {"id": release, "name": "release", "description": "what for", **SCOPE, **AUTHORED}
    target = {
        "host_list": [HOST, {"bk_cloud_id": 1, "ip": "10.0.0.9"}],
        "dynamic_group_list": [{"id": "g"}],
        "topo_node_list": NODES,
    }
    account = {"id": real.account_id, "name": "root", "alias": "root"}
    library, secret, file, ask = steps
    assert library == {
        "id": library["id"],
        "name": "Library",
        "type": 1,
        "script_info": {
            "script_type": 2,
            "script_id": real.script_id,
            "script_version_id": real.script_version_id,
            "script_content": base64_of("echo hello $1"),
            "script_language": 1,
            "script_param": base64_of("a b"),
            "script_timeout": 60,
            "account": account,
            "execute_target": {"variable": "hosts"},
            "is_param_sensitive": 0,
            "is_ignore_error": 0,
        },
    }
    assert secret["script_info"]["execute_target"] == target
    assert secret["script_info"]["is_ignore_error"] == 1
    assert file["file_info"] == {
        "file_source_list": [
            {
                "file_list": ["/a"],
                "file_type": 1,
                "account": account,
                "execute_target": {"variable": "hosts"},
            }
        ],
        "file_destination": {"path": "/tmp/", "account": account, "execute_target": target},
        "timeout": 7200,
        "transfer_mode": 2,
        "source_speed_limit": 5,
        "is_ignore_error": 0,
    }
    assert ask["approval_info"]["approval_message"] == "Go on?"
    assert variables[0] == {
        "id": 1,
        "name": "word",
        "type": 1,
        "description": "d",
        "required": 1,
        "value": "hi",
    }
    assert variables[1]["value"] == "******"
    assert variables[2]["execute_target"] == target


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"id": 0}, 400, "1241025"),
        ({"id": None}, 400, "1241025"),
        ({"id": 2**63}, 400, "1241025"),
        ({"id": 99}, 404, "1243026"),
        ({"bk_scope_id": "2"}, 404, "1243026"),
    ],
)
def test_templates_of_v4_that_there_are_none_of(
    real: Real, changes: dict[str, Any], status: int, code: str
) -> None:
    """Also another business's."""
    error = real.job.v4("get_job_template_detail", {**BIZ, "id": 1, **changes}, status)["error"]
    assert error["details"][0]["code"] == code


def test_a_plan_is_made_and_can_be_launched(real: Real, release: int) -> None:
    """With some steps and values of its own; addresses become ids."""
    targets = {"host_list": [{"bk_host_id": 103}, {"bk_cloud_id": 0, "ip": "10.0.0.2"}]}
    body = {
        **BIZ,
        "job_template_id": release,
        "name": "made",
        "enable_steps": [real.step_ids[1] + 1],
        "variables": [
            {"name": "word", "value": "ho"},
            {"name": "hosts", "execute_target": targets},
            {"name": "list", "follow_template": True},
        ],
    }
    made = real.job.v4("create_job_plan", body)["data"]
    assert made == {
        **SCOPE,
        "job_plan_id": 3,
        "job_plan_name": "made",
        "job_template_id": release,
        "creator": "admin",
        "create_time": NOW,
        "need_update": False,
    }
    detail = data(real.job.v3("get_job_plan_detail", {**BIZ, "job_plan_id": 3}))
    assert [step["enable"] for step in detail["step_list"]] == [1, 0, 0, 0]
    word, _, hosts, array, _ = detail["global_var_list"]
    assert (word["value"], array["value"]) == ("ho", "(a)")
    assert hosts["server"]["host_id_list"] == [103, 102]
    launched = data(real.job.v3("execute_job_plan", {**BIZ, "job_plan_id": 3}))
    job = real.jobs.get(launched["job_instance_id"])
    assert job is not None
    assert [step.name for step in job.steps] == ["Library"]
    assert [result.host.bk_host_id for result in real.jobs.hosts(job.steps[0].id, 0)] == [103, 102]


@pytest.mark.parametrize(
    ("changes", "status", "code", "told"),
    [
        ({"job_template_id": None}, 400, "1241025", "job_template_id"),
        ({"job_template_id": 0}, 400, "1241025", "job_template_id"),
        ({"job_template_id": 2**63}, 400, "1241025", "job_template_id"),
        ({"job_template_id": 99}, 404, "1243026", "[99]"),
        ({"bk_scope_id": "2"}, 404, "1243026", "does not exist"),
        ({"name": None}, 400, "1241025", "name"),
        ({"name": "x" * 61}, 400, "1241025", "60"),
        ({"name": "a'b"}, 400, "1240003", "Invalid name"),
        ({"name": " real "}, 409, "1243042", "[real]"),
        ({"enable_steps": []}, 400, "1241025", "enable_steps must not be empty"),
        ({"enable_steps": [99]}, 400, "1241010", "step 99"),
        ({"enable_steps": ["x"]}, 400, "1241025", "enable_steps[0]"),
        ({"variables": [{"value": "x"}]}, 400, "1241025", "variables[0].name"),
        ({"variables": [{"name": "none", "value": "x"}]}, 400, "1241010", "no variable none"),
        ({"variables": [{"name": "word"}, {"name": "word"}]}, 400, "1241010", "word is listed twice"),
        (
            {"variables": [{"name": "word", "execute_target": {"host_list": [{"bk_host_id": 101}]}}]},
            400,
            "1241010",
            "word has a value",
        ),
        (
            {
                "variables": [
                    {"name": "word", "execute_target": {"host_list": [{"bk_cloud_id": 0, "ip": "10.9.9.9"}]}}
                ]
            },
            400,
            "1241010",
            "there is no host 0:10.9.9.9",
        ),
        (
            {"variables": [{"name": "word", "execute_target": {"host_list": [{"ip": "10.9.9.9"}]}}]},
            400,
            "1241025",
            "variables[0].execute_target.host_list[0].bk_host_id",
        ),
    ],
)
def test_plans_that_are_not_made(
    real: Real, changes: dict[str, Any], status: int, code: str, told: str
) -> None:
    """JOB's code, the field and the value; and there is no plan more."""
    error = real.job.v4("create_job_plan", {**BIZ, "job_template_id": 1, "name": "p", **changes}, status)[
        "error"
    ]
    assert error["details"][0]["code"] == code
    assert told in error["details"][0]["message"]
    assert data(real.job.v3("get_job_plan_list", BIZ))["total"] == 1


def test_a_cipher_is_in_no_message(real: Real, release: int) -> None:
    """Whatever is wrong with it."""
    variables = [{"name": "password", "value": {"hunter2": 1}}]
    body = {**BIZ, "job_template_id": release, "name": "p", "variables": variables}
    assert "hunter2" not in str(real.job.v4("create_job_plan", body, 400))


def test_of_those_that_take_a_name_at_once_one_does(real: Real) -> None:
    """409 for the others, and nothing half-written."""

    def make(_: int) -> int:
        body = {**BIZ, **real.job.credentials, "job_template_id": 1, "name": "p"}
        answer = real.job.http.post(f"{GATEWAY_V4}/create_job_plan", json=body)
        assert answer.status_code == 200 or answer.json()["error"]["code"] == "ALREADY_EXISTS"
        return int(answer.status_code)

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(make, range(4))) == [200, 409, 409, 409]
    assert data(real.job.v3("get_job_plan_list", BIZ))["total"] == 2
