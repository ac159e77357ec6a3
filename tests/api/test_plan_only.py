"""plan_only: a launch says what would run, to the letter, and nothing is stored."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa

from adapter.ansible.text import to_yaml
from adapter.config import Settings
from adapter.engine.preparation import STEP_PLAYBOOK
from adapter.engine.variables import variables_of
from adapter.job.model import Scope
from adapter.store import tables
from adapter.store.opening import Stores, open_store

from .bodies import v2, v3
from .client import ESB_V2, ESB_V3, GATEWAY_V4, envelope, envelope_v4
from .conftest import StoppedClock
from .real import Real, build


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Of one data directory."""
    return Settings(data_dir=tmp_path_factory.mktemp("planned"))


@pytest.fixture(scope="module")
def stores(settings: Settings) -> Iterator[Stores]:
    """Its stores."""
    opened = open_store(settings)
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def real(settings: Settings, stores: Stores) -> Real:
    """The application over real use cases."""
    return build(stores, StoppedClock(), settings)


def rows(stores: Stores) -> dict[str, int]:
    """How many rows each table has."""
    with stores.engine.connect() as connection:
        counted = {
            name: connection.scalar(sa.select(sa.func.count()).select_from(table))
            for name, table in tables.metadata.tables.items()
        }
    return {name: int(number or 0) for name, number in counted.items()}


def body(real: Real, name: str = "fast_execute_script", **changes: Any) -> dict[str, Any]:
    """A request of v3 that the application can carry out."""
    made = v3(name, **changes)
    if name == "fast_transfer_file":
        source = {
            "file_list": ["/tmp/a"],
            "account": {"id": real.account_id},
            "server": {"host_id_list": [102]},
        }
        made |= {"file_source_list": [source]}
    if name == "fast_execute_sql":
        made |= {"db_account_id": real.db_account_id}
    if name == "execute_job_plan":
        made |= {"job_plan_id": real.plan_id}
    else:
        made |= {
            "account_alias": None,
            "account_id": real.account_id,
            "target_server": {"host_id_list": [101, 103]},
        }
    return {**real.job.credentials, **{key: value for key, value in made.items() if value is not None}}


def post(real: Real, name: str, fields: dict[str, Any], path: str = ESB_V3, **more: Any) -> dict[str, Any]:
    """The envelope."""
    return envelope(real.job.http.post(f"{path}/{name}/", json=fields, **more))


LAUNCHES = ["fast_execute_script", "fast_execute_sql", "fast_transfer_file", "push_config_file"]


@pytest.mark.parametrize("name", [*LAUNCHES, "execute_job_plan"])
def test_what_is_said_is_what_would_be_written(real: Real, stores: Stores, name: str) -> None:
    """Inventory and playbook are those of the run that the same request makes, but for the id that there is not."""
    before = rows(stores)
    planned = post(real, name, body(real, name), params={"plan_only": "true"})["data"]
    assert rows(stores) == before
    assert (planned["plan_only"], planned["job_instance_id"], planned["step_instance_id"]) == (
        True,
        None,
        None,
    )
    job_id = post(real, name, body(real, name))["data"]["job_instance_id"]
    job = real.jobs.get(job_id)
    assert job is not None
    assert len(planned["step_list"]) == len(job.steps)
    for said, step in zip(planned["step_list"], job.steps, strict=True):
        hosts = [result.host for result in real.jobs.hosts(step.id, 0)]
        variables = variables_of(real.jobs, step)
        begun = step if variables is None else variables.resolved(step)
        run = real.preparation.run_input(begun, hosts, variables)
        written = to_yaml(run.playbooks[STEP_PLAYBOOK])
        assert ".STEP_INSTANCE_ID.0" in said["playbook"]
        assert said["playbook"].replace("STEP_INSTANCE_ID", str(step.id)) == written
        assert said["inventory"] == run.inventory.whole
        assert (said["step_id"], said["name"], said["type"]) == (
            step.step_id,
            step.name,
            int(step.type),
        )
        assert said["host_list"] == [
            {
                "bk_host_id": host.bk_host_id,
                "ip": host.ip,
                "bk_cloud_id": host.bk_cloud_id,
                "name": host.name,
                "batch": 0,
            }
            for host in hosts
        ]


def test_batches_are_told(real: Real) -> None:
    """Of a rolling step, host by host."""
    fields = body(real, rolling_config={"expression": "1", "mode": 1}) | {"plan_only": True}
    fields["target_server"] = {"host_id_list": [101, 102, 103]}
    (step,) = post(real, "fast_execute_script", fields)["data"]["step_list"]
    assert [(host["bk_host_id"], host["batch"]) for host in step["host_list"]] == [
        (101, 1),
        (102, 2),
        (103, 3),
    ]


def test_nothing_runs_and_no_key_is_used_up(real: Real, stores: Stores) -> None:
    """Asked as often as one likes; then the key starts a job, whose answer no plan_only gets."""
    before, woken = rows(stores), len(real.woken)
    key = {"X-Idempotency-Key": "planned"}
    for _ in range(2):
        assert post(real, "fast_execute_script", body(real, plan_only=True), headers=key)["data"]["plan_only"]
    assert (rows(stores), len(real.woken)) == (before, woken)
    launched = post(real, "fast_execute_script", body(real), headers=key)["data"]
    assert launched["job_instance_id"] > 0
    assert "plan_only" not in launched
    assert post(real, "fast_execute_script", body(real, plan_only=1), headers=key)["data"]["plan_only"]


def test_secrets_are_not_in_it(real: Real, stores: Stores) -> None:
    """An account's credentials and a sensitive parameter are looked up while a step runs: so it says."""
    account = real.catalog.create_account(
        Scope("biz", "1"), user="admin", account="dep", alias="d", category=1, type=1, password="pa55-w0rd"
    )
    with stores.engine.begin() as connection:
        login = sa.update(tables.account).where(tables.account.c.id == account.id).values(login_user="dep")
        connection.execute(login)
    secret = {
        "script_param": "c2VjcmV0LXBhcmFt",
        "is_param_sensitive": 1,
        "account_id": account.id,
        "plan_only": True,
    }
    reply = post(real, "fast_execute_script", body(real) | secret)
    (step,) = reply["data"]["step_list"]
    assert "secret-param" not in str(reply)
    assert "pa55-w0rd" not in str(reply)
    assert "param_secret: param" in step["playbook"]
    assert f"lookup(''adapter.job.secret'', ''account-{account.id}-password'')" in step["playbook"]


def test_sql_is_planned_without_its_password(real: Real) -> None:
    """It is run by the database's client on the host, which is told it while it runs."""
    database = real.catalog.create_account(
        Scope("biz", "1"),
        user="admin",
        account="app",
        alias="planned",
        category=2,
        type=9,
        password="pa55-of-db",
        db_port=3306,
        db_system_account_id=real.account_id,
    )
    fields = {**v3("fast_execute_sql", db_account_id=database.id), **real.job.credentials, "plan_only": True}
    reply = post(real, "fast_execute_sql", fields)
    (step,) = reply["data"]["step_list"]
    assert "param_secret: param" in step["playbook"]
    assert "pa55-of-db" not in str(reply)


def test_every_dialect_says_it(real: Real, stores: Stores) -> None:
    """In its own envelope; by GET as well where that may launch."""
    before = rows(stores)
    query = {"plan_only": "true"}
    fields = {key: value for key, value in v2("fast_execute_script").items() if "custom" not in key}
    fields |= {
        **real.job.credentials,
        "bk_biz_id": 1,
        "account": "root",
        "ip_list": [{"bk_cloud_id": 0, "ip": "10.0.0.1"}],
    }
    fields |= {"script_content": "ZWNobw==", "script_type": 1}
    fields.pop("script_id", None)
    assert post(real, "fast_execute_script", fields, ESB_V2, params=query)["data"]["step_list"]
    platform = {
        **real.job.credentials,
        "bk_job_id": real.plan_id,
        "source_bk_biz_id": 1,
        "target_bk_biz_id": 1,
    }
    assert len(post(real, "execute_platform_job", platform, ESB_V2, params=query)["data"]["step_list"]) == 2
    job = {**real.job.credentials, "bk_job_id": real.plan_id, "bk_biz_id": 1}
    got = envelope(real.job.http.get(f"{ESB_V2}/execute_job/", params={**job, **query}))
    assert len(got["data"]["step_list"]) == 2
    made = body(real, execute_target={"host_list": [{"bk_host_id": 101}]})
    v4 = envelope_v4(real.job.http.post(f"{GATEWAY_V4}/fast_execute_script", json=made, params=query))
    assert v4["data"]["step_list"][0]["host_list"][0]["bk_host_id"] == 101
    assert rows(stores) == before


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"target_server": {"host_id_list": [999]}}, 1244030),
        ({"account_id": 999}, 1244003),
        ({"script_version_id": 999}, 1243001),
        ({"script_language": 9}, 1241005),
        ({"timeout": 0}, 1240003),
        ({"callback_url": "http://127.0.0.1/"}, 1240003),
        ({"bk_scope_id": "77"}, 1243049),
        ({"plan_only": "perhaps"}, 1240003),
        ({"plan_only": {}}, 1240003),
    ],
)
def test_what_a_launch_refuses_is_refused(
    real: Real, stores: Stores, changes: dict[str, Any], code: int
) -> None:
    """With the same code; nothing is stored, but that it was refused."""
    before = rows(stores) | {"audit_log": 0}
    assert post(real, "fast_execute_script", body(real) | {"plan_only": True} | changes)["code"] == code
    assert rows(stores) | {"audit_log": 0} == before


def test_what_launches_nothing_does_not_look_at_it(real: Real) -> None:
    """As JOB with keys that it does not know."""
    fields = {**real.job.credentials, "bk_biz_id": 1, "plan_only": "perhaps"}
    assert post(real, "get_job_plan_list", fields)["code"] == 0
    launched = post(real, "fast_execute_script", body(real, plan_only=False))["data"]
    assert launched["job_instance_id"] > 0
