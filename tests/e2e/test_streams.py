"""Event streams of real jobs: live, resumed after every kind of break, and equal to what the queries answer."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable, Generator
from contextlib import closing

import httpx
import pytest

from tests.e2e.conftest import NewService
from tests.e2e.jobs import Job, Jobs
from tests.e2e.restarts import marking, whole_log
from tests.lab import Lab
from tests.support.events import Event, follow, job_path, log_path
from tests.support.service import Service

HOSTS = (101, 102)


class Listener:
    """A client that comes back with the last id it heard, whenever its stream breaks, until it hears the end."""

    def __init__(
        self, service: Service, path: str, cut: Callable[[Event], bool] = lambda _event: False
    ) -> None:
        self._service = service
        self._path = path
        self._cut = cut
        self.events: list[Event] = []
        self.breaks = 0
        self._thread = threading.Thread(target=self._listen)
        self._thread.start()

    def heard(self) -> list[Event]:
        """Everything, once the end has been heard."""
        self._thread.join(120)
        assert not self._thread.is_alive(), self.events[-3:]
        return self.events

    def _listen(self) -> None:
        until = time.monotonic() + 110
        while time.monotonic() < until:
            try:
                with closing(self._open()) as stream:
                    for event in stream:
                        self.events.append(event)
                        if event.name == "end":
                            return
                        if self._cut(event):
                            break
            except httpx.HTTPError:
                time.sleep(0.1)
            self.breaks += 1

    def _open(self) -> Generator[Event, None, None]:
        ids = [event.id for event in self.events if event.id is not None]
        # What came after the last id comes again: as a browser, this client forgets it.
        while self.events and self.events[-1].id is None:
            self.events.pop()
        return follow(self._service, self._path, last_event_id=ids[-1] if ids else None)


def log_of(events: list[Event]) -> str:
    """The log that a listener heard, checked to be without a gap."""
    parts = [event for event in events if event.name == "log"]
    offsets = [0, *(event.id for event in parts)]
    assert [event.data["offset"] for event in parts] == offsets[:-1]
    return "".join(event.data["content"] for event in parts)


def history(events: list[Event], host_id: int) -> list[int]:
    """The states of a host, in the order in which they were heard."""
    states = [event.data["status"] for event in events if event.data.get("bk_host_id") == host_id]
    return [state for state, _ in itertools.groupby(states)]


def agrees(job: Job, events: list[Event]) -> None:
    """Fail unless the last word on everything is what the status query says."""
    last: dict[tuple[str, int], dict[str, object]] = {}
    for event in events:
        key = {"job": "job_instance_id", "step": "step_instance_id", "host": "bk_host_id"}.get(event.name)
        if key:
            last[event.name, event.data[key]] = event.data
    end = job.end
    (step,) = end["step_instance_list"]
    assert last["job", job.id].items() >= end["job_instance"].items()
    hosts = step["step_ip_result_list"]
    told = last["step", job.step_id]
    assert told | {"step_ip_result_list": hosts} == step | {"finished": True}
    for host in hosts:
        assert last["host", host["bk_host_id"]].items() >= host.items()
    assert len(last) == 2 + len(hosts)


def test_a_job_is_heard_as_it_runs(service: Service, jobs: Jobs) -> None:
    """Its states in order; what the queries say at the end; then the stream closes, and is the same once more."""
    job = jobs.script("sleep 2; echo done; exit $1", *HOSTS, param="0")
    listener = Listener(service, job_path(job.id))
    began = time.monotonic()
    first = next(
        event for event in Listener(service, log_path(job.step_id, 101)).heard() if event.name == "log"
    )
    assert first.data == {"offset": 0, "content": "done\n"}
    events = listener.heard()
    assert time.monotonic() - began < 60
    assert [event.name for event in events[:4]] == ["job", "step", "host", "host"]
    for host_id in HOSTS:
        assert history(events, host_id)[-2:] == [7, 9]
    ids = [event.id for event in events if event.id is not None]
    assert ids == sorted(ids)
    assert [event.data["status"] for event in events if event.name == "job"][-1] == 3
    assert (events[-1].name, events[-1].data["finished"]) == ("end", True)
    agrees(job, events)
    again = list(follow(service, job_path(job.id)))
    assert again[-1] == events[-1]
    agrees(job, again)
    assert [event.name for event in follow(service, job_path(job.id), last_event_id=ids[-1])] == ["end"]


def test_a_client_that_is_cut_off_again_and_again_misses_nothing(service: Service, jobs: Jobs) -> None:
    """It goes away after every event and comes back with the last id."""
    job = jobs.script(marking("streams-cut", 3), *HOSTS)
    states = Listener(service, job_path(job.id), cut=lambda event: event.id is not None)
    log = Listener(service, log_path(job.step_id, 102), cut=lambda event: event.id is not None)
    assert log_of(log.heard()) == whole_log(3) == job.log(102)
    assert log.breaks > 1
    events = states.heard()
    assert states.breaks > 2
    agrees(job, events)


@pytest.mark.timeout(240)
def test_a_killed_service_is_heard_on_where_it_was(lab: Lab, fresh_service: NewService) -> None:
    """SIGKILL in the middle, another start: one log without a gap or a repeated byte, and every last state."""
    service = fresh_service()
    job = Jobs(service).script(marking("streams-kill", 8), *HOSTS)
    states = Listener(service, job_path(job.id))
    log = Listener(service, log_path(job.step_id, 101))
    until = time.monotonic() + 60
    while "line 5\n" not in "".join(event.data.get("content", "") for event in list(log.events)):
        assert time.monotonic() < until
        time.sleep(0.1)
    service.kill()
    service.start()
    assert log_of(log.heard()) == whole_log(8) == job.log(101)
    agrees(job, states.heard())
    assert min(states.breaks, log.breaks) > 0


def test_streams_end_with_the_service(lab: Lab, fresh_service: NewService) -> None:
    """SIGTERM does not wait for those who listen to a job that goes on."""
    service = fresh_service("--drain-seconds", "0")
    job = Jobs(service).script("sleep 30", 101)
    streams = [follow(service, job_path(job.id)), follow(service, log_path(job.step_id, 101))]
    assert next(streams[0]).name == "job"
    heard: list[list[Event]] = []
    threads = [
        threading.Thread(target=lambda stream=stream: heard.append(list(stream))) for stream in streams
    ]
    for thread in threads:
        thread.start()
    time.sleep(1)
    began = time.monotonic()
    assert service.stop() == 0
    log = [line for line in service.log().splitlines() if '"stream_ended"' in line or '"draining"' in line]
    assert '"draining"' in log[-1]
    assert len(log) == 3
    for thread in threads:
        thread.join(10)
    assert "end" not in [event.name for events in heard for event in events]
    assert time.monotonic() - began < 30
