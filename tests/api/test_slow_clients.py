"""Clients that take their time keep nobody else waiting, and not for ever (a real server)."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import httpx
import pytest
import uvicorn

from adapter.api import request as reading
from adapter.cli.http_server import PunctualProtocol, server_config

from . import bodies
from .client import ESB_V3, envelope
from .conftest import World

PATH = f"{ESB_V3}/get_job_plan_list/"


@pytest.fixture
def address(world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, int]]:
    """Where the application is served, to clients that have half a second."""
    monkeypatch.setattr(PunctualProtocol, "seconds", 0.5)
    monkeypatch.setattr(reading, "BODY_SECONDS", 0.5)
    server = uvicorn.Server(server_config(world.http.app))  # type: ignore[arg-type]
    listener = socket.create_server(("127.0.0.1", 0))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        yield listener.getsockname()[:2]
    finally:
        server.should_exit = True
        thread.join()
        listener.close()


@contextmanager
def _connected(address: tuple[str, int]) -> Iterator[socket.socket]:
    with socket.create_connection(address, timeout=10) as connection:
        yield connection


def _answer(connection: socket.socket) -> bytes:
    """All that comes until the connection is closed."""
    parts = []
    while part := connection.recv(65_536):
        parts.append(part)
    return b"".join(parts)


def _ask(world: World, address: tuple[str, int]) -> float:
    """Seconds that a decent request takes."""
    began = time.monotonic()
    body = {**world.job.credentials, **bodies.v3("get_job_plan_list")}
    reply = httpx.post(f"http://{address[0]}:{address[1]}{PATH}", json=body, trust_env=False)
    assert envelope(reply)["code"] == 0
    return time.monotonic() - began


def _dribble(connection: socket.socket) -> None:
    """A byte now and then, as long as somebody takes it."""
    until = time.monotonic() + 10
    while time.monotonic() < until:
        connection.sendall(b"x")
        time.sleep(0.05)


@pytest.mark.parametrize("sent", [b"POST ", b"POST " + PATH.encode() + b" HTTP/1.1\r\nHost: x\r\nX-A: "])
def test_a_head_that_does_not_come(world: World, address: tuple[str, int], sent: bytes) -> None:
    """The connection is closed; a byte now and then changes nothing."""
    with _connected(address) as connection:
        connection.sendall(sent)
        began = time.monotonic()
        with pytest.raises((ConnectionResetError, BrokenPipeError)):
            _dribble(connection)
        assert 0.3 < time.monotonic() - began < 5


def test_a_connection_that_says_nothing(world: World, address: tuple[str, int]) -> None:
    """Is closed, too."""
    with _connected(address) as connection:
        began = time.monotonic()
        assert _answer(connection) == b""
        assert 0.3 < time.monotonic() - began < 5


def test_a_second_head_that_does_not_come(world: World, address: tuple[str, int]) -> None:
    """A connection that has had an answer waits no longer for the next request."""
    with _connected(address) as connection:
        connection.sendall(f"GET {PATH} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        answer = b""
        while not answer.endswith(b"}"):
            answer += connection.recv(65_536)
        assert answer.startswith(b"HTTP/1.1 200")
        connection.sendall(b"GET /he")
        began = time.monotonic()
        assert _answer(connection) == b""
        assert 0.3 < time.monotonic() - began < 5


def test_a_body_that_does_not_come(world: World, address: tuple[str, int]) -> None:
    """HTTP 408 and an envelope that says why."""
    with _connected(address) as connection:
        head = f"POST {PATH} HTTP/1.1\r\nHost: x\r\nBlueking-Language: en\r\nContent-Length: 1000\r\n\r\n"
        connection.sendall(head.encode() + b"{")
        began = time.monotonic()
        answer = _answer(connection)
        assert 0.3 < time.monotonic() - began < 5
    head_, _, body = answer.partition(b"\r\n\r\n")
    assert head_.startswith(b"HTTP/1.1 408")
    reply = json.loads(body)
    assert (reply["code"], "did not come within 0.5 seconds" in reply["message"]) == (1240003, True)


def test_a_hundred_of_them(world: World, address: tuple[str, int]) -> None:
    """Nobody else notices."""
    with ExitStack() as stack:
        slow = [stack.enter_context(_connected(address)) for _ in range(100)]
        for number, connection in enumerate(slow):
            head = f"POST {PATH} HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n" + (
                "\r\n{" if number % 2 else ""
            )
            connection.sendall(head.encode())
        assert max(_ask(world, address) for _ in range(3)) < 3
    assert _ask(world, address) < 3
