"""A status with very many hosts says what one with few does, byte for byte as JSON, in every dialect."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import pytest
from orjson import dumps

from adapter.api.application import Services, create_app
from adapter.api.written_rows import WrittenRows
from adapter.config import Settings
from adapter.job.model import HostResult, Seen, StepInstance
from adapter.service.query import Query
from adapter.store.jobs import JobStore
from adapter.store.kept_results import KeptResults
from adapter.store.opening import Stores, open_store
from adapter.testing.reachability import MemoryReachability
from tests.support.lives import HOSTS, Life, new_job

from .client import ESB_V2, GATEWAY, GATEWAY_V4, JobClient, TestClient
from .conftest import StoppedClock
from .real import Real, build

SEED = 20261129
STEPS = 120

_PATHS = {
    "v2": f"{ESB_V2}/get_job_instance_status/",
    "v3": f"{GATEWAY}/get_job_instance_status/",
    "v4": f"{GATEWAY_V4}/get_job_instance_status",
    "bkci": f"{GATEWAY}/bkci_plugin_get_job_instance_status/",
}
_WITH_HOSTS = {
    "return_ip_result": True,
    "return_execute_object_result": True,
    "include_execute_object_task_result": True,
}
_SCOPE = {"bk_scope_type": "biz", "bk_scope_id": "1", "bk_biz_id": 1}


@pytest.fixture(scope="module")
def stores(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stores]:
    """A database of these tests' own."""
    opened = open_store(Settings(data_dir=tmp_path_factory.mktemp("rows")))
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def real(stores: Stores, tmp_path_factory: pytest.TempPathFactory) -> Real:
    """An application, whose services and credentials the tests use."""
    return build(stores, StoppedClock(), Settings(data_dir=tmp_path_factory.mktemp("real")))


def _client(real: Real, services: Services) -> JobClient:
    http = TestClient(create_app(services, Settings()), headers={"Blueking-Language": "en"})
    return JobClient(http, real.job.credentials)


def _kept(real: Real, stores: Stores) -> JobClient:
    """Of an application to which two hosts are very many."""
    jobs = JobStore(stores.engine, stores.box, results=KeptResults(stores.engine, large=2))
    services = replace(real.services, query=Query(jobs, real.logs), written=WrittenRows(large=2))
    return _client(real, services)


def _plain(real: Real, stores: Stores) -> JobClient:
    """Of one that keeps nothing."""
    return _client(real, replace(real.services, query=Query(JobStore(stores.engine, stores.box), real.logs)))


def _status(client: JobClient, version: str, job_id: int) -> Any:
    body = {**client.credentials, **_SCOPE, **_WITH_HOSTS, "job_instance_id": job_id}
    answer = client.http.post(_PATHS[version], json=body)
    assert answer.status_code == 200, answer.text
    found = answer.json()
    assert (":null" in answer.text) <= (version != "v4")
    return {name: found[name] for name in found if name not in ("request_id", "job_request_id")}


def _hosts_in(version: str, reply: dict[str, Any]) -> int:
    blocks = (
        reply["data"]["blocks"]
        if version == "v2"
        else [{"step_instances": reply["data"]["step_instance_list"]}]
    )
    return sum(
        len(value)
        for block in blocks
        for step in block["step_instances"]
        for value in step.values()
        if isinstance(value, list)
    )


def test_what_is_kept_says_the_same(real: Real, stores: Stores) -> None:
    """Through everything that can happen to a job, and while it becomes known which hosts answer."""
    print("seed", SEED)
    rng = random.Random(SEED)
    kept, plain = _kept(real, stores), _plain(real, stores)
    reachability = real.services.reachability
    assert isinstance(reachability, MemoryReachability)
    for number in range(STEPS):
        if number % 20 == 0:
            life = Life(real.jobs, new_job(real.jobs).id, rng)
        done = life.goes_on()
        reachability.known = {
            host.bk_host_id: Seen(answers=rng.random() < 0.5)
            for host in HOSTS
            if rng.random() < number % 3 / 2
        }
        for version in _PATHS:
            if rng.random() < 0.5:  # some polls come after several changes
                said = _status(kept, version, life.job_id)
                assert said == _status(plain, version, life.job_id), done
                assert _hosts_in(version, said) == 4 * len(HOSTS)


def test_a_job_that_is_removed_is_unknown(real: Real, stores: Stores) -> None:
    """What was kept of it is told to nobody."""
    job = new_job(real.jobs)
    kept = _kept(real, stores)
    assert _status(kept, "v3", job.id)["code"] == 0
    with stores.engine.begin() as connection:
        connection.exec_driver_sql(f"DELETE FROM job_instance WHERE id = {job.id}")
    body = {**kept.credentials, **_SCOPE, **_WITH_HOSTS, "job_instance_id": job.id}
    assert kept.http.post(_PATHS["v3"], json=body).json()["code"] == 1244006


def test_rows_are_written_once() -> None:
    """Only those of results that are others by now are written anew; each view has its own."""
    step = StepInstance(id=1, name="run")
    before = tuple(HostResult(host=host) for host in HOSTS)
    seen: list[int] = []

    def view(result: HostResult, alive: Mapping[int, int]) -> dict[str, Any]:
        seen.append(result.host.bk_host_id)
        id_ = result.host.bk_host_id
        return {"id": id_, "log": result.log_bytes, "alive": alive.get(id_)}

    def other(result: HostResult, _alive: Mapping[int, int]) -> dict[str, Any]:
        return {"name": result.host.name}

    rows = WrittenRows(large=len(HOSTS))
    rows.of(step, before, view, {})
    assert seen == [host.bk_host_id for host in HOSTS]
    assert json.loads(dumps(rows.of(step, before, other, {})))[1] == {"name": "h102"}
    after = (before[0], replace(before[1], log_bytes=7), *before[2:])
    seen.clear()
    found = json.loads(dumps(rows.of(step, after, view, {103: 1})))
    assert seen == [102, 103]
    assert found[:3] == [
        {"id": 101, "log": 0, "alive": None},
        {"id": 102, "log": 7, "alive": None},
        {"id": 103, "log": 0, "alive": 1},
    ]
    assert json.loads(dumps(rows.of(replace(step, execute_count=1), before, view, {})))[1]["log"] == 0
