"""What is recorded beside what JOB tells: callbacks POST by POST, and how much hosts printed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from click.testing import CliRunner

from adapter.cli import main
from adapter.config import Settings
from adapter.job.callbacks import CallbackState, Delivery
from adapter.job.model import HostResult
from adapter.job.status import HostStatus, RunStatus
from adapter.store.callbacks import CallbackStore
from adapter.store.opening import Stores, open_store

from .bodies import v3
from .client import envelope
from .conftest import StoppedClock
from .real import HOSTS, Real, build

SCOPE = {"bk_scope_type": "biz", "bk_scope_id": "1"}


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Of one data directory."""
    return Settings(data_dir=tmp_path_factory.mktemp("records"))


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


def launched(real: Real, headers: dict[str, str] | None = None, **changes: Any) -> tuple[int, int]:
    """A new job on hosts 101 and 102, and its step."""
    body = v3("fast_execute_script", target_server={"host_id_list": [101, 102]}, **changes)
    body = {name: value for name, value in body.items() if value is not None} | real.job.credentials
    path = "/api/c/compapi/v2/jobv3/fast_execute_script/"
    data = envelope(real.job.http.post(path, json=body, headers=headers))["data"]
    return data["job_instance_id"], data["step_instance_id"]


def asked(real: Real, path: str, **query: Any) -> dict[str, Any]:
    """The envelope of what is recorded."""
    return envelope(real.job.http.get(f"/api/ext/v1/{path}", params=real.job.credentials | SCOPE | query))


def test_callbacks_are_told_post_by_post(real: Real, stores: Stores, settings: Settings) -> None:
    """By API and by command; no secret is in it."""
    url = "http://user:word@10.0.0.1/told?token=x"
    secret = "a-secret-of-sixteen"
    job_id, step_id = launched(real, {"X-Callback-Secret": secret}, callback_url=url)
    before = asked(real, f"job_instances/{job_id}/callbacks")["data"]
    shown = "http://10.0.0.1/told?…"
    assert before == {"job_instance_id": job_id, "callback_url": shown, "signed": True, "completions": []}
    real.jobs.finish_job(job_id, RunStatus.SUCCESS, 9)
    log = CallbackStore(stores.engine)
    kinds: dict[str, Any] = {"completion": 1, "attempt": 1, "url": shown, "start_time": 10, "duration": 7}
    log.log(job_id, Delivery(content_type="application/json", status=500, error=None, **kinds))
    log.log(job_id, Delivery(content_type="a form", status=None, error="no answer within 10 s", **kinds))
    log.set_state(job_id, 1, CallbackState.GIVEN_UP)
    reply = asked(real, f"job_instances/{job_id}/callbacks")
    (completion,) = reply["data"]["completions"]
    steps = f'[{{"step_instance_id":{step_id},"status":1}}]'
    assert completion == {
        "completion": 1,
        "state": "given_up",
        "create_time": 9,
        "body": f'{{"job_instance_id":{job_id},"status":3,"step_instances":{steps},"step_instance_list":{steps}}}',
        "deliveries": [
            {
                "attempt": 1,
                "start_time": 10,
                "total_time": 7,
                "url": shown,
                "content_type": kind,
                "status": status,
                "error": error,
            }
            for kind, status, error in (
                ("application/json", 500, None),
                ("a form", None, "no answer within 10 s"),
            )
        ],
    }
    command = ["callbacks", "--job", str(job_id), "--data-dir", str(settings.data_dir)]
    printed = CliRunner().invoke(main, command).output
    assert f"job {job_id}  {shown}  signed" in printed
    assert "completion 1  given_up" in printed
    assert "attempt 1  application/json  7 ms  500" in printed
    assert "no answer within 10 s" in printed
    for text in (str(reply), printed):
        assert not any(word in text for word in (secret, "word", "token=x"))


def test_a_job_that_calls_nobody_has_nothing_of_it(real: Real, settings: Settings) -> None:
    """And one that is not there, or another business's, is unknown."""
    job_id, _ = launched(real, callback_url=None)
    data = asked(real, f"job_instances/{job_id}/callbacks")["data"]
    assert data == {"job_instance_id": job_id, "callback_url": None, "signed": False, "completions": []}
    for path, more in (
        ("job_instances/999999/callbacks", {}),
        (f"job_instances/{job_id}/callbacks", {"bk_scope_id": "2"}),
        (f"job_instances/{2**63 - 1}/callbacks", {}),
    ):
        assert asked(real, path, **more)["code"] == 1244006
    assert asked(real, "job_instances/x/callbacks")["code"] == 1240003
    assert asked(real, "job_instances/0/callbacks")["code"] == 1241007
    command = ["callbacks", "--data-dir", str(settings.data_dir), "--job"]
    assert "has no callback_url" in CliRunner().invoke(main, [*command, str(job_id)]).output
    unknown = CliRunner().invoke(main, [*command, "999999"])
    assert (unknown.exit_code, "does not exist" in unknown.output) == (1, True)


def test_bytes_of_logs_are_told_host_by_host(real: Real) -> None:
    """Printed, kept, dropped; a host that runs has not been counted. In pages, with the sums of all."""
    _, step_id = launched(real)
    ended = HostResult(host=HOSTS[0], status=HostStatus.SUCCESS, log_bytes=9_000_000_000, log_kept=5_242_880)
    real.jobs.save_hosts(step_id, 0, [ended, HostResult(host=HOSTS[1], status=HostStatus.RUNNING)])
    data = asked(real, f"step_instances/{step_id}/logs")["data"]
    kept = {"bytes_total": 9_000_000_000, "bytes_kept": 5_242_880, "bytes_dropped": 8_994_757_120}
    unknown = dict.fromkeys(kept)
    first, second = data.pop("data")
    assert (
        data.items()
        >= {"hosts": 2, "hosts_finished": 1, "start": 0, "length": 20, "total": 2, **kept}.items()
    )
    assert first == {
        "bk_host_id": 101,
        "ip": "10.0.0.1",
        "bk_cloud_id": 0,
        "status": 9,
        "finished": True,
        **kept,
    }
    assert second == {
        **{"bk_host_id": 102, "ip": "10.0.0.2", "bk_cloud_id": 0, "status": 7, "finished": False},
        **unknown,
    }
    page = asked(real, f"step_instances/{step_id}/logs", start=1, length=1)["data"]
    assert [host["bk_host_id"] for host in page["data"]] == [102]
    assert page["bytes_total"] == 9_000_000_000
    assert asked(real, f"step_instances/{step_id}/logs", start=7)["data"]["data"] == []
    other = asked(real, f"step_instances/{step_id}/logs", execute_count=1)["data"]
    assert (other["hosts"], other["bytes_total"], other["data"]) == (0, 0, [])


def test_logs_of_what_is_not_there(real: Real) -> None:
    """As of a step's bundle."""
    _, step_id = launched(real)
    assert asked(real, "step_instances/999999/logs")["code"] == 1244006
    assert asked(real, f"step_instances/{step_id}/logs", bk_scope_id="2")["code"] == 1244006
    assert asked(real, f"step_instances/{step_id}/logs", execute_count=-1)["code"] == 1241007
    assert asked(real, f"step_instances/{step_id}/logs", start="x")["code"] == 1240003
    assert asked(real, f"step_instances/{step_id}/logs", execute_count=2**40)["data"]["hosts"] == 0
    posted = real.job.http.post(f"/api/ext/v1/step_instances/{step_id}/logs", json=real.job.credentials)
    assert posted.status_code == 405 or envelope(posted)["code"] == 1240003
