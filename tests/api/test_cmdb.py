"""Launches whose hosts are CMDB's: each dialect says in its own form what is wrong, and nothing is stored."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from adapter import bootstrap
from adapter.config import SettingError, Settings
from adapter.hosts import connections
from adapter.hosts.cmdb import CmdbHosts
from adapter.hosts.cmdb_client import CmdbClient, Credentials
from adapter.hosts.inventory import InventoryHosts
from adapter.hosts.loader import Reading
from adapter.store.opening import open_store
from tests.support.cmdb import APP, SECRET, Cmdb, Place, running_cmdb

from .conftest import StoppedClock
from .real import Real, build

SCOPE = {"bk_scope_type": "biz", "bk_scope_id": "1"}
CONTENT = base64.b64encode(b"id").decode()


def an_empty_inventory(path: Path, *, cancelled: Callable[[], bool]) -> Reading:
    """There is nothing in it."""
    return Reading(data={"_meta": {"hostvars": {}}, "all": {"children": ["ungrouped"]}})


@pytest.fixture
def cmdb() -> Iterator[Cmdb]:
    """Host 101 in business 1."""
    with running_cmdb() as running:
        running.add(101, "10.0.0.1", Place(1, 11, 21))
        yield running


@pytest.fixture
def real(cmdb: Cmdb, tmp_path: Path) -> Iterator[Real]:
    """The application over it; no answer is kept."""
    inventory = InventoryHosts(tmp_path, ids_for=connections.no_ids, read=an_empty_inventory)
    inventory.reload()
    client = CmdbClient(cmdb.url, Credentials(app_code=APP, app_secret=SECRET, user="admin"))
    settings = Settings(data_dir=tmp_path)
    stores = open_store(settings)
    yield build(stores, StoppedClock(), settings, hosts=CmdbHosts(client, inventory, ttl=0, timeout=2))
    client.close()
    stores.close()


def v3(**target: object) -> dict[str, object]:
    """A script on a target."""
    return {
        **SCOPE,
        "account_alias": "root",
        "script_language": 1,
        "script_content": CONTENT,
        "target_server": target,
    }


def test_a_launch(real: Real) -> None:
    """Its hosts are those that CMDB has; the job has all of them that it needs later."""
    data = real.job.v3("fast_execute_script", v3(ip_list=[{"bk_cloud_id": 0, "ip": "10.0.0.1"}]))["data"]
    (result,) = real.jobs.hosts(data["step_instance_id"], 0)
    assert (result.host.bk_host_id, result.host.ip, result.host.name) == (101, "10.0.0.1", "cmdb-101")


@pytest.mark.parametrize(
    ("change", "code", "said"),
    [
        ({"status": 500}, 1211002, "search_business: HTTP 500"),
        ({"disconnects": 2}, 1211001, "search_business: "),
        ({"delay": 5}, 1211001, "CMDB does not answer"),
    ],
)
def test_a_launch_without_cmdb(real: Real, cmdb: Cmdb, change: dict[str, int], code: int, said: str) -> None:
    """HTTP 200 with JOB's code in v3, 500 in v4; no job comes of it, and the other requests are answered."""
    for name, value in change.items():
        setattr(cmdb, name, value)
    refused = real.job.v3("fast_execute_script", v3(host_id_list=[101]))
    assert refused["code"] == code
    assert said in refused["message"]
    cmdb.disconnects = change.get("disconnects", 0)
    fields = {**v3(), "execute_target": {"host_list": [{"bk_host_id": 101}]}}
    error = real.job.v4("fast_execute_script", fields, 500)["error"]
    assert (error["code"], error["details"][0]["code"]) == ("INTERNAL", str(code))
    span = {"create_time_start": 1_699_999_000_000, "create_time_end": 1_700_000_001_000}
    assert real.job.v3("get_job_instance_list", {**SCOPE, **span})["data"]["total"] == 0
    assert real.woken == []


def test_other_requests_without_cmdb(real: Real, cmdb: Cmdb) -> None:
    """Those that need it say so in their dialect; the others do without."""
    cmdb.status = 500
    assert real.job.v3("query_agent_info", {**SCOPE, "host_id_list": [101]})["code"] == 1211002
    assert real.job.v3("get_job_plan_detail", {**SCOPE, "job_plan_id": real.plan_id})["code"] == 1211002
    error = real.job.v4("get_user_authorized_scopes", {}, 500)["error"]
    assert (error["code"], error["details"][0]["code"]) == ("INTERNAL", "1211002")
    cmdb.asked.clear()
    assert real.job.v3("get_job_plan_list", SCOPE)["data"]["total"] == 1
    assert real.job.v3("get_account_list", SCOPE)["code"] == 0
    assert cmdb.asked == []


def test_a_plan_in_detail(real: Real, cmdb: Cmdb) -> None:
    """Its hosts are asked for at once, and those that are gone have no address."""
    fields = {**SCOPE, "job_plan_id": real.plan_id}
    data = real.job.v3("get_job_plan_detail", fields)["data"]
    (host,) = data["step_list"][0]["script_info"]["server"]["ip_list"]
    assert host == {"bk_host_id": 101, "bk_cloud_id": 0, "ip": "10.0.0.1"}
    del cmdb.hosts[101]
    data = real.job.v3("get_job_plan_detail", fields)["data"]
    assert data["step_list"][0]["script_info"]["server"]["ip_list"][0]["ip"] is None


def test_an_inventory_without_a_default(cmdb: Cmdb, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Read for hosts of CMDB, it is told what follows and what to do; read for its own, it is not."""
    monkeypatch.setenv("ADAPTER_CMDB_APP_SECRET", SECRET)
    (tmp_path / "hosts").write_text("web bk_host_id=101\n")
    for url in (cmdb.url, ""):
        settings = Settings(
            data_dir=tmp_path,
            inventory=tmp_path / "hosts",
            cmdb_url=url,
            cmdb_app_code=APP if url else "",
            no_worker=True,
        )
        adapter = bootstrap.build(settings)
        with capture_logs() as logs:
            adapter.hosts.reload()
        adapter.stop()
        assert any("no host cmdb_default" in str(entry.get("warning")) for entry in logs) == bool(url)


def test_the_inventory_of_this_machine(cmdb: Cmdb, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its only host has an id that one of CMDB's has as well: it is refused at the start, and nothing is asked."""
    monkeypatch.setenv("ADAPTER_CMDB_APP_SECRET", SECRET)
    settings = Settings(data_dir=tmp_path, cmdb_url=cmdb.url, cmdb_app_code=APP, no_worker=True)
    with pytest.raises(SettingError, match="inventories/examples/cmdb"):
        bootstrap.build(settings)
    assert cmdb.asked == []
