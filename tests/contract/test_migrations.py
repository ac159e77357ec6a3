"""A database of an earlier release is brought up to date with what is in it, and ends as a new one begins."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from cryptography.fernet import Fernet

from adapter import errors
from adapter.job.credential import CredentialType
from adapter.job.cron import Cron
from adapter.job.file_source import FileSourceDefinition, FileSourceType
from adapter.job.model import JobInstance, JobVariable, Scope
from adapter.job.permissions import Permission
from adapter.job.plan import ListFilter
from adapter.store import database, tables, tables_access
from adapter.store.accounts import AccountStore
from adapter.store.apps import AppStore
from adapter.store.credentials import CredentialStore
from adapter.store.crons import CronStore
from adapter.store.dangerous import DangerousRuleStore
from adapter.store.database import migrate, open_database
from adapter.store.file_sources import FileSourceStore
from adapter.store.jobs import JobStore
from adapter.store.password_key import PasswordKey
from adapter.store.plans import PlanStore
from adapter.store.quota import JobQuota
from adapter.store.scripts import ScriptStore
from adapter.store.secrets import SecretBox, hash_secret


@pytest.fixture
def engine(each_database: str) -> Iterator[sa.Engine]:
    engine = open_database(each_database)
    yield engine
    engine.dispose()


def bring_to(engine: sa.Engine, revision: str) -> None:
    """The schema as that release left it."""
    config = Config()
    config.set_main_option("script_location", str(database._MIGRATIONS))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)


def insert(engine: sa.Engine, table: str, **values: Any) -> None:
    """A row of a table as it is in the database, not as the code knows it."""
    with engine.begin() as connection:
        found = sa.table(table, *map(sa.column, values))
        connection.execute(sa.insert(found).values(**values))


def job(engine: sa.Engine, id_: int, status: int, **values: Any) -> None:
    """A job of one step, as the first release stored it."""
    row = {"scope_type": "biz", "scope_id": "2", "name": "n", "type": 1, "plan_id": -1, "template_id": -1}
    row |= {
        "launch_mode": 2,
        "operator": "o",
        "app_code": "a",
        "started": True,
        "create_time": 1,
        "end_time": 9,
    }
    insert(engine, "job_instance", id=id_, status=status, **row, **values)
    step = {"step_id": -1, "order": 0, "name": "s", "type": 1, "execute_count": 0, "definition": "{}"}
    step |= {"ignore_error": False, "create_time": 1}
    insert(engine, "step_instance", id=id_ * 10, job_instance_id=id_, status=status, **step)


def test_a_new_database_is_what_the_code_knows(engine: sa.Engine, tmp_path: Path) -> None:
    """The migrations and the tables say the same."""
    migrate(engine, tmp_path / "lock")
    found = sa.inspect(engine)
    assert set(found.get_table_names()) == {"alembic_version", *tables.metadata.tables}
    for name, table in tables.metadata.tables.items():
        columns = {column["name"]: column["nullable"] for column in found.get_columns(name)}
        assert columns == {column.name: column.nullable for column in table.columns}, name
        keys = {
            (*key["constrained_columns"], key["referred_table"], key["options"].get("ondelete"))
            for key in found.get_foreign_keys(name)
        }
        known = table.foreign_key_constraints
        assert keys == {(*key.column_keys, key.referred_table.name, key.ondelete) for key in known}, name


def test_jobs_of_the_first_release_are_kept(engine: sa.Engine, tmp_path: Path) -> None:
    """A callback that was not taken can still be told; what was told, or has not ended, is not."""
    bring_to(engine, "0001")
    url = "http://10.0.0.1/"
    job(engine, 1, 4, callback_url=url, callback_state="attempt 1 failed: 500; 500")
    job(engine, 2, 3, callback_url=url, callback_state="delivered (attempt 1, application/json)")
    job(engine, 3, 2, callback_url=url)
    job(engine, 4, 3)
    migrate(engine, tmp_path / "lock")
    with engine.connect() as connection:
        done = connection.execute(sa.select(tables.job_instance.c.id, tables.job_instance.c.completions))
        assert {row.id: row.completions for row in done} == {1: 1, 2: 1, 3: 0, 4: 1}
        (owed,) = connection.execute(sa.select(tables.callback)).all()
    assert (owed.job_instance_id, owed.completion, owed.create_time) == (1, 1, 9)
    steps = [{"step_instance_id": 10, "status": 4}]
    assert json.loads(owed.body) == {
        "job_instance_id": 1,
        "status": 4,
        "step_instances": steps,
        "step_instance_list": steps,
    }


def test_accounts_of_the_first_release_are_kept(engine: sa.Engine, tmp_path: Path) -> None:
    """One of a database has no port and no system account yet; its password is the same."""
    bring_to(engine, "0001")
    box = SecretBox.of_file(tmp_path / "key")
    row = {"scope_type": "biz", "scope_id": "2", "alias": "app", "account": "app", "category": 2, "type": 9}
    insert(engine, "account", id=1, password_secret=box.encrypt("old password"), **row)
    migrate(engine, tmp_path / "lock")
    accounts = AccountStore(engine, box)
    old = accounts.by_alias(Scope("biz", "2"), "app")
    assert old is not None
    assert (old.db_port, old.db_system_account_id) == (None, None)
    assert accounts.credential(old.id).password == "old password"
    new = accounts.update(old.id, operator="ann", now_ms=2, db_port=3306, db_system_account_id=1)
    assert (new.db_port, new.db_system_account_id) == (3306, 1)


def test_what_came_with_rules_quotas_and_windows_goes_up_with_data(engine: sa.Engine, tmp_path: Path) -> None:
    """Jobs that have not ended count at once; the installation gets its key for passwords when it needs one."""
    bring_to(engine, "0008")
    job(engine, 1, 2)
    job(engine, 2, 3)
    box = SecretBox.of_file(tmp_path / "key")
    insert(engine, "installation", id=1, key_digest=box.digest)
    migrate(engine, tmp_path / "lock")
    jobs = JobStore(engine, box, quota=JobQuota(total=1))
    with pytest.raises(errors.SystemQuotaExceeded):
        jobs.require_room(JobInstance(scope=Scope("biz", "2"), name="j"))
    assert jobs.host_passwords(1) == {}
    assert DangerousRuleStore(engine).enabled() == ()
    assert PasswordKey(engine, box).public_key()


def test_keys_go_with_their_jobs(engine: sa.Engine, tmp_path: Path) -> None:
    """One whose job is gone already, goes; the others when theirs do."""
    bring_to(engine, "0008")
    job(engine, 1, 3)
    for key, of_job in (("kept", 1), ("orphan", 2)):
        insert(engine, "launched_once", app_code="a", key=key, fingerprint="f", job_instance_id=of_job)
    migrate(engine, tmp_path / "lock")
    once = tables.launched_once
    with engine.begin() as connection:
        assert connection.execute(sa.select(once.c.key, once.c.fingerprint)).all() == [("kept", "f")]
        connection.execute(sa.delete(tables.job_instance))
        assert connection.execute(sa.select(once)).all() == []


def test_variables_of_an_earlier_release_are_kept(engine: sa.Engine, tmp_path: Path) -> None:
    """As the strings that they were: nothing that a script could change."""
    bring_to(engine, "0006")
    job(engine, 1, 3)
    insert(engine, "job_variable", job_instance_id=1, order=0, name="A", type=1, value="x")
    migrate(engine, tmp_path / "lock")
    jobs = JobStore(engine, SecretBox(Fernet.generate_key()))
    assert jobs.variables(1, in_clear=True) == (JobVariable(name="A", type=1, value="x"),)
    assert jobs.captured(1) == []


def test_results_of_hosts_are_kept(engine: sa.Engine, tmp_path: Path) -> None:
    """Each as it was; a host may be in more than one batch from then on."""
    bring_to(engine, "0017")
    job(engine, 1, 3)
    host = {"step_instance_id": 10, "execute_count": 1, "bk_cloud_id": 0, "ip": "10.0.0.1", "name": "h"}
    host |= {"error_code": 0, "tag": "t", "log_bytes": 7, "log_kept": 5, "executed_in": 1, "change": 4}
    for number, status in ((1, 9), (2, 104)):
        insert(engine, "host_result", bk_host_id=number, order=number, status=status, batch=number, **host)
    migrate(engine, tmp_path / "lock")
    jobs = JobStore(engine, SecretBox(Fernet.generate_key()))
    one, two = jobs.hosts(10, 1)
    assert (one.host.bk_host_id, one.status, one.batch, one.tag, one.log_kept) == (1, 9, 1, "t", 5)
    assert (two.host.bk_host_id, two.status, two.batch, two.executed_in) == (2, 104, 2, 1)
    insert(engine, "host_result", bk_host_id=1, order=3, status=5, batch=2, **host)
    assert [item.batch for item in jobs.hosts(10, 1)] == [1, 2, 2]


def test_who_was_registered_keeps_every_right(engine: sa.Engine, tmp_path: Path) -> None:
    """Applications may as much as before, no user is limited, and tokens go on for ever."""
    bring_to(engine, "0018")
    for code, scopes in (("all", "null"), ("one", '["biz:2"]')):
        insert(engine, "app", code=code, hashed_secret=hash_secret("s"), scopes=scopes, act_as_any_user=True)
        insert(engine, "token", hashed_token=hash_secret(code), app_code=code, user="ann", create_time=1)
    migrate(engine, tmp_path / "lock")
    apps = AppStore(engine)
    for code, may in (("all", Permission()), ("one", Permission(scopes=frozenset({Scope("biz", "2")})))):
        token = apps.find_token(code)
        assert token is not None
        assert (token.user, token.expire_time, token.withdraw_time) == ("ann", None, None)
        assert (token.app.may, token.app.users) == (may, ())
        assert (token.app.old_hashed_secret, token.app.act_as_any_user) == (None, True)
    with engine.connect() as connection:
        assert connection.execute(sa.select(tables_access.permission)).all() == []
        assert connection.execute(sa.select(tables_access.audit_log)).all() == []


def test_what_came_with_crons_goes_up_with_data(engine: sa.Engine, tmp_path: Path) -> None:
    """Jobs are of no cron, and none of their hosts is invalid; a plan that is there can be launched by one."""
    bring_to(engine, "0018")
    job(engine, 1, 3)
    host: dict[str, Any] = {
        "step_instance_id": 10,
        "execute_count": 0,
        "bk_host_id": 7,
        "order": 0,
        "bk_cloud_id": 0,
    }
    host |= {"ip": "10.0.0.1", "name": "h", "status": 9, "error_code": 0, "tag": "", "log_bytes": 0}
    insert(engine, "host_result", log_kept=0, **host)
    scope = {"scope_type": "biz", "scope_id": "2"}
    insert(engine, "job_template", id=1, name="t", steps="[]", variables="[]", **scope)
    insert(engine, "job_plan", id=1, template_id=1, name="p", steps="null")
    migrate(engine, tmp_path / "lock")
    box = SecretBox.of_file(tmp_path / "key")
    jobs, crons = JobStore(engine, box), CronStore(engine, box)
    with engine.connect() as connection:
        assert connection.execute(sa.select(tables.job_instance.c.cron_id)).scalar_one() is None
    assert [result.host.is_invalid for result in jobs.hosts(10, 0)] == [False]
    cron = Cron(
        id=0,
        scope=Scope("biz", "2"),
        name="c",
        plan_id=1,
        plan_name="",
        expression="0 3 * * *",
        execute_time=None,
        time_zone="UTC",
        app_code="a",
    )
    assert crons.create(cron).plan_name == "p"


def test_which_version_is_online_stands_with_the_script(engine: sa.Engine, tmp_path: Path) -> None:
    """Found in what was stored; a script of drafts has none."""
    bring_to(engine, "0018")
    for name in ("some", "none"):
        insert(engine, "script", id=name, scope_type="biz", scope_id="2", name=name, language=1)
    for id_, script_id, status in ((1, "some", 2), (2, "some", 1), (3, "some", 0), (4, "none", 0)):
        row = {"script_id": script_id, "version": str(id_), "content": f"echo {id_}", "status": status}
        insert(engine, "script_version", id=id_, **row)
    migrate(engine, tmp_path / "lock")
    scripts = ScriptStore(engine)
    total, (script,) = scripts.list_online(Scope("biz", "2"), start=0, length=9)
    assert (total, script.id, script.online_version_id) == (1, "some", 2)
    online = scripts.online_version("some")
    assert online is not None
    assert (online.content, scripts.online_version("none")) == ("echo 2", None)


def test_credentials_come_to_a_database_with_data(engine: sa.Engine, tmp_path: Path) -> None:
    """What was there stays; a credential is kept and opened, its name taken once in a business."""
    bring_to(engine, "0020")
    job(engine, 1, 3)
    migrate(engine, tmp_path / "lock")
    with engine.connect() as connection:
        assert connection.execute(sa.select(tables.job_instance.c.id)).scalars().all() == [1]
    store = CredentialStore(engine, SecretBox.of_file(tmp_path / "key"))
    scope = Scope("biz", "2")

    def make(business: Scope) -> str:
        return store.create(
            business,
            name="c",
            type=CredentialType.PASSWORD,
            description="",
            value={"password": "hunter2"},
            operator="o",
            now_ms=1,
        ).id

    made = make(scope)
    assert store.value(scope, made) == {"password": "hunter2"}
    make(Scope("biz", "3"))
    with pytest.raises(errors.CredentialExists):
        make(scope)


def test_file_sources_come_to_a_database_with_credentials(engine: sa.Engine, tmp_path: Path) -> None:
    """A file source names a credential that was there; that cannot go while it does."""
    bring_to(engine, "0026")
    row = {"id": "c" * 32, "scope_type": "biz", "scope_id": "2", "name": "c", "type": "USERNAME_PASSWORD"}
    with engine.begin() as connection:
        connection.execute(sa.insert(tables.credential).values(**row, value_secret="x"))
    migrate(engine, tmp_path / "lock")
    made = FileSourceStore(engine).create(
        FileSourceDefinition(
            scope=Scope("biz", "2"),
            code="one",
            alias="One",
            type=FileSourceType.BLUEKING_ARTIFACTORY,
            base_url="https://a",
            credential_id="c" * 32,
        )
    )
    assert (made.id, made.credential_id) == (1, "c" * 32)
    with pytest.raises(sa.exc.IntegrityError), engine.begin() as connection:
        connection.execute(sa.delete(tables.credential))


def test_plans_of_their_own(engine: sa.Engine, tmp_path: Path) -> None:
    """A plan goes on with what it ran until now, the steps its template has; none needs an update yet."""
    bring_to(engine, "0017")
    box = SecretBox.of_file(tmp_path / "key")
    steps = json.dumps(
        [
            {
                "id": id_,
                "name": f"s{id_}",
                "type": 1,
                "target": {"host_ids": [1]},
                "script": {"account_id": 1, "param": box.encrypt("PARAM"), "param_sensitive": True},
            }
            for id_ in (1, 2)
        ]
    )
    variables = json.dumps([{"id": 1, "name": "V", "type": 4, "value": box.encrypt("CIPHER")}])
    insert(
        engine,
        "job_template",
        id=1,
        scope_type="biz",
        scope_id="2",
        name="t",
        steps=steps,
        variables=variables,
        last_modify_time=1,
    )
    for id_, selection in ((1, "null"), (2, "[2,9]"), (3, "[9]")):
        insert(
            engine, "job_plan", id=id_, template_id=1, name=f"p{id_}", steps=selection, last_modify_time=id_
        )
    migrate(engine, tmp_path / "lock")

    plans = PlanStore(engine, box)
    assert [(plan.id, plan.step_num) for plan in plans.list_plans(Scope("biz", "2"), ListFilter())[1]] == [
        (3, 0),
        (2, 1),
        (1, 2),
    ]
    for id_, enabled in enumerate(([1, 2], [2], []), 1):
        plan = plans.get(id_)
        assert plan is not None
        assert (plan.scope, sorted(plan.enabled), plan.need_update) == (Scope("biz", "2"), enabled, False)
        assert [step.script and step.script.param for step in plan.steps] == ["PARAM", "PARAM"]
        assert plan.variables[0].value == "CIPHER"
    template = plans.template(1)
    assert template is not None
    assert (template.version, template.description) == (1, "")
