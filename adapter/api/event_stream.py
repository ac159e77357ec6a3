"""Server-sent events: their form on the wire, and a response that asks a reader for news until there are none left.

While nothing happens a stream holds neither a thread nor a database connection, only a timer.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, MutableMapping
from contextlib import contextmanager
from typing import Any

import anyio
import anyio.to_thread
import structlog
from starlette.types import Receive, Scope, Send

from adapter.errors import TooManyStreams
from adapter.service.follow import Batch, Event, Follower

_log = structlog.get_logger(__name__)

#: Seconds between two looks at the store: the first after news, the longest, and the growth between them.
_PAUSE, _LONGEST_PAUSE, _GROWTH = 0.3, 1.0, 1.2
#: Seconds of silence after which a comment is sent, so that proxies keep the connection.
_HEARTBEAT = 15.0
#: Seconds a client may leave what was sent unread.
_STALLED = 60.0
#: Seconds a stream that has to end may take to say so.
_LAST_WORD = 1.0
#: Looks at the store that may fail in a row, with up to 5 seconds between them.
_FAILURES = 20
#: Threads that read for all streams together: the API's own stay free.
_READERS = 4

_HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),  # nginx would collect what is to be seen at once
]
_FIRST_WORD = b"retry: 2000\n\n"  # milliseconds until a browser comes back

#: The name and the data of an event.
View = Callable[[Event], tuple[str, Any]]


def frame(name: str, data: Any, id_: int | None) -> bytes:
    """One event. JSON has no line breaks of its own, so its text is one line of data."""
    head = f"event: {name}\n" if id_ is None else f"id: {id_}\nevent: {name}\n"
    text = json.dumps(data, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return f"{head}data: {text}\n\n".encode("utf-8", "replace")


class OpenStreams:
    """The streams of one service: counts them, and ends them all when the service does."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._scopes: set[anyio.CancelScope] = set()
        self._readers: anyio.CapacityLimiter | None = None
        self._closed = False

    def __len__(self) -> int:
        return len(self._scopes)

    @property
    def readers(self) -> anyio.CapacityLimiter:
        """The threads; belongs to the event loop that asks first."""
        if self._readers is None:
            self._readers = anyio.CapacityLimiter(_READERS)
        return self._readers

    def require_room(self) -> None:
        """Raises TooManyStreams. Nothing may be awaited between this and opened()."""
        if len(self._scopes) >= self._limit:
            raise TooManyStreams(self._limit)

    @contextmanager
    def opened(self, scope: anyio.CancelScope) -> Iterator[None]:
        """Count a stream in; `scope` is cancelled by close(), at once if that has been called."""
        self._scopes.add(scope)
        try:
            if self._closed:
                scope.cancel()
            yield
        finally:
            self._scopes.discard(scope)

    def close(self) -> None:
        """End every stream; called in the event loop. Clients come back and resume at the next start."""
        self._closed = True
        for scope in tuple(self._scopes):
            scope.cancel()


class EventStream:
    """The ASGI response to one client. It ends with the reader, the client or the service."""

    def __init__(self, streams: OpenStreams, follower: Follower, view: View, name: str) -> None:
        self._streams = streams
        self._follower = follower
        self._view = view
        self._name = name
        self._failures = 0
        self._sent_at = 0.0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send all there is, then what comes."""
        began = time.monotonic()
        async with anyio.create_task_group() as group:
            with self._streams.opened(group.cancel_scope):
                group.start_soon(_until_gone, receive, group.cancel_scope)
                try:
                    await self._pump(send)
                except OSError:  # also TimeoutError: the client takes nothing any more
                    _log.info("stream_lost", stream=self._name)
                group.cancel_scope.cancel()
        with anyio.move_on_after(_LAST_WORD, shield=True):
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        _log.info("stream_ended", stream=self._name, seconds=round(time.monotonic() - began, 1))

    async def _pump(self, send: Send) -> None:
        with anyio.fail_after(_STALLED):
            await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
        await self._send(send, _FIRST_WORD)
        pause = _PAUSE
        while self._failures <= _FAILURES:
            batch, data = await self._next()
            if data:
                await self._send(send, data)
                pause = _PAUSE
            if batch.ended:
                return
            if batch.more:
                continue
            if time.monotonic() - self._sent_at >= _HEARTBEAT:
                await self._send(send, b": still here\n\n")
            await anyio.sleep(min(5.0, pause * (1 + self._failures)))
            pause = min(pause * _GROWTH, _LONGEST_PAUSE)

    async def _next(self) -> tuple[Batch, bytes]:
        """What the reader has. A store that cannot be read now, as PostgreSQL while it restarts, is nothing new."""
        try:
            found = await anyio.to_thread.run_sync(self._read, limiter=self._streams.readers)
        except Exception:  # noqa: BLE001 whatever a store raises; it is logged, and not for ever
            self._failures += 1
            is_new = self._failures == 1
            _log.warning("stream_cannot_read", stream=self._name, failures=self._failures, exc_info=is_new)
            return Batch(), b""
        self._failures = 0
        return found

    def _read(self) -> tuple[Batch, bytes]:
        batch = self._follower.read()
        return batch, b"".join(frame(*self._view(event), event.id) for event in batch.events)

    async def _send(self, send: Send, data: bytes) -> None:
        """Wait until the client has taken nearly everything sent before: nothing piles up for a slow one."""
        with anyio.fail_after(_STALLED):
            await send({"type": "http.response.body", "body": data, "more_body": True})
        self._sent_at = time.monotonic()


async def _until_gone(receive: Receive, scope: anyio.CancelScope) -> None:
    """Ends the stream when the client has gone."""
    message: MutableMapping[str, Any] = {}
    while message.get("type") != "http.disconnect":
        message = await receive()
    scope.cancel()
