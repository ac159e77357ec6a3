"""A reader of server-sent events, as a browser's EventSource reads them."""

from __future__ import annotations

import json
from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import httpx

from tests.support.service import Service


@dataclass(frozen=True)
class Event:
    """One event; `id` as it was sent with it."""

    name: str
    data: dict[str, Any]
    id: int | None = None


def events_in(lines: Iterable[str]) -> Iterator[Event]:
    """The events of a stream, line by line; one that is cut off is none."""
    fields: dict[str, str] = {}
    for line in lines:
        name, _, value = line.partition(": ")
        if line:
            fields[name] = value
            continue
        if "data" in fields:
            id_ = int(fields["id"]) if "id" in fields else None
            yield Event(fields["event"], json.loads(fields["data"]), id_)
        fields = {}


def follow(
    service: Service, path: str, biz: int = 1, last_event_id: int | None = None, **query: str | int
) -> Generator[Event, None, None]:
    """The events of a path, until the stream ends or breaks. Close it to go away."""
    assert service.credentials is not None
    headers = service.credentials.in_header()
    if last_event_id is not None:
        headers["Last-Event-ID"] = str(last_event_id)
    scope: dict[str, str | int] = {"bk_scope_type": "biz", "bk_scope_id": biz}
    client = httpx.Client(trust_env=False, timeout=30)
    with client, client.stream("GET", f"{service.url}{path}", params=scope | query, headers=headers) as reply:
        assert reply.headers["content-type"] == "text/event-stream; charset=utf-8", reply.read()
        yield from events_in(reply.iter_lines())


def job_path(job_instance_id: int) -> str:
    """Of a job's stream."""
    return f"/api/ext/v1/job_instances/{job_instance_id}/events"


def log_path(step_instance_id: int, bk_host_id: int) -> str:
    """Of the stream of a host's log."""
    return f"/api/ext/v1/step_instances/{step_instance_id}/hosts/{bk_host_id}/log/events"
