"""Event streams through the application: what is told, resumed and refused."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from typing import Any

import pytest

from adapter.api.application import create_app
from adapter.api.event_stream import OpenStreams
from adapter.config import Settings
from adapter.job.model import FileLog, HostResult, JobInstance, Scope
from adapter.job.status import HostStatus, RunStatus
from adapter.store.jobs import JobStore
from adapter.store.opening import open_store
from tests.support.events import Event, events_in, job_path, log_path

from .bodies import v3
from .client import TestClient, envelope
from .conftest import StoppedClock, World
from .real import HOSTS, Real, build

SCOPE = {"bk_scope_type": "biz", "bk_scope_id": "1"}


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Real]:
    """One application for all tests here."""
    settings = Settings(data_dir=tmp_path_factory.mktemp("real"))
    stores = open_store(settings)
    yield build(stores, StoppedClock(), settings)
    stores.close()


def launched(real: Real, name: str = "fast_execute_script") -> tuple[int, int]:
    """A new job of business 1 on hosts 101 and 102, and its step."""
    target = {"host_id_list": [101, 102]}
    body = v3(name, target_server=target)
    if name == "fast_transfer_file":
        source = {"file_list": ["/tmp/a"], "account": {"id": real.account_id}, "server": target}
        body |= {"file_source_list": [source], "account_alias": None, "account_id": real.account_id}
    reply = real.job.v3(name, {key: value for key, value in body.items() if value is not None})
    assert reply["code"] == 0, reply
    return reply["data"]["job_instance_id"], reply["data"]["step_instance_id"]


def saved(real: Real, step_id: int, status: HostStatus, *ids: int, **values: Any) -> None:
    """Hosts with a state."""
    found = [HostResult(host=host, status=status, **values) for host in HOSTS if host.bk_host_id in ids]
    real.jobs.save_hosts(step_id, 0, found)


def ended(real: Real, job_id: int, step_id: int) -> None:
    """The job's success, so that its stream ends."""
    saved(real, step_id, HostStatus.SUCCESS, 101, 102, exit_code=0)
    real.jobs.finish_step(step_id, RunStatus.SUCCESS, 8)
    real.jobs.finish_job(job_id, RunStatus.SUCCESS, 9)


def heard(real: Real, path: str, since: int | None = None, **query: Any) -> list[Event]:
    """The whole stream of something that has ended."""
    header = {"X-Bkapi-Authorization": json.dumps(real.job.credentials)}
    if since is not None:
        header["Last-Event-ID"] = str(since)
    reply = real.job.http.get(path, params=SCOPE | query, headers=header)
    assert reply.status_code == 200
    assert reply.headers["content-type"] == "text/event-stream; charset=utf-8", reply.text
    assert reply.headers["cache-control"] == "no-store"
    assert reply.text.startswith("retry: 2000\n\n")
    return list(events_in(reply.text.split("\n")))


def refused(real: Real, path: str, status: int = 200, **query: Any) -> tuple[int, str]:
    """The code and message of a stream that does not begin."""
    reply = envelope(real.job.http.get(path, params=real.job.credentials | SCOPE | query), status)
    return reply["code"], reply["message"]


def test_a_finished_job_tells_its_present_state_and_ends(real: Real) -> None:
    """In the words of the status query, with `finished` beside each; the id is that of the last change."""
    job_id, step_id = launched(real)
    ended(real, job_id, step_id)
    status = real.job.v3(
        "get_job_instance_status",
        v3("get_job_instance_status", job_instance_id=job_id, return_ip_result=True, **SCOPE),
    )["data"]
    (step,) = status["step_instance_list"]
    events = heard(real, job_path(job_id))
    assert [event.name for event in events] == ["job", "step", "host", "host", "end"]
    assert events[0].data == status["job_instance"] | {"finished": True}
    assert events[1].data | {"step_ip_result_list": step["step_ip_result_list"]} == step | {"finished": True}
    for event, host in zip(events[2:4], step["step_ip_result_list"], strict=True):
        assert event.data == host | {"step_instance_id": step_id, "execute_count": 0, "finished": True}
    assert events[4].data == events[0].data
    assert [event.id for event in events] == [None, None, None, 3, 3]


def test_a_job_is_resumed_after_any_number(real: Real) -> None:
    """What changed since, as it is now; a number that the header names wins over the query's."""
    job_id, step_id = launched(real)
    real.jobs.begin_job(job_id, 5)
    saved(real, step_id, HostStatus.RUNNING, 101, 102)
    ended(real, job_id, step_id)
    assert [event.name for event in heard(real, job_path(job_id), 0)] == [
        "host",
        "host",
        "step",
        "job",
        "end",
    ]
    assert [event.name for event in heard(real, job_path(job_id), 2)] == [
        "host",
        "host",
        "step",
        "job",
        "end",
    ]
    assert [event.id for event in heard(real, job_path(job_id), 2)] == [None, 3, 4, 5, 5]
    assert [event.name for event in heard(real, job_path(job_id), 3, last_event_id=0)] == [
        "step",
        "job",
        "end",
    ]
    assert [event.name for event in heard(real, job_path(job_id), last_event_id=4)] == ["job", "end"]
    assert [event.name for event in heard(real, job_path(job_id), 5)] == ["end"]


def test_a_host_log_is_told_in_pieces_and_ends(real: Real) -> None:
    """The id is the offset after a piece; at the end the host's result and how much there was."""
    job_id, step_id = launched(real)
    text = "é" * 70_000 + "\n"
    real.logs.append(step_id, 0, 101, 0, text.encode())
    values: dict[str, Any] = {"exit_code": 0, "log_bytes": 200_000, "log_kept": 140_001, "end_time": 9}
    saved(real, step_id, HostStatus.SUCCESS, 101, **values)
    events = heard(real, log_path(step_id, 101))
    assert [event.name for event in events] == ["log", "log", "log", "end"]
    assert "".join(event.data["content"] for event in events[:-1]) == text
    assert [event.data["offset"] for event in events[:-1]] == [0, events[0].id, events[1].id]
    assert events[-1].id == 140_001
    end = events[-1].data
    assert (end["status"], end["exit_code"], end["finished"]) == (9, 0, True)
    assert (end["offset"], end["log_kept"], end["log_bytes"]) == (140_001, 140_001, 200_000)
    assert heard(real, log_path(step_id, 101), events[1].id)[:-1] == events[2:-1]
    assert [event.name for event in heard(real, log_path(step_id, 101), 140_001)] == ["end"]
    assert heard(real, log_path(step_id, 101), execute_count=0) == events
    assert job_id


@pytest.mark.parametrize(
    "raw",
    [
        b"a\xffb\xc3",
        b"\xe4\xbd\xa0\xe5\xa5",
        b"\xed\xa0\x80x",
        b"a\r\nb\rc\x00",
        "\u2028data: x\n\n".encode(),
    ],
)
def test_a_log_reads_as_the_query_reads_it(real: Real, raw: bytes) -> None:
    """Bytes that are no UTF-8, half characters, every kind of line break."""
    job_id, step_id = launched(real)
    for offset in range(len(raw)):
        real.logs.append(step_id, 0, 101, offset, raw[offset : offset + 1])
    saved(real, step_id, HostStatus.SUCCESS, 101)
    wanted = {"job_instance_id": job_id, "step_instance_id": step_id, "bk_host_id": 101, **SCOPE}
    query = real.job.v3("get_job_instance_ip_log", wanted)["data"]["log_content"]
    events = heard(real, log_path(step_id, 101))
    assert "".join(event.data["content"] for event in events[:-1]) == query == raw.decode(errors="replace")
    assert events[-1].data["offset"] == len(raw)


def test_a_host_of_a_file_step_tells_where_its_files_stand(real: Real) -> None:
    """As the log query shows them."""
    job_id, step_id = launched(real, "fast_transfer_file")
    entry = FileLog(
        bk_host_id=101, mode=1, src_host_id=102, src_path="/tmp/a", dest_host_id=101, dest_path="/tmp/b", status=4,
    )  # fmt: skip
    real.logs.save_file_logs(step_id, 0, [entry])
    saved(real, step_id, HostStatus.SUCCESS, 101)
    wanted = {"job_instance_id": job_id, "step_instance_id": step_id, "bk_host_id": 101, **SCOPE}
    (shown,) = real.job.v3("get_job_instance_ip_log", wanted)["data"]["file_logs"]
    events = heard(real, log_path(step_id, 101))
    assert [(event.name, event.id) for event in events] == [("file", None), ("end", None)]
    assert events[0].data | {"dest_ip": None} == shown | {"dest_ip": None}


def test_who_asks_is_checked_as_everywhere(real: Real) -> None:
    """Callers, scopes and ids of other businesses: the envelopes of the queries."""
    job_id, step_id = launched(real)
    for path, unknown in ((job_path(job_id), "Task instance"), (log_path(step_id, 101), "Step instance")):
        assert refused(real, path, bk_app_secret="x")[0] == 1306000
        code, message = refused(real, path, bk_scope_id="2")
        assert (code, unknown in message) == (1244006, True)
        assert refused(real, path, bk_scope_type="x")[0] == 1240003
    assert refused(real, job_path(10**15))[0] == 1244006
    assert refused(real, log_path(10**15, 101))[0] == 1244006
    assert refused(real, job_path(0))[0] == 1241007
    assert refused(real, "/api/ext/v1/job_instances/x/events")[0] == 1240003


@pytest.mark.parametrize("given", [{"last_event_id": 1}, {"last_event_id": -1}, {"last_event_id": 2**63 - 1}])
def test_an_id_that_was_never_given_out_is_refused(real: Real, given: dict[str, int]) -> None:
    """Waiting for it would be waiting for nothing."""
    job_id, step_id = launched(real)
    assert refused(real, job_path(job_id), **given)[0] == 1241007
    assert refused(real, log_path(step_id, 101), **given)[0] == 1241007


@pytest.mark.parametrize("given", [{"execute_count": 1}, {"execute_count": -1}, {"execute_count": 2**40}])
def test_an_execution_that_never_was_is_refused(real: Real, given: dict[str, int]) -> None:
    """As is a host that is not in the step."""
    _, step_id = launched(real)
    assert refused(real, log_path(step_id, 101), **given)[0] == 1241007
    assert refused(real, log_path(step_id, 103))[0] == 1241007


def test_a_stream_too_many_is_refused_in_words(world: World) -> None:
    """HTTP 429 and ESB's code of its rate limit, but only to those who may ask at all."""
    jobs = JobStore(world.stores.engine, world.stores.box)
    job = jobs.add(JobInstance(scope=Scope("biz", "1"), create_time=1), [])
    jobs.finish_job(job.id, RunStatus.SUCCESS, 9)
    full = create_app(dataclasses.replace(world.services, streams=OpenStreams(0)), Settings())
    params = world.job.credentials | SCOPE
    assert envelope(TestClient(full).get(job_path(job.id), params=params), 429)["code"] == 1306429
    stranger = params | {"bk_app_secret": "x"}
    assert envelope(TestClient(full).get(job_path(job.id), params=stranger))["code"] == 1306000
    reply = world.http.get(job_path(job.id), params=params)
    assert [event.name for event in events_in(reply.text.split("\n"))] == ["job", "end"]
    assert len(world.services.streams) == 0


def test_only_get_is_served(real: Real) -> None:
    """A HEAD would never end, a POST is no stream."""
    job_id, _ = launched(real)
    assert envelope(real.job.http.post(job_path(job_id), json=real.job.credentials))["code"] == 1240003
    assert real.job.http.head(job_path(job_id)).headers["content-type"] == "application/json"


def test_below_a_gateways_name_too(real: Real) -> None:
    """As the other APIs."""
    job_id, step_id = launched(real)
    ended(real, job_id, step_id)
    assert heard(real, f"/api/bk-job/prod{job_path(job_id)}") == heard(real, job_path(job_id))
