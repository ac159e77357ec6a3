"""How a stream ends and what it holds: clients that go or do not read, a service that ends, a store that fails."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import anyio
import pytest

from adapter.api import event_stream
from adapter.api.event_stream import EventStream, OpenStreams, frame
from adapter.errors import TooManyStreams
from adapter.service.follow import Batch, Event, LogPart

NEVER: dict[str, Any] = {}


class Scripted:
    """A reader that answers from a list, then nothing new for ever; an exception is raised."""

    def __init__(self, *batches: Batch | Exception) -> None:
        self.batches = list(batches)
        self.reads = 0

    def read(self) -> Batch:
        self.reads += 1
        found = self.batches.pop(0) if self.batches else Batch()
        if isinstance(found, Exception):
            raise found
        return found


class Client:
    """The other end of a stream. It reads `reads` messages, all of them by default, then lets them pile up."""

    def __init__(self, reads: int = 10**9) -> None:
        self.sent: list[dict[str, Any]] = []
        self.reads = reads
        self.gone = anyio.Event()
        self._asked = False

    async def receive(self) -> dict[str, Any]:
        if not self._asked:
            self._asked = True
            return {"type": "http.request", "body": b""}
        await self.gone.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Any) -> None:
        if len(self.sent) >= self.reads:
            await anyio.sleep_forever()
        self.sent.append(message)

    @property
    def body(self) -> bytes:
        return b"".join(message.get("body", b"") for message in self.sent)

    @property
    def is_complete(self) -> bool:
        return bool(self.sent) and self.sent[-1] == {
            "type": "http.response.body",
            "body": b"",
            "more_body": False,
        }


def news(text: str = "x") -> Batch:
    """One event."""
    return Batch(events=(Event(LogPart(0, text), 1),))


def view(event: Event) -> tuple[str, Any]:
    """As short as can be."""
    assert isinstance(event.what, LogPart)
    return "log", event.what.content


def ran(
    reader: Scripted, client: Client, meanwhile: Callable[[OpenStreams], Any] | None = None
) -> OpenStreams:
    """The stream from its beginning to its end, within five seconds."""

    async def main() -> OpenStreams:
        streams = OpenStreams(1)
        with anyio.fail_after(5):
            async with anyio.create_task_group() as group:
                group.start_soon(
                    EventStream(streams, reader, view, "test"), NEVER, client.receive, client.send
                )
                if meanwhile is not None:
                    await anyio.sleep(0.2)
                    assert len(streams) == 1
                    meanwhile(streams)
        return streams

    return anyio.run(main)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pauses of milliseconds."""
    monkeypatch.setattr(event_stream, "_PAUSE", 0.01)
    monkeypatch.setattr(event_stream, "_LONGEST_PAUSE", 0.02)
    monkeypatch.setattr(event_stream, "_LAST_WORD", 0.1)


def test_the_form_of_an_event() -> None:
    """Whatever is in the data, it stays one line."""
    assert frame("log", {"a": "x\r\ny\n\n"}, 7) == b'id: 7\nevent: log\ndata: {"a":"x\\r\\ny\\n\\n"}\n\n'
    assert frame("end", "é\ud800", None) == 'event: end\ndata: "é?"\n\n'.encode()


def test_it_ends_with_its_reader() -> None:
    """Batches in order, then the end of the response, and nothing is held."""
    client = Client()
    streams = ran(Scripted(news("a"), Batch(), Batch(events=news("b").events, ended=True)), client)
    assert client.body == b"retry: 2000\n\n" + frame("log", "a", 1) + frame("log", "b", 1)
    assert client.is_complete
    assert len(streams) == 0


def test_a_client_that_goes_frees_everything() -> None:
    """At once, not at the next event."""
    client = Client()
    streams = ran(Scripted(), client, lambda _: client.gone.set())
    assert len(streams) == 0


def test_the_service_ends_all_streams_and_begins_no_more() -> None:
    """Also one whose client does not read: SIGTERM does not wait for it."""
    for client in (Client(), Client(reads=1)):
        streams = ran(Scripted(), client, lambda streams: streams.close())
        assert len(streams) == 0
        assert client.is_complete == (client.reads > 1)

    async def late() -> None:
        client = Client()
        streams.close()
        await EventStream(streams, Scripted(), view, "late")(NEVER, client.receive, client.send)
        assert b"event" not in client.body

    anyio.run(late)


def test_a_slow_client_makes_nobody_read_ahead() -> None:
    """While what was sent is not taken, the reader is not asked."""
    client, reader = Client(reads=3), Scripted(*[news() for _ in range(50)])
    ran(reader, client, lambda _: client.gone.set())
    assert reader.reads == 2


def test_a_client_that_takes_nothing_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """It would hold its place for ever."""
    monkeypatch.setattr(event_stream, "_STALLED", 0.05)
    assert len(ran(Scripted(news(), news()), Client(reads=2))) == 0


def test_silence_is_broken_by_comments(monkeypatch: pytest.MonkeyPatch) -> None:
    """Proxies cut what is silent."""
    monkeypatch.setattr(event_stream, "_HEARTBEAT", 0.03)
    client = Client()
    ran(Scripted(), client, lambda _: client.gone.set())
    assert client.body.count(b": still here\n\n") >= 2


def test_a_store_that_fails_for_a_while_ends_no_stream() -> None:
    """PostgreSQL restarts; browsers do not come back after an answer that is no stream."""
    client = Client()
    ran(Scripted(OSError("gone"), OSError("gone"), Batch(events=news("b").events, ended=True)), client)
    assert frame("log", "b", 1) in client.body


def test_a_store_that_fails_for_good_ends_the_stream(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without an "end": the client may come back."""
    monkeypatch.setattr(event_stream, "_FAILURES", 2)
    client, reader = Client(), Scripted(*[OSError("gone") for _ in range(9)])
    ran(reader, client)
    assert reader.reads == 3
    assert client.is_complete


def test_there_is_a_limit() -> None:
    """A stream too many is refused in words; the next one after an end is not."""

    async def main() -> None:
        streams = OpenStreams(2)
        with streams.opened(anyio.CancelScope()), streams.opened(anyio.CancelScope()):
            with pytest.raises(TooManyStreams, match="ADAPTER_MAX_STREAMS") as refused:
                streams.require_room()
            assert (refused.value.code, refused.value.http_status) == (1306429, 429)
        streams.require_room()

    anyio.run(main)
