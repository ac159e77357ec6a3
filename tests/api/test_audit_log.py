"""Who did what: every launch and change over HTTP, and every one that was refused, is in the audit log."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa

from adapter.config import Settings
from adapter.job.actions import Action
from adapter.job.audit_log import AuditEntry, AuditFilter
from adapter.job.commands import Caller
from adapter.job.model import JobInstance, Scope
from adapter.service.applications import Applications
from adapter.service.audit_log import AuditLog
from adapter.service.authentication import Authentication, Credentials
from adapter.service.gateway_jwt import GatewayJwt
from adapter.store.audit_log import AuditLogStore
from adapter.store.opening import Stores, open_store
from adapter.store.permissions import PermissionStore, UserPermission
from adapter.store.tables import job_instance
from adapter.store.tokens import TokenStore
from tests.support.gateway import NOW, gateway

from . import bodies
from .client import ESB_V3, GATEWAY_V4, JobClient, envelope
from .conftest import StoppedClock, make_world
from .real import Real, build

ONE = Scope("biz", "1")
MARK = "MARKED-SECRET-7f3a"


@pytest.fixture
def stores(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stores]:
    """A database of each test's own."""
    opened = open_store(Settings(data_dir=tmp_path_factory.mktemp("audit")))
    yield opened
    opened.close()


@pytest.fixture
def real(stores: Stores, tmp_path_factory: pytest.TempPathFactory) -> Real:
    """The application over real use cases; its log is empty."""
    return build(stores, StoppedClock(), Settings(data_dir=tmp_path_factory.mktemp("settings")))


def entries(stores: Stores, **wanted: Any) -> tuple[AuditEntry, ...]:
    """What is recorded, the newest first."""
    return AuditLogStore(stores.engine).of(AuditFilter(**wanted))


def script(real: Real, **changes: Any) -> dict[str, Any]:
    """A launch that can be carried out."""
    body = bodies.v3("fast_execute_script") | {"account_alias": None, "account_id": real.account_id} | changes
    return {name: value for name, value in body.items() if value is not None}


def jobs(stores: Stores) -> int:
    """How many there are."""
    with stores.engine.begin() as connection:
        return connection.scalar(sa.select(sa.func.count()).select_from(job_instance)) or 0


def test_a_launch(real: Real, stores: Stores) -> None:
    """Who, how that is known, from where, what, in which business, with which result."""
    reply = real.job.v3("fast_execute_script", script(real))
    (entry,) = entries(stores)
    assert (entry.app_code, entry.user, entry.verified_by, entry.token_id) == (
        "real",
        "admin",
        "app_secret",
        None,
    )
    assert (entry.api, entry.action, entry.scope) == (f"{ESB_V3}/fast_execute_script", "launch", "biz:1")
    assert (entry.code, entry.peer, entry.request_id) == (0, "testclient", reply["request_id"])
    assert entry.objects["job_instance_id"] == reply["data"]["job_instance_id"]
    assert entry.objects["account_id"] == real.account_id


def test_a_launch_without_a_request(real: Real, stores: Stores) -> None:
    """A cron's, or a command's of this machine: it can't be launched without its record either."""
    job = JobInstance(scope=ONE, name="j", cron_id=7, create_time=1)
    stored = real.jobs.add(job, [], caller=Caller(app_code="real", user="ann", verified_by="cron"))
    (entry,) = entries(stores)
    assert (entry.app_code, entry.user, entry.verified_by, entry.api) == ("real", "ann", "cron", "launch")
    assert (entry.code, dict(entry.objects)) == (0, {"cron_id": 7, "job_instance_id": stored.id})


def test_a_launch_and_its_record_are_one(real: Real, stores: Stores, monkeypatch: pytest.MonkeyPatch) -> None:
    """If the record can't be written there is no job either."""
    monkeypatch.setattr("adapter.store.audit_log._ADD", sa.text("INSERT INTO nowhere VALUES (1)"))
    assert real.job.v3("fast_execute_script", script(real))["code"] == 1240002
    assert (jobs(stores), real.woken) == (0, [])


def test_a_change_is_recorded_before_it_happens(stores: Stores) -> None:
    """If the service dies between the change and its completion, the log says that it was begun."""
    log = AuditLog(AuditLogStore(stores.engine), StoppedClock())

    def die() -> None:
        with log.recording(AuditEntry(create_time=1, api="x", action="manage")):
            assert [entry.code for entry in entries(stores)] == [None]
            raise SystemExit

    with pytest.raises(SystemExit):
        die()
    (entry,) = entries(stores)
    assert (entry.api, entry.code, entry.end_time) == ("x", None, None)


def test_without_a_record_nothing_changes(
    real: Real, stores: Stores, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A database that takes no record gets no change."""

    def full(*_: object) -> int:
        raise sa.exc.OperationalError("INSERT", {}, Exception("disk full"))

    monkeypatch.setattr(AuditLogStore, "add", full)
    body = {**bodies.SCOPE, "account": "never", "category": 1, "type": 1}
    assert real.job.v3("create_account", body)["code"] == 1240002
    monkeypatch.undo()
    assert stores.accounts.by_alias(ONE, "never") is None


def test_a_record_that_cannot_be_completed_changes_no_reply(
    real: Real, stores: Stores, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was done is done; the entry stays without a code."""

    def full(*_: object) -> None:
        raise sa.exc.OperationalError("UPDATE", {}, Exception("disk full"))

    monkeypatch.setattr(AuditLogStore, "end", full)
    body = {**bodies.SCOPE, "account": "done", "category": 1, "type": 1}
    assert real.job.v3("create_account", body)["code"] == 0
    assert [entry.code for entry in entries(stores)] == [None]


def test_changes_and_operations(real: Real, stores: Stores) -> None:
    """With the ids of what they made or met, also when they failed."""
    made = real.job.v3("create_account", {**bodies.SCOPE, "account": "web", "category": 1, "type": 1})
    real.job.v3("operate_job_instance", {**bodies.SCOPE, "job_instance_id": 77, "operation_code": 1})
    real.job.v3("create_account", {**bodies.SCOPE, "account": "web", "category": 1, "type": 1})
    taken, operated, created = entries(stores)
    assert (created.action, created.code, created.objects["id"]) == ("manage", 0, made["data"]["id"])
    assert (operated.action, operated.code) == ("operate", 1244006)
    assert (operated.objects["job_instance_id"], operated.objects["operation_code"]) == (77, 1)
    assert (taken.code, taken.objects["account"]) == (1243007, "web")


def test_what_only_reads_is_not_recorded(real: Real, stores: Stores) -> None:
    """Nor is a launch that only wants to know."""
    real.job.v3("get_job_instance_list", bodies.v3("get_job_instance_list"))
    assert real.job.v3("fast_execute_script", script(real, plan_only=True))["code"] == 0
    assert entries(stores) == ()


def test_a_launch_that_is_sent_again(real: Real, stores: Stores) -> None:
    """Is recorded again, with the job that there is."""
    for _ in range(2):
        headers = {"X-Idempotency-Key": "once"}
        body = {**script(real), **real.job.credentials}
        assert (
            envelope(real.job.http.post(f"{ESB_V3}/fast_execute_script/", json=body, headers=headers))["code"]
            == 0
        )
    again, first = entries(stores)
    assert (again.code, again.objects["job_instance_id"]) == (0, first.objects["job_instance_id"])
    assert jobs(stores) == 1


def test_who_is_refused(real: Real, stores: Stores) -> None:
    """Another's token, a withdrawn one, no action, no account: nothing is stored or run, each is recorded."""
    applications = Applications(stores.apps, StoppedClock())
    secret = applications.create("other")
    token, gone = applications.create_token("real", "ann"), applications.create_token("other", "tom")
    TokenStore(stores.engine).withdraw(1, app_code="other")
    for user, actions, accounts in (("viewer", Action.VIEW, None), ("worker", Action.LAUNCH, "nobody")):
        permission = UserPermission(
            app_code="real",
            user=user,
            scope=None,
            actions=frozenset({actions}),
            accounts=None if accounts is None else frozenset({accounts}),
        )
        PermissionStore(stores.engine).set(permission)
    http, body = real.job.http, script(real)
    other = {"bk_app_code": "other", "bk_app_secret": secret}
    tries: list[tuple[dict[str, str], int, str, str]] = [
        ({**other, "bk_token": token}, 1306000, "other", ""),
        ({**other, "bk_token": gone}, 1306000, "other", ""),
        ({"access_token": gone}, 1306000, "", ""),
        ({**other, "bk_app_secret": "wrong", "bk_username": "root"}, 1306000, "other", "root"),
        ({**real.job.credentials, "bk_username": "viewer"}, 9900403, "real", "viewer"),
        ({**real.job.credentials, "bk_username": "worker"}, 1244004, "real", "worker"),
        ({"bk_app_code": "x" * 500 + "\n", "bk_app_secret": MARK}, 1306000, "x" * 128, ""),
    ]
    for credentials, code, app_code, user in tries:
        reply = envelope(http.post(f"{ESB_V3}/fast_execute_script/", json={**body, **credentials}))
        assert reply["code"] == code
        entry = entries(stores)[0]
        assert (entry.code, entry.app_code, entry.user, entry.action) == (code, app_code, user, "launch")
        assert bool(entry.verified_by) is (code != 1306000)
    assert (jobs(stores), len(entries(stores)), real.woken) == (0, len(tries), [])
    reply = envelope(http.get(f"{ESB_V3}/get_job_instance_list/", params={**bodies.SCOPE, **tries[3][0]}))
    assert (reply["code"], entries(stores)[0].action) == (1306000, "view")


def test_refusals_cannot_fill_the_disk(real: Real, stores: Stores) -> None:
    """Of a flood some hundred are recorded; who may do something is recorded all the same."""
    body = {**script(real), **real.job.credentials, "bk_app_secret": "wrong"}
    for _ in range(310):
        real.job.http.post(f"{ESB_V3}/fast_execute_script/", json=body)
    assert len(entries(stores, most=1000)) == 300
    assert real.job.v3("fast_execute_script", script(real))["code"] == 0
    assert entries(stores)[0].code == 0


def test_nothing_secret_is_kept(real: Real, stores: Stores) -> None:
    """No script, no parameter, no password, no token, whatever it is sent as."""
    applications = Applications(stores.apps, StoppedClock())
    token = applications.create_token("real", "ann")
    body = script(real, script_content="TUFSS0VE", script_param=MARK, task_name=MARK, password=MARK)
    real.job.v3("fast_execute_script", body)
    real.job.v3(
        "create_account", {**bodies.SCOPE, "account": "p", "category": 1, "type": 1, "password": MARK}
    )
    real.job.v3("create_account", {**bodies.SCOPE, "account": {"x": MARK}, "alias": [MARK]})
    header = {"X-Bkapi-Authorization": json.dumps({"access_token": token, "bk_app_secret": MARK})}
    real.job.http.post(f"{ESB_V3}/fast_execute_script/", json=body, headers=header)
    said = " ".join(map(repr, entries(stores)))
    assert len(entries(stores)) == 4
    assert MARK not in said
    assert token not in said
    assert "TUFSS0VE" not in said


def page(client: JobClient, **query: Any) -> dict[str, Any]:
    """GET /api/ext/v1/audit_log."""
    return client.get("/api/ext/v1/audit_log", {**bodies.SCOPE, **query})


def test_reading_it(real: Real, stores: Stores) -> None:
    """Page by page, by who, what and how; of one business."""
    for _ in range(3):
        real.job.v3("fast_execute_script", script(real))
    real.job.v3("operate_job_instance", {**bodies.SCOPE, "job_instance_id": 77, "operation_code": 1})
    first = page(real.job, length=3)["data"]
    assert [entry["action"] for entry in first["data"]] == ["operate", "launch", "launch"]
    rest = page(real.job, length=3, before=first["next"])["data"]
    assert ([entry["action"] for entry in rest["data"]], rest["next"]) == (["launch"], None)
    assert len(page(real.job, of_api="operate_")["data"]["data"]) == 1
    assert len(page(real.job, of_code=0, of_user="admin", of_app="real")["data"]["data"]) == 3
    assert page(real.job, of_user="nobody")["data"]["data"] == []
    assert page(real.job, end_time=StoppedClock().now_ms())["data"]["data"] == []
    assert page(real.job, bk_scope_id="2")["data"]["data"] == []
    for wrong in ({"length": 0}, {"length": 1001}):
        assert page(real.job, **wrong)["code"] == 1241007


def test_only_who_may_manage_reads_it(real: Real, stores: Stores) -> None:
    """It says more than the jobs do."""
    launcher = UserPermission(
        app_code="real",
        user="eve",
        scope=ONE,
        actions=frozenset({Action.LAUNCH}),
        accounts=None,
    )
    PermissionStore(stores.engine).set(launcher)
    assert page(JobClient(real.job.http, {**real.job.credentials, "bk_username": "eve"}))["code"] == 9900403


def test_v4_and_a_gateway(real: Real, stores: Stores) -> None:
    """Every dialect, every way in."""
    body = {**bodies.v4("fast_execute_script", account_alias="root"), **real.job.credentials}
    assert real.job.http.post(f"{GATEWAY_V4}/fast_execute_script", json=body).status_code == 200
    assert entries(stores)[0].api == f"{GATEWAY_V4}/fast_execute_script"


@pytest.mark.parametrize(
    "changes",
    [
        {"exp": NOW - 61},
        {"nbf": NOW + 61},
        {"aud": "bk-cmdb"},
        {"aud": None},
        {"algorithm": "none"},
        {"algorithm": "HS256"},
    ],
    ids=str,
)
def test_a_jwt_that_is_not_believed(stores: Stores, changes: dict[str, Any]) -> None:
    """Expired, too early, for somebody else, not signed as it should be: 401, nothing runs, and it is recorded."""
    believes = GatewayJwt({"k": gateway().public_key}, StoppedClock(), audience="bk-job")
    with make_world(stores, "behind", gateway=believes) as made:
        http, body = made.world.http, bodies.v3("fast_execute_script")
        path = "/api/job/v3/job-execute/fast_execute_script"
        for jwt, status in (
            (gateway().jwt("behind", "ann", **{"aud": "bk-job", **changes}), 401),
            (gateway().jwt("behind", "ann", aud=["bk-job"]), 200),
        ):
            assert http.post(path, json=body, headers={"X-Bkapi-JWT": jwt}).status_code == status
        assert [command.caller.user for command in made.world.launch.commands] == ["ann"]
    done, refused = entries(stores)
    assert (refused.code, refused.verified_by, refused.app_code, refused.api) == (1247001, "", "", path)
    assert (done.code, done.verified_by, done.app_code, done.user) == (0, "jwt", "behind", "ann")


def test_old_entries_are_forgotten(real: Real, stores: Stores) -> None:
    """By whoever adds to it, once an hour at most."""
    clock = StoppedClock()
    day = 86_400_000
    store = AuditLogStore(stores.engine)
    for age in (0, 8, 9):
        store.add(AuditEntry(create_time=clock.now_ms() - age * day, api="a", action="manage"))
    log = AuditLog(store, clock, keep_days=8)
    with log.recording(AuditEntry(create_time=clock.now_ms(), api="b", action="manage")):
        pass
    assert [entry.api for entry in entries(stores)] == ["b", "a", "a"]


def test_every_way_of_asking_is_told(stores: Stores) -> None:
    """`verified_by` of each, and the id of a token."""
    applications = Applications(stores.apps, StoppedClock())
    authentication = Authentication(stores.apps, StoppedClock())
    secret = applications.create("app", act_as_any_user=True)
    token = applications.create_token("app", "ann")
    (known,) = TokenStore(stores.engine).of("app")
    by = {
        "access_token": Credentials(access_token=token),
        "bk_token": Credentials(app_code="app", app_secret=secret, bk_token=token),
        "app_secret": Credentials(app_code="app", app_secret=secret, username="ann"),
        "network": Credentials(app_code="app", username="ann", vouched=True),
    }
    for verified_by, credentials in by.items():
        caller = authentication.identify(credentials)
        assert caller.verified_by == verified_by
        assert caller.token_id == (known.id if "token" in verified_by else None)
