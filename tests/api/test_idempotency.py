"""X-Idempotency-Key: a request that is sent again starts nothing again, and is answered as the first time."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from typing import Any

import pytest

from adapter.config import Settings
from adapter.store.opening import open_store

from .bodies import v3
from .client import ESB_V2, ESB_V3, GATEWAY, GATEWAY_V4, envelope, envelope_v4
from .conftest import StoppedClock
from .real import Real, build

_keys = (f"7d0f4c1e-{n}" for n in count())


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Of one data directory."""
    return Settings(data_dir=tmp_path_factory.mktemp("once"))


@pytest.fixture(scope="module")
def real(settings: Settings) -> Iterator[Real]:
    """The application over real use cases."""
    stores = open_store(settings)
    yield build(stores, StoppedClock(), settings)
    stores.close()


def post(
    real: Real, body: dict[str, Any], key: str, path: str = f"{ESB_V3}/fast_execute_script/", **more: Any
) -> Any:
    """The reply to a request with the key."""
    credentials = more.pop("credentials", real.job.credentials)
    return real.job.http.post(
        path, json={**credentials, **body}, headers={"X-Idempotency-Key": key, **more.pop("headers", {})}
    )


def script(real: Real, **changes: Any) -> dict[str, Any]:
    """A request that the application can carry out."""
    body = v3("fast_execute_script", account_alias=None, account_id=real.account_id, **changes)
    return {name: value for name, value in body.items() if value is not None}


def test_the_same_request_again_gets_the_first_answer(real: Real) -> None:
    """One job, and the whole of `data` is the same; other keys, and none, are other jobs."""
    key, body = next(_keys), script(real)
    first, again = (envelope(post(real, body, key))["data"] for _ in range(2))
    assert again == first
    assert envelope(post(real, body, next(_keys)))["data"]["job_instance_id"] != first["job_instance_id"]
    assert real.job.v3("fast_execute_script", body)["data"]["job_instance_id"] != first["job_instance_id"]


def test_every_launch_knows_the_key(real: Real) -> None:
    """Of v3 and v2, by any path; a transfer, and a plan, which has no step in its answer."""
    transfer = v3("fast_transfer_file", account_alias=None, account_id=real.account_id)
    transfer["file_source_list"][0]["account"] = {"id": real.account_id}
    plan = {**v3("execute_job_plan", job_plan_id=real.plan_id), "global_var_list": []}
    for name, whole in (("fast_transfer_file", transfer), ("execute_job_plan", plan)):
        key = next(_keys)
        body = {each: value for each, value in whole.items() if value is not None}
        paths = [f"{ESB_V3}/{name}/", f"{GATEWAY}/{name}", f"/api/bk-job/prod{GATEWAY}/{name}/"]
        replies = [envelope(post(real, body, key, path)) for path in paths]
        assert [reply["code"] for reply in replies] == [0, 0, 0], replies
        assert replies[0]["data"] == replies[1]["data"] == replies[2]["data"]
    old = {"bk_biz_id": 1, "bk_job_id": real.plan_id}
    key = next(_keys)
    first, again = (envelope(post(real, old, key, f"{ESB_V2}/execute_job/")) for _ in range(2))
    assert first["code"] == 0, first
    assert first["data"] == again["data"]


def test_another_request_under_the_key_is_refused(real: Real) -> None:
    """HTTP 409, the job it stands for is named, nothing is stored; also for another API, and in v4's words."""
    key = next(_keys)
    launched = envelope(post(real, script(real), key))["data"]
    other = script(real, task_name="other")
    reply = envelope(post(real, other, key, headers={"Blueking-Language": "en"}), 409)
    assert reply["code"] == 1241005
    assert f"job instance {launched['job_instance_id']}" in reply["message"]
    v4 = {name: value for name, value in other.items() if name not in ("bk_biz_id", "target_server")}
    v4["execute_target"] = {"host_list": [{"bk_host_id": 101}]}
    v4["account_id"] = real.account_id
    refused = envelope_v4(post(real, v4, key, f"{GATEWAY_V4}/fast_execute_script"), 409)
    assert refused["error"]["code"] == "ALREADY_EXISTS"
    newest = real.jobs.get(launched["job_instance_id"] + 1)
    assert newest is None


def test_who_asks_is_not_what_is_asked(real: Real) -> None:
    """A new ticket may be sent with the same request; another application has keys of its own."""
    key, body = next(_keys), script(real)
    first = envelope(post(real, body, key))["data"]
    again = {**real.job.credentials, "bk_username": "another"}
    assert envelope(post(real, body, key, credentials=again))["data"] == first
    header = {"X-Bkapi-Authorization": json.dumps(real.job.credentials)}
    assert envelope(post(real, body, key, credentials={}, headers=header))["data"] == first


def test_a_request_that_was_refused_leaves_the_key_free(real: Real) -> None:
    """Nothing was launched: the same key may go with the mended request."""
    key = next(_keys)
    assert envelope(post(real, script(real, timeout=0), key))["code"] == 1240003
    nobody = {"host_id_list": [999]}
    assert envelope(post(real, script(real, target_server=nobody), key))["code"] == 1244030
    assert envelope(post(real, script(real), key))["code"] == 0


@pytest.mark.parametrize("key", ["", " ", "a b", "x" * 256, "\u00e9", "a\tb"])
def test_a_key_must_be_one(real: Real, key: str) -> None:
    """Else the caller would believe in a protection that is not there."""
    reply = real.job.http.post(
        f"{ESB_V3}/fast_execute_script/",
        json={**real.job.credentials, **script(real)},
        headers=[(b"X-Idempotency-Key", key.encode("latin-1"))],
    )
    answer = envelope(reply)
    assert answer["code"] == 1240003
    assert "X-Idempotency-Key" in answer["message"]


def test_the_same_request_many_times_at_once_is_one_job(real: Real) -> None:
    """Whoever comes second waits for the first, and is told what came of it."""
    for _round in range(5):
        key, body = next(_keys), script(real)
        with ThreadPoolExecutor(8) as pool:
            replies = list(pool.map(lambda _n, b=body, k=key: envelope(post(real, b, k)), range(8)))
        assert {reply["code"] for reply in replies} == {0}
        assert len({reply["data"]["job_instance_id"] for reply in replies}) == 1
