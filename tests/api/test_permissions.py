"""Who may do what, over HTTP: what is refused leaves nothing behind."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from adapter.api.uploads_v3 import PATH as UPLOADS
from adapter.config import Settings
from adapter.job.actions import Action
from adapter.job.commands import AccountRef, JobFilter
from adapter.job.model import Account, Scope
from adapter.store.opening import Stores, open_store
from adapter.store.permissions import PermissionStore, UserPermission

from . import bodies
from .client import ESB_V2, ESB_V3, GATEWAY_V4, JobClient, envelope, envelope_v4
from .conftest import StoppedClock
from .real import Real, build

ONE = Scope("biz", "1")


@pytest.fixture(scope="module")
def stores(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stores]:
    """A database of these tests' own."""
    opened = open_store(Settings(data_dir=tmp_path_factory.mktemp("permissions")))
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def real(stores: Stores, tmp_path_factory: pytest.TempPathFactory) -> Real:
    """The application over real use cases."""
    return build(stores, StoppedClock(), Settings(data_dir=tmp_path_factory.mktemp("settings")))


def allow(
    stores: Stores, user: str, actions: set[Action] | None, accounts: set[str] | None = None, **changes: Any
) -> None:
    """Register what a user of the application may do in business 1."""
    wanted = UserPermission(
        app_code="real",
        user=user,
        scope=ONE,
        actions=None if actions is None else frozenset(actions),
        accounts=None if accounts is None else frozenset(accounts),
    )
    PermissionStore(stores.engine).set(replace(wanted, **changes))


def as_user(real: Real, user: str) -> JobClient:
    """The client of another user."""
    return JobClient(real.job.http, {**real.job.credentials, "bk_username": user})


def script(real: Real, **changes: Any) -> dict[str, Any]:
    """A launch that can be carried out."""
    body = bodies.v3("fast_execute_script") | {"account_alias": None, "account_id": real.account_id} | changes
    return {name: value for name, value in body.items() if value is not None}


def sql(real: Real) -> dict[str, Any]:
    """The same of a database's account."""
    return bodies.v3("fast_execute_sql", db_account_id=real.db_account_id)


def jobs(real: Real) -> int:
    """How many there are."""
    every = JobFilter(scope=ONE, create_time_start=0, create_time_end=2**52, start=0, length=1)
    return real.jobs.list(every)[0]


def test_a_user_without_the_action(real: Real, stores: Stores) -> None:
    """9900403 with IAM's action; nothing is stored, nothing runs."""
    allow(stores, "viewer", {Action.VIEW})
    viewer, before, woken = as_user(real, "viewer"), jobs(real), len(real.woken)
    reply = viewer.v3("fast_execute_script", script(real))
    assert (reply["code"], reply["data"]) == (9900403, None)
    assert reply["permission"]["actions"][0]["id"] == "quick_execute_script"
    assert "user [viewer] of APP [real] may not launch in [biz_1]" in reply["message"]
    reply = viewer.v3("create_account", {**bodies.SCOPE, "account": "x", "category": 1, "type": 1})
    assert (reply["code"], reply["permission"]["actions"][0]["id"]) == (9900403, "create_account")
    reply = viewer.v3("operate_job_instance", {**bodies.SCOPE, "job_instance_id": 1, "operation_code": 1})
    assert reply["code"] == 9900403
    assert (jobs(real), len(real.woken)) == (before, woken)
    assert viewer.v3("get_job_instance_list", bodies.v3("get_job_instance_list"))["code"] == 0


def test_v2_and_v4_say_it_their_way(real: Real, stores: Stores) -> None:
    """v4 with HTTP 403, NO_PERMISSION and the object as data."""
    allow(stores, "viewer", {Action.VIEW})
    credentials = {**real.job.credentials, "bk_username": "viewer"}
    body = {**bodies.v2("fast_execute_script"), **credentials}
    reply = envelope(real.job.http.post(f"{ESB_V2}/fast_execute_script/", json=body))
    assert (reply["code"], "permission" in reply) == (9900403, True)
    body = {**bodies.v4("fast_execute_script"), **credentials}
    error = envelope_v4(real.job.http.post(f"{GATEWAY_V4}/fast_execute_script", json=body), 403)["error"]
    assert error["code"] == "NO_PERMISSION"
    assert error["data"]["actions"][0]["id"] == "quick_execute_script"
    assert error["details"][0]["code"] == "9900403"
    chinese = real.job.http.post(
        f"{ESB_V3}/fast_execute_script/",
        json={**script(real), **credentials},
        headers={"Blueking-Language": "zh-cn"},
    )
    assert "没有 launch 权限" in chinese.json()["message"]


def test_an_account_that_is_not_allowed(real: Real, stores: Stores) -> None:
    """1244004 with the account in the object, in every launch that names one; nothing is stored."""
    allow(stores, "worker", None, {"nobody"})
    worker, before = as_user(real, "worker"), jobs(real)
    transfer = bodies.v3("fast_transfer_file")
    for name, body in (
        ("fast_execute_script", script(real)),
        ("fast_execute_script", script(real, account_id=None, account_alias="root")),
        ("fast_transfer_file", transfer),
        ("push_config_file", bodies.v3("push_config_file")),
        ("execute_job_plan", {**bodies.SCOPE, "job_plan_id": real.plan_id}),
        ("fast_execute_sql", sql(real)),
    ):
        reply = worker.v3(name, body)
        assert (name, reply["code"], reply["data"]) == (name, 1244004, None), reply
        action = reply["permission"]["actions"][0]
        assert action["id"] == "use_account"
        assert action["related_resource_types"][0]["type"] == "account"
    assert "No permission to use account: [app] in [biz_1]" in reply["message"]
    assert jobs(real) == before
    body = {**bodies.v4("fast_execute_script", account_alias="root"), **worker.credentials}
    error = envelope_v4(real.job.http.post(f"{GATEWAY_V4}/fast_execute_script", json=body), 403)["error"]
    assert (error["code"], error["details"][0]["code"]) == ("NO_PERMISSION", "1244004")


def test_an_account_that_is_allowed(real: Real, stores: Stores) -> None:
    """By alias, by id, and a database's without its system account."""
    allow(stores, "deployer", None, {"root"})
    assert as_user(real, "deployer").v3("fast_execute_script", script(real))["code"] == 0
    allow(stores, "deployer", None, {f"ID={real.account_id}"})
    assert as_user(real, "deployer").v3("fast_execute_script", script(real))["code"] == 0
    allow(stores, "dba", None, {"app"})
    assert as_user(real, "dba").v3("fast_execute_sql", sql(real))["code"] == 0
    assert as_user(real, "dba").v3("fast_execute_script", script(real))["code"] == 1244004


def test_who_may_use_some_accounts_cannot_give_another_one_their_name(real: Real, stores: Stores) -> None:
    """Neither by renaming root, nor by making it anew, nor by way of a database's; all else stays possible."""

    def account(alias: str, **changes: Any) -> Account:
        values: dict[str, Any] = {"account": "root", "category": 1, "type": 1, **changes}
        return real.catalog.create_account(ONE, user="admin", alias=alias, **values)

    powerful, own = account("powerful"), account("deploy")
    database = account("db", category=2, type=9, password="p", db_system_account_id=own.id)
    client = as_user(real, "climber")

    def changed(api: str, **fields: Any) -> int:
        reply = client.v3(api, {**bodies.SCOPE, **fields})
        if reply["code"] == 9900403:
            assert reply["permission"]["actions"][0]["id"] in ("manage_account", "create_account")
        return int(reply["code"])

    allow(stores, "climber", None, {"deploy"})
    for alias in ("deploy2", "deploy"):
        assert changed("update_account", id=powerful.id, alias=alias) == 9900403
    assert changed("update_account", id=own.id, alias="away") == 9900403
    assert changed("create_account", account="root", category=1, type=1, alias="deploy3") == 9900403
    assert changed("update_account", id=database.id, db_system_account_id=powerful.id) == 9900403
    assert {found.alias for found in real.catalog.get_account_list(ONE).items} >= {"powerful", "deploy", "db"}
    assert "deploy3" not in {found.alias for found in real.catalog.get_account_list(ONE).items}
    assert real.catalog.account(ONE, AccountRef(id=database.id)).db_system_account_id == own.id
    assert changed("update_account", id=own.id, alias="deploy", description="mine", password="new") == 0
    assert changed("update_account", id=database.id, db_system_account_id=own.id, db_port=3306) == 0
    assert changed("update_account", id=10**9, alias="deploy") == 1244003
    allow(stores, "climber", {Action.MANAGE})
    assert changed("update_account", id=powerful.id, alias="renamed") == 0
    PermissionStore(stores.engine).set(
        UserPermission(
            app_code="real",
            user="climber",
            scope=Scope("biz", "2"),
            actions=None,
            accounts=frozenset({"renamed"}),
        )
    )
    assert changed("update_account", id=own.id, alias="renamed2") == 9900403, "another business names some"


def test_sources_of_files_are_run_as_somebody_too(real: Real, stores: Stores) -> None:
    """An account that may be used on the targets alone is no way to read what another may read."""
    other = real.catalog.create_account(ONE, user="admin", account="reader", category=1, type=1)
    allow(stores, "pusher", None, {"root"})
    body = bodies.v3("fast_transfer_file", account_alias="root", account_id=None)
    source = {**body["file_source_list"][0], "account": {"id": other.id}}
    body = {name: value for name, value in body.items() if value is not None} | {"file_source_list": [source]}
    reply = as_user(real, "pusher").v3("fast_transfer_file", body)
    assert (reply["code"], "[reader]" in reply["message"]) == (1244004, True)


def test_another_business(real: Real, stores: Stores) -> None:
    """A user's permission in one is none in another, for looking neither."""
    allow(stores, "local", None)
    body = bodies.v3("get_job_instance_list", bk_scope_id="2")
    reply = as_user(real, "local").v3("get_job_instance_list", body)
    assert (reply["code"], reply["permission"]["actions"][0]["id"]) == (9900403, "access_business")
    platform = {**bodies.v2("execute_platform_job"), **real.job.credentials, "bk_username": "local"}
    assert envelope(real.job.http.post(f"{ESB_V2}/execute_platform_job/", json=platform))["code"] == 9900403


def test_nothing_at_all(real: Real, stores: Stores) -> None:
    """Every path beside JOB's APIs asks as well, whoever adds one."""
    allow(stores, "nobody", set(), scope=None)
    nobody = {**real.job.credentials, "bk_username": "nobody"}
    asked = 0
    for route in real.job.http.app.routes:  # type: ignore[attr-defined]
        path: str = getattr(route, "path", "")
        if not path.startswith("/api/ext/v1/") or path == UPLOADS:
            continue  # an upload's own URL is all that is needed: test_uploads.py
        asked += 1
        for name in ("job_instance_id", "step_instance_id", "bk_host_id"):
            path = path.replace(f"{{{name}}}", "1")
        methods = sorted((getattr(route, "methods", None) or {"GET"}) - {"HEAD"})
        for method in methods:
            answer = real.job.http.request(method, path, params={**bodies.SCOPE, **nobody})
            assert answer.json().get("code") == 9900403, (method, path, answer.text)
    assert asked >= 5


def test_what_is_allowed_is_asked_anew_each_time(real: Real, stores: Stores) -> None:
    """Nothing is cached: the next request meets what is registered now."""
    client = as_user(real, "changing")
    allow(stores, "changing", {Action.LAUNCH})
    assert client.v3("fast_execute_script", script(real))["code"] == 0
    allow(stores, "changing", {Action.VIEW})
    assert client.v3("fast_execute_script", script(real))["code"] == 9900403


def scopes_of(client: JobClient, **query: Any) -> dict[str, Any]:
    """The data of get_user_authorized_scopes."""
    answer = client.http.get(
        f"{GATEWAY_V4}/get_user_authorized_scopes", params={**client.credentials, **query}
    )
    data: dict[str, Any] = envelope_v4(answer)["data"]
    return data


def test_authorized_scopes(real: Real, stores: Stores) -> None:
    """Those that there are and where the user may do anything, page by page."""
    one = {"bk_scope_type": "biz", "bk_scope_id": "1", "name": "biz_1", "favor": False}
    everything = scopes_of(real.job)
    assert everything == {
        "total": 2,
        "offset": 0,
        "length": 10,
        "scope_list": [one, {**one, "bk_scope_id": "2", "name": "biz_2"}],
    }
    allow(stores, "local_only", {Action.LAUNCH})
    allow(stores, "local_only", {Action.LAUNCH}, scope=Scope("biz", "404"))
    assert scopes_of(as_user(real, "local_only"))["scope_list"] == [one]
    page = scopes_of(real.job, offset=1, length=1)
    assert ([scope["bk_scope_id"] for scope in page["scope_list"]], page["total"]) == (["2"], 2)
    assert scopes_of(real.job, offset=7)["scope_list"] == []
    allow(stores, "nothing", set(), scope=None)
    refused = real.job.http.get(
        f"{GATEWAY_V4}/get_user_authorized_scopes", params={**as_user(real, "nothing").credentials}
    )
    assert envelope_v4(refused, 403)["error"]["code"] == "NO_PERMISSION"


@pytest.mark.parametrize("query", [{"offset": -1}, {"length": 0}, {"length": 201}, {"length": "many"}])
def test_pages_of_scopes_that_are_none(real: Real, query: dict[str, Any]) -> None:
    """As JOB: 400 INVALID_ARGUMENT."""
    params = {**real.job.credentials, **query}
    answer = real.job.http.get(f"{GATEWAY_V4}/get_user_authorized_scopes", params=params)
    assert envelope_v4(answer, 400)["error"]["code"] == "INVALID_ARGUMENT"
