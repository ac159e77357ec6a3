"""The APIs of crons, all the way to the database (contract d, i)."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from adapter.config import Settings
from adapter.errors import PlanEmpty
from adapter.job.actions import Action
from adapter.job.cron import Firing, Missed
from adapter.job.model import Host, JobInstance, Scope, ScriptTask, StepInstance
from adapter.job.plan import GlobalVariable, PlanScript, PlanStep
from adapter.job.status import LaunchMode, StepType, TaskType, VariableType
from adapter.service.applications import Applications
from adapter.store.crons import CronStore
from adapter.store.opening import Stores, open_store

from .client import JobClient
from .conftest import StoppedClock
from .real import TARGET, Real, build

BIZ = {"bk_scope_type": "biz", "bk_scope_id": "1"}
DAY = 24 * 3600 * 1000
SECRET = "s3cret-of-the-cron"


@pytest.fixture
def stores(tmp_path: Path) -> Iterator[Stores]:
    opened = open_store(Settings(data_dir=tmp_path))
    yield opened
    opened.close()


@pytest.fixture
def real(stores: Stores, tmp_path: Path) -> Real:
    return build(stores, StoppedClock(), Settings(data_dir=tmp_path))


def ok(reply: dict[str, Any]) -> Any:
    assert reply["code"] == 0, reply
    return reply["data"]


def v3(real: Real, api: str, /, **fields: Any) -> dict[str, Any]:
    return real.job.v3(api, {**BIZ, **fields})


def v2(real: Real, api: str, /, **fields: Any) -> dict[str, Any]:
    return real.job.v2(api, {**BIZ, **fields})


def saved(real: Real, **fields: Any) -> dict[str, Any]:
    """A cron of the plan that is there."""
    new = {"job_plan_id": real.plan_id, "name": "nightly", "expression": "0 3 * * *"} | fields
    found = ok(v3(real, "save_cron", **{name: value for name, value in new.items() if value is not None}))
    assert isinstance(found, dict)
    return found


def plan_of_all_types(stores: Stores, real: Real) -> int:
    """A plan in the same business with a string, a cipher, an array and hosts."""
    kinds = {"text": 1, "key": 4, "list": 6, "where": 3}
    template = stores.plans.create_template(
        Scope("biz", "1"),
        name="all",
        steps=(
            PlanStep(
                id=0,
                name="s",
                type=StepType.SCRIPT,
                target=TARGET,
                script=PlanScript(account_id=real.account_id, language=1, content="true"),
            ),
        ),
        variables=tuple(
            GlobalVariable(id=0, name=name, type=VariableType(kind), required=True)
            for name, kind in kinds.items()
        ),
        operator="admin",
        now_ms=1,
    )
    return stores.plans.create_plan(template, name="all", operator="admin", now_ms=1)


def test_the_life_of_a_cron(real: Real) -> None:
    """Saved, started, changed and by that stopped, deleted; its state is 2, 1 or 0 by who says it."""
    before = int(time.time())
    made = saved(real)
    cron_id = made["id"]
    assert before - 2 <= made["create_time"] == made["last_modify_time"] <= time.time() + 2
    assert made == {
        "id": cron_id,
        "bk_scope_type": "biz",
        "bk_scope_id": "1",
        "bk_biz_id": 1,
        "job_plan_id": real.plan_id,
        "name": "nightly",
        "status": 2,
        "expression": "0 3 * * *",
        "global_var_list": None,
        "creator": "admin",
        "create_time": made["create_time"],
        "last_modify_user": "admin",
        "last_modify_time": made["last_modify_time"],
        "execute_time_zone": "Asia/Shanghai",
    }
    assert ok(v3(real, "get_cron_detail", id=cron_id)) == {**made, "status": 0}
    started = ok(v3(real, "update_cron_status", id=cron_id, status=1))
    assert started["id"] == cron_id
    assert set(started.values()) == {cron_id, None}
    assert set(started) == set(made)
    assert ok(v3(real, "get_cron_detail", id=cron_id))["status"] == 1
    changed = ok(v3(real, "save_cron", id=cron_id, name="daily"))
    assert (changed["name"], changed["status"], changed["expression"]) == ("daily", 2, "0 3 * * *")
    ok(v3(real, "update_cron_status", id=cron_id, status=1))
    ok(v3(real, "update_cron_status", id=cron_id, status=7))
    assert ok(v3(real, "get_cron_detail", id=cron_id))["status"] == 0
    assert ok(v3(real, "delete_cron", id=cron_id)) is None
    assert v3(real, "get_cron_detail", id=cron_id)["code"] == 1245001


def test_get_has_numbers_as_strings(real: Real) -> None:
    """As ESB sends queries; an id of -1 is none."""
    query = {**BIZ, "job_plan_id": str(real.plan_id), "name": "get", "expression": "0 1 * * *", "id": "-1"}
    made = ok(real.job.get("/api/c/compapi/v2/jobv3/save_cron/", query))
    found = ok(real.job.get("/api/c/compapi/v2/jobv3/get_cron_detail/", {**BIZ, "id": str(made["id"])}))
    assert found["name"] == "get"


def test_a_cron_that_runs_once(real: Real) -> None:
    """Its time is in seconds; saying the one way of naming times ends the other."""
    later = int(time.time()) + 3600
    made = saved(real, expression=None, execute_time=later, execute_time_zone="Europe/Berlin")
    assert (made["expression"], made["execute_time_zone"]) == (None, "Europe/Berlin")
    ok(v3(real, "update_cron_status", id=made["id"], status=1))
    changed = ok(v3(real, "save_cron", id=made["id"], expression="*/5 * * * *"))
    assert (changed["expression"], changed["execute_time_zone"]) == ("*/5 * * * *", "Europe/Berlin")
    assert ok(v3(real, "save_cron", id=made["id"], execute_time=later))["expression"] is None
    assert ok(v3(real, "save_cron", id=made["id"], execute_time=later, expression="1 1 * * *"))["expression"]


PAST = 1_500_000_000


@pytest.mark.parametrize(
    ("fields", "code", "said"),
    [
        ({"job_plan_id": None}, 1241004, "[job_plan_id]"),
        ({"job_plan_id": 0}, 1241005, "[job_plan_id]"),
        ({"job_plan_id": 9_999}, 1244012, "[9999]"),
        ({"name": None}, 1241004, "[name]"),
        ({"name": "x" * 61}, 1240003, "Invalid name: must not be longer than 60"),
        ({"name": "a/b"}, 1240003, "Invalid name: must not contain any of"),
        ({"name": "two\nlines"}, 1240003, "Invalid name: must not contain control"),
        ({"expression": None}, 1241004, "[expression|execute_time]"),
        ({"expression": "0 3 * * ?"}, 1241005, "[expression]: 0 3 * * ? has a ?"),
        ({"expression": "0 0 30 2 *"}, 1241005, "[expression]: 0 0 30 2 * names no time"),
        ({"expression": "0 0 0 3 * *"}, 1241005, "[expression]: 0 0 0 3 * * must have five fields"),
        ({"expression": "nonsense"}, 1241005, "[expression]: nonsense must have"),
        ({"expression": "1," * 200 + "1 * * * *"}, 1241005, "[expression]: must have at most 255"),
        ({"expression": None, "execute_time": PAST}, 1245006, str(PAST)),
        ({"expression": None, "execute_time": 0}, 1241005, "[execute_time]"),
        ({"expression": None, "execute_time": 4_102_444_800_000}, 1241005, "give seconds"),
        ({"expression": None, "execute_time": 2**63 - 1}, 1241005, "give seconds"),
        ({"execute_time_zone": "Mars/Olympus"}, 1241005, "[execute_time_zone]: Mars/Olympus is no time zone"),
        ({"execute_time_zone": "../etc"}, 1241005, "[execute_time_zone]: ../etc"),
        ({"global_var_list": [{"value": "x"}]}, 1241005, "global_var.id|global_var.name"),
        ({"global_var_list": [{"name": "none"}]}, 1241005, "has no variable none"),
        ({"global_var_list": [{"id": 99}]}, 1241005, "has no variable 99"),
        ({"global_var_list": [{"name": "word"}, {"name": "word"}]}, 1241005, "[word] is given twice"),
        ({"global_var_list": "x"}, 1240003, "global_var_list"),
        ({"id": 12_345}, 1245001, "[12345]"),
        ({"bk_scope_id": "2"}, 1244012, "does not exist"),
    ],
)
def test_what_cannot_be_saved(real: Real, fields: dict[str, Any], code: int, said: str) -> None:
    """JOB's code and the value, in both languages, and nothing is stored."""
    body = {**BIZ, "job_plan_id": real.plan_id, "name": "n", "expression": "0 3 * * *", **fields}
    body = {name: value for name, value in body.items() if value is not None}
    reply = real.job.v3("save_cron", body)
    assert (reply["code"], reply["result"]) == (code, False)
    assert said in reply["message"]
    chinese = real.job.http.post(
        "/api/c/compapi/v2/jobv3/save_cron/",
        json={**real.job.credentials, **body},
        headers={"Blueking-Language": "zh-cn"},
    ).json()
    assert chinese["code"] == code
    assert any("一" <= letter <= "鿿" for letter in chinese["message"]) or code == 1240003
    assert ok(v3(real, "get_cron_list"))["total"] == 0


def test_a_name_is_taken_once_in_a_business(real: Real) -> None:
    """By a new one and by a change alike; its own name is no other's."""
    first, second = saved(real), saved(real, name="other")
    taken = v3(real, "save_cron", job_plan_id=real.plan_id, name="nightly", expression="0 3 * * *")
    assert (taken["code"], "[nightly]" in taken["message"]) == (1245004, True)
    assert v3(real, "save_cron", id=second["id"], name="nightly")["code"] == 1245004
    assert ok(v3(real, "save_cron", id=first["id"], name="nightly"))["name"] == "nightly"


def test_changes_that_are_none(real: Real) -> None:
    """Without any of four fields there is nothing to change; a bad field leaves all of the others."""
    made = saved(real)
    assert v3(real, "save_cron", id=made["id"], execute_time_zone="UTC")["code"] == 1241004
    assert v3(real, "save_cron", id=made["id"], name="new", expression="no")["code"] == 1241005
    assert ok(v3(real, "get_cron_detail", id=made["id"]))["name"] == "nightly"


@pytest.mark.parametrize("name", ["get_cron_detail", "delete_cron", "update_cron_status", "save_cron"])
def test_another_business_has_no_such_cron(real: Real, name: str) -> None:
    """Whatever is asked."""
    made = saved(real)
    reply = v3(real, name, id=made["id"], status=1, bk_scope_id="2", expression="0 4 * * *")
    assert (reply["code"], f"[{made['id']}]" in reply["message"]) == (1245001, True)
    assert ok(v3(real, "get_cron_list", id=made["id"], bk_scope_id="2"))["data"] == []
    assert ok(v3(real, "get_cron_detail", id=made["id"]))["expression"] == "0 3 * * *"


@pytest.mark.parametrize("status", [None, -1])
def test_a_state_must_be_one(real: Real, status: int | None) -> None:
    """1 starts, and whatever else is at least 0 stops."""
    reply = v3(real, "update_cron_status", id=saved(real)["id"], status=status)
    assert (reply["code"], "[status]" in reply["message"]) == (1241005, True)
    assert v3(real, "update_cron_status", status=1)["code"] == 1241005


def test_one_whose_only_time_has_passed_is_not_started(real: Real, stores: Stores) -> None:
    """1245006, with its time."""
    soon = int(time.time()) + 2
    made = saved(real, expression=None, execute_time=soon)
    time.sleep(2.1)
    reply = v3(real, "update_cron_status", id=made["id"], status=1)
    assert (reply["code"], str(soon) in reply["message"]) == (1245006, True)


def test_variables(real: Real, stores: Stores) -> None:
    """Of all types, by id or name; a cipher is encrypted, masked, and kept by who sends the mask back."""
    plan_id = plan_of_all_types(stores, real)
    plan = real.catalog.plan(plan_id)
    ids = {variable.name: variable.id for variable in plan.variables}
    given = [
        {"id": ids["text"], "name": "not looked at", "value": "hello"},
        {"name": "key", "value": SECRET},
        {"name": "list", "value": '("a" "b")'},
        {"name": "where", "server": {"ip_list": [{"bk_cloud_id": 0, "ip": "10.0.0.2"}]}},
    ]
    made = saved(real, job_plan_id=plan_id, global_var_list=given)
    where: dict[str, Any] = {
        "host_id_list": [],
        "dynamic_group_list": [],
        "topo_node_list": [],
        "variable": None,
    }
    where["ip_list"] = [{"bk_host_id": None, "bk_cloud_id": 0, "ip": "10.0.0.2"}]
    assert made["global_var_list"] == [
        {"id": ids["text"], "name": "text", "type": 1, "value": "hello", "server": None},
        {"id": ids["key"], "name": "key", "type": 4, "value": "******", "server": None},
        {"id": ids["list"], "name": "list", "type": 6, "value": '("a" "b")', "server": None},
        {"id": ids["where"], "name": "where", "type": 3, "value": None, "server": where},
    ]
    detail = ok(v3(real, "get_cron_detail", id=made["id"]))
    assert detail["global_var_list"] == made["global_var_list"]
    assert ok(v3(real, "get_cron_list"))["data"][0]["global_var_list"] is None
    with stores.engine.connect() as connection:
        stored = connection.exec_driver_sql("SELECT variables FROM cron").scalar_one()
    assert "hello" in stored
    assert SECRET not in stored
    again = [{"name": "key", "value": "******"}]
    changed = ok(v3(real, "save_cron", id=made["id"], name="n2", global_var_list=again))
    assert [item["name"] for item in changed["global_var_list"]] == ["key"]
    assert in_clear(stores, made["id"]) == [SECRET]
    assert ok(v3(real, "save_cron", id=made["id"], name="n3"))["global_var_list"] is not None
    assert in_clear(stores, made["id"]) == [SECRET]
    assert ok(v3(real, "save_cron", id=made["id"], name="n4", global_var_list=[]))["global_var_list"] is None


def in_clear(stores: Stores, cron_id: int) -> list[str]:
    """What a launch would be given."""
    found = CronStore(stores.engine, stores.box).get(cron_id)
    assert found is not None
    return [item.value for item in found.variables]


def test_variables_that_cannot_be(real: Real, stores: Stores) -> None:
    """A mask that stands for nothing, and an array that is none."""
    plan_id = plan_of_all_types(stores, real)
    for given, said in (
        ({"name": "key", "value": "******"}, "nothing is known that ****** stands for in variable [key]"),
        ({"name": "list", "value": "a b"}, "variable [list]"),
    ):
        body = {"job_plan_id": plan_id, "name": "n", "expression": "0 3 * * *", "global_var_list": [given]}
        reply = v3(real, "save_cron", **body)
        assert (reply["code"], said in reply["message"]) == (1241005, True), reply


def test_lists(real: Real) -> None:
    """By part of a name, state 0 or 1, people and times in seconds; an id is all that counts then."""
    ids = [saved(real, name=name)["id"] for name in ("alpha", "beta", "alphabet")]
    ok(v3(real, "update_cron_status", id=ids[0], status=1))

    def found(**fields: Any) -> list[int]:
        page = ok(v3(real, "get_cron_list", **fields))
        assert page["total"] == len(page["data"]) or "length" in fields or "start" in fields
        return [row["id"] for row in page["data"]]

    assert sorted(found()) == sorted(ids)
    assert sorted(found(name="alpha")) == sorted([ids[0], ids[2]])
    assert found(status=1) == [ids[0]]
    assert sorted(found(status=0)) == sorted(ids[1:])
    assert len(found(status=2)) == 3  # as JOB's code: not one of its states, whatever its documents say
    assert found(creator="nobody") == []
    assert len(found(creator="admin", last_modify_user="admin")) == 3
    now = int(time.time())
    assert len(found(create_time_start=now - 60, create_time_end=now + 60)) == 3
    assert found(create_time_start=now + 60) == []
    assert found(last_modify_time_end=now - 60, last_modify_time_start=-(2**63)) == []
    assert found(id=ids[1], name="alpha", status=1) == [ids[1]]
    assert found(id=ids[1], start=1) == []
    assert found(id=4_711) == []
    page = ok(v3(real, "get_cron_list", start=1, length=1))
    assert (page["start"], page["length"], page["total"], len(page["data"])) == (1, 1, 3, 1)


def test_v2(real: Real) -> None:
    """save_cron, update_cron_status and get_cron_list, with v2's names, states 1 and 2, and times as text."""
    made = ok(v2(real, "save_cron", bk_job_id=real.plan_id, cron_name="old", cron_expression="0 3 * * *"))
    cron_id = made["cron_id"]
    assert made == {
        "bk_scope_type": "biz",
        "bk_scope_id": "1",
        "bk_biz_id": 1,
        "bk_job_id": real.plan_id,
        "job_name": "real",
        "cron_id": cron_id,
        "cron_name": "old",
        "cron_status": 2,
        "cron_expression": "0 3 * * *",
        "creator": "admin",
        "create_time": made["create_time"],
        "last_modify_user": "admin",
        "last_modify_time": made["last_modify_time"],
    }
    assert time.strptime(made["create_time"], "%Y-%m-%d %H:%M:%S")
    assert ok(v2(real, "update_cron_status", cron_id=cron_id, cron_status=1)) == {"cron_id": cron_id}
    assert ok(v2(real, "get_cron_list", cron_id=cron_id)) == [{**made, "cron_status": 1}]
    assert ok(v2(real, "get_cron_list", cron_status=2)) == []
    assert len(ok(v2(real, "get_cron_list", cron_name="ol", cron_status=1, creator="admin"))) == 1
    assert len(ok(v2(real, "get_cron_list", create_time_start="2020-01-01"))) == 1
    assert ok(v2(real, "get_cron_list", create_time_end="2020-01-01")) == []
    for day in ("yesterday", "1969-12-31", "9999-12-31"):
        bad = v2(real, "get_cron_list", create_time_end=day)
        assert (bad["code"], f'a day from 1970 on, YYYY-MM-DD, not "{day}"' in bad["message"]) == (
            1240003,
            True,
        )
    changed = ok(v2(real, "save_cron", cron_id=cron_id, cron_expression="0 4 * * *"))
    assert (changed["cron_expression"], changed["cron_status"]) == ("0 4 * * *", 2)
    assert v2(real, "update_cron_status", cron_id=cron_id + 1, cron_status=1)["code"] == 1245001
    assert v2(real, "update_cron_status", cron_id=cron_id)["code"] == 1241005
    assert v2(real, "save_cron", cron_name="old")["code"] == 1241004


def test_who_changed_it_last(real: Real) -> None:
    """Its name is told: as whom it is launched."""
    made = saved(real)
    real.job.credentials["bk_username"] = "bob"
    ok(v3(real, "update_cron_status", id=made["id"], status=1))
    found = ok(v3(real, "get_cron_detail", id=made["id"]))
    assert (found["creator"], found["last_modify_user"]) == ("admin", "bob")


def test_what_became_of_its_times(real: Real, stores: Stores) -> None:
    """Below /api/ext/v1: when it is launched next, and each time with its job or the reason. No secret is told."""
    given = [{"name": "word", "value": "hi"}]
    cron_id = saved(real, expression="0 3 * * *", execute_time_zone="UTC", global_var_list=given)["id"]
    ok(v3(real, "update_cron_status", id=cron_id, status=1))
    store = CronStore(stores.engine, stores.box)
    cron = store.get(cron_id)
    assert cron is not None
    due = cron.next_fire_time
    assert due is not None
    missed = Missed(first=due, last=due + DAY, count=2)
    firing = Firing(
        cron_id=cron_id,
        revision=cron.revision,
        due=due,
        fire_time=due + 2 * DAY,
        missed=missed,
        next_fire_time=due + 3 * DAY,
    )
    store.settle(firing, refusal=PlanEmpty(cron.plan_id), why="late")
    path = f"/api/ext/v1/crons/{cron_id}/runs"
    found = ok(real.job.get(path, BIZ))
    refused, lost = found.pop("data")
    assert found == {
        "cron_id": cron_id,
        "name": "nightly",
        "job_plan_id": real.plan_id,
        "expression": "0 3 * * *",
        "execute_time": None,
        "execute_time_zone": "UTC",
        "started": True,
        "next_fire_time": due + 3 * DAY,
        "app_code": "real",
        "operator": "admin",
        "start": 0,
        "length": 20,
        "total": 2,
    }
    assert (refused["state"], refused["code"], refused["times"]) == ("refused", 1244011, 1)
    assert (lost["state"], lost["fire_time"], lost["last_fire_time"]) == ("missed", due, due + DAY)
    assert (lost["times"], lost["message"], lost["job_instance_id"]) == (2, "late", None)
    assert len(ok(real.job.get(path, {**BIZ, "start": "1", "length": "5"}))["data"]) == 1
    assert real.job.get(path, {**BIZ, "bk_scope_id": "2"})["code"] == 1245001


def test_jobs_of_crons_with_hosts_that_are_none(real: Real) -> None:
    """Lists find them by the cron; a host that only an address named has no id in any reply."""
    now = 1_700_000_000_000
    hosts = (
        Host(bk_host_id=101, bk_cloud_id=0, ip="10.0.0.1", name="a"),
        Host(bk_host_id=-1, bk_cloud_id=0, ip="10.6.6.6", name="invalid host 0:10.6.6.6", is_invalid=True),
    )
    step = StepInstance(name="s", script=ScriptTask(language=1, content="true"), create_time=now)
    job = JobInstance(
        scope=Scope("biz", "1"),
        name="by cron",
        type=TaskType.PLAN,
        launch_mode=LaunchMode.CRON,
        cron_id=7,
        create_time=now,
        steps=(step,),
    )
    stored = real.jobs.add(job, [hosts])
    job_id, step_id = stored.id, stored.steps[0].id
    span = {"create_time_start": now - 1, "create_time_end": now + 1}
    (row,) = ok(v3(real, "get_job_instance_list", job_cron_id=7, **span))["data"]
    assert (row["job_instance_id"], row["launch_mode"]) == (job_id, 3)
    assert ok(v3(real, "get_job_instance_list", job_cron_id=8, **span))["data"] is None
    assert len(ok(v3(real, "get_job_instance_list", job_cron_id=0, **span))["data"]) == 1
    status = ok(v3(real, "get_job_instance_status", job_instance_id=job_id, return_ip_result=True))
    results = status["step_instance_list"][0]["step_ip_result_list"]
    assert [(one["bk_host_id"], one["ip"]) for one in results] == [(101, "10.0.0.1"), (None, "10.6.6.6")]
    of_v2 = ok(v2(real, "get_job_instance_status", job_instance_id=job_id))
    shown = of_v2["blocks"][0]["step_instances"][0]["step_ip_status"]
    assert [one["bk_host_id"] for one in shown] == [101, None]
    of_v4 = real.job.v4(
        "batch_get_job_instance_execute_object_log",
        {
            **BIZ,
            "job_instance_id": job_id,
            "step_instance_id": step_id,
            "ip_list": [{"bk_cloud_id": 0, "ip": "10.6.6.6"}],
        },
    )
    (entry,) = of_v4["data"]["script_step_execute_object_logs"]
    assert entry["execute_object"]["resource_id"] == "0:10.6.6.6"
    assert "bk_host_id" not in entry["execute_object"]["host"]
    log = ok(
        v3(
            real,
            "get_job_instance_ip_log",
            job_instance_id=job_id,
            step_instance_id=step_id,
            bk_cloud_id=0,
            ip="10.6.6.6",
        )
    )
    assert (log["bk_host_id"], log["ip"]) == (None, "10.6.6.6")


def test_who_starts_a_cron_must_be_allowed_to_launch(real: Real, stores: Stores) -> None:
    """To save it and to stop it is to manage; JOB asks at the start what it will ask at each of its times."""
    made = saved(real)
    secret = Applications(stores.apps, StoppedClock()).create(
        "manager", actions=frozenset({Action.MANAGE}), act_as_any_user=True
    )
    credentials = {"bk_app_code": "manager", "bk_app_secret": secret, "bk_username": "eve"}
    manager = JobClient(real.job.http, credentials)
    refused = manager.v3("update_cron_status", {**BIZ, "id": made["id"], "status": 1})
    assert (refused["code"], refused["permission"]["actions"][0]["id"]) == (9900403, "launch_job_plan")
    assert ok(v3(real, "get_cron_detail", id=made["id"]))["status"] == 0
    assert ok(manager.v3("save_cron", {**BIZ, "id": made["id"], "name": "mine"}))["name"] == "mine"
    ok(manager.v3("update_cron_status", {**BIZ, "id": made["id"], "status": 2}))


def test_the_service_of_crons_has_their_paths(real: Real) -> None:
    """JOB's own gateway has them below job-crontab."""
    headers = {"X-Bkapi-Authorization": json.dumps(real.job.credentials)}
    for service, code in (("job-crontab", 0), ("job-manage", 1240003)):
        reply = real.job.http.post(f"/api/job/v3/{service}/get_cron_list", json=BIZ, headers=headers).json()
        assert reply["code"] == code
