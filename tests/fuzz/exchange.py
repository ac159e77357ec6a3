"""Requests to an ASGI application in this process: one that hangs is told, a stream is left once it has begun."""

from __future__ import annotations

import json
from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote, urlsplit

import anyio
from anyio.from_thread import BlockingPortal
from starlette.types import ASGIApp

#: No request of a fuzzer has so much to do, on the busiest machine.
PATIENCE_SECONDS = 20.0


class Hangs(AssertionError):
    """A request that was not answered in time."""


@dataclass(frozen=True, kw_only=True)
class Sent:
    """A request as it goes over the wire."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes = b""

    def __str__(self) -> str:
        return f"{self.method} {self.url}\n{dict(self.headers)}\n{self.body[:4000]!r}"


@dataclass
class Answer:
    """What came back; of a stream only its beginning."""

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""

    @property
    def media(self) -> str:
        """Its Content-Type, without parameters."""
        return self.headers.get("content-type", "").partition(";")[0]

    def json(self) -> Any:
        """The body."""
        return json.loads(self.body)


def answer(portal: BlockingPortal, app: ASGIApp, sent: Sent) -> Answer:
    """Sends it. Raises Hangs, or what the application raised."""
    future: Future[Answer] = portal.start_task_soon(_exchange, app, sent)
    try:
        return future.result(PATIENCE_SECONDS)
    except TimeoutError:
        raise Hangs(f"no answer within {PATIENCE_SECONDS} s to {sent}") from None


async def _exchange(app: ASGIApp, sent: Sent) -> Answer:
    found, left = Answer(), anyio.Event()
    chunks = [sent.body]

    async def receive() -> dict[str, Any]:
        if chunks:
            return {"type": "http.request", "body": chunks.pop(), "more_body": False}
        await left.wait()
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            found.status = message["status"]
            found.headers = {name.decode(): value.decode("latin-1") for name, value in message["headers"]}
            return
        found.body += message.get("body", b"")
        if found.media == "text/event-stream":
            left.set()

    await app(_scope(sent), receive, send)
    return found


def _scope(sent: Sent) -> dict[str, Any]:
    parts = urlsplit(sent.url)
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": sent.method,
        "scheme": "http",
        "path": unquote(parts.path, errors="replace"),
        "raw_path": parts.path.encode(),
        "query_string": parts.query.encode(),
        "headers": [
            (name.lower().encode("latin-1", "replace"), value.encode("latin-1", "replace"))
            for name, value in sent.headers.items()
        ],
        "client": ("127.0.0.1", 50_000),
        "server": ("testserver", 80),
    }
