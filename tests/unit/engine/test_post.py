"""One POST, before real receivers that behave well and badly; which addresses it connects to, and which not."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from adapter.engine.post import Post
from adapter.job.egress import EgressRule
from tests.support.certificates import certified
from tests.support.raw_receiver import OK, RawReceiver, answer, status

LOCAL = EgressRule.of(["127.0.0.0/8", "::1"])
BODY = '{"job_instance_id":1}'
JSON = {"Content-Type": "application/json"}

NewReceiver = Callable[..., RawReceiver]


@pytest.fixture
def new_receiver() -> Iterator[NewReceiver]:
    """Makes receivers that end with the test."""
    made: list[RawReceiver] = []

    def new(*behaves: Any, **more: Any) -> RawReceiver:
        made.append(RawReceiver(*behaves, **more))
        return made[-1]

    yield new
    for receiver in made:
        receiver.close()


def post(timeout: float = 5, rule: EgressRule = LOCAL, tls: ssl.SSLContext | None = None) -> Post:
    """One that may call receivers of this machine."""
    return Post(rule=rule, timeout=timeout, tls=tls)


def resolving(monkeypatch: pytest.MonkeyPatch, *answers: list[str]) -> list[str]:
    """Every name resolves to these addresses, look-up by look-up, the last for ever; the names asked for."""
    left, asked = list(answers), []

    def getaddrinfo(host: str, *_args: Any, **_kwargs: Any) -> list[Any]:
        asked.append(host)
        found = left.pop(0) if len(left) > 1 else left[0]
        return [(0, socket.SOCK_STREAM, 0, "", (address, 0)) for address in found]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return asked


def test_the_request_to_the_byte(new_receiver: NewReceiver) -> None:
    """Every header that a receiver sees, and the body as it was given."""
    receiver = new_receiver()
    url = f"http://127.0.0.1:{receiver.port}/told?by=job"
    assert post()(url, BODY, JSON).status == 200
    (raw,) = receiver.got
    head, _, body = raw.partition(b"\r\n\r\n")
    assert body == BODY.encode()
    first, *headers = head.decode().split("\r\n")
    assert first == "POST /told?by=job HTTP/1.1"
    assert dict(line.split(": ", 1) for line in headers) == {
        "Host": f"127.0.0.1:{receiver.port}",
        "Accept": "*/*",
        "Accept-Encoding": "gzip, deflate",
        "Connection": "keep-alive",
        "User-Agent": "ansible-job-adapter",
        "Content-Type": "application/json",
        "Content-Length": str(len(BODY)),
    }


@pytest.mark.parametrize("number", [200, 201, 204, 302, 404, 500])
def test_the_status_is_what_was_answered(new_receiver: NewReceiver, number: int) -> None:
    """Whatever it is; a redirect is not followed."""
    elsewhere = new_receiver()
    receiver = new_receiver(status(number, f"Location: http://127.0.0.1:{elsewhere.port}/"))
    assert post()(f"http://127.0.0.1:{receiver.port}/", BODY, JSON).status == number
    assert (len(receiver.got), elsewhere.got) == (1, [])


def test_a_receiver_that_hangs_is_left(new_receiver: NewReceiver) -> None:
    """After the time for everything."""
    receiver = new_receiver()
    receiver.behave(receiver.hangs())
    began = time.monotonic()
    assert post(0.5)(f"http://127.0.0.1:{receiver.port}/", BODY, JSON).error == "no answer within 0.5 s"
    assert time.monotonic() - began < 2


@pytest.mark.parametrize("head", [b"", b"HTTP/1.1 200 OK\r\nX-Long: "], ids=["status line", "header"])
def test_a_head_that_never_ends_is_no_answer(new_receiver: NewReceiver, head: bytes) -> None:
    """Though each byte comes in time."""
    receiver = new_receiver()
    receiver.behave(receiver.drips(head))
    began = time.monotonic()
    assert post(0.5)(f"http://127.0.0.1:{receiver.port}/", BODY, JSON).status is None
    assert time.monotonic() - began < 2


def test_a_body_that_never_ends_changes_no_answer(new_receiver: NewReceiver) -> None:
    """It is read for as long as there is time, and no longer."""
    receiver = new_receiver()
    receiver.behave(receiver.drips(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n"))
    began = time.monotonic()
    assert post(0.5)(f"http://127.0.0.1:{receiver.port}/", BODY, JSON).status == 200
    assert time.monotonic() - began < 2


def test_a_large_body_is_not_read_to_its_end(new_receiver: NewReceiver) -> None:
    """A few pieces are enough."""
    sent: list[int] = []

    def floods(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 500 X\r\nContent-Length: 1000000000\r\n\r\n")
        while sum(sent) < 500_000_000:
            sent.append(connection.send(b"x" * 65536))

    receiver = new_receiver(floods)
    assert post()(f"http://127.0.0.1:{receiver.port}/", BODY, JSON).status == 500
    receiver.close()
    assert sum(sent) < 50_000_000


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:9/",
        "http://[::1/",
        "ftp://127.0.0.1/",
        "http://a b/",
        "http://" + "x" * 300 + "/",
        "http://127.0.0.1:99999/",
        "http:///path",
    ],
)
def test_urls_that_lead_nowhere_are_errors(url: str) -> None:
    """Nothing is raised."""
    found = post(2)(url, BODY, JSON)
    assert (found.status, found.refused) == (None, False)
    assert found.error


@pytest.mark.parametrize("raw", [b"", b"nonsense\r\n\r\n", b"HTTP/1.1 999999 X\r\n\r\n", b"\0" * 200_000])
def test_answers_that_are_no_http_are_errors(new_receiver: NewReceiver, raw: bytes) -> None:
    """Nothing is raised."""
    receiver = new_receiver(answer(raw))
    found = post()(f"http://127.0.0.1:{receiver.port}/", BODY, JSON)
    assert found.status is None
    assert found.error


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "2130706433", "0x7f.1", "0", "[::ffff:127.0.0.1]", "[::1]"]
)
def test_this_machine_is_not_called(new_receiver: NewReceiver, host: str) -> None:
    """However it is written: nobody even connects."""
    receiver = new_receiver()
    found = post(rule=EgressRule())(f"http://{host}:{receiver.port}/", BODY, JSON)
    assert found.refused
    assert "ADAPTER_CALLBACK_ALLOW" in str(found.error)
    assert receiver.got == []


def test_a_name_is_judged_by_what_it_resolves_to(
    new_receiver: NewReceiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Refused if nothing is left; else what may be called is called, with the name as Host."""
    receiver = new_receiver()
    url = f"http://user:word@inside.example:{receiver.port}/"
    resolving(monkeypatch, ["169.254.169.254", "::1"])
    refused = post(rule=EgressRule())(url, BODY, JSON)
    assert refused.refused
    assert "the metadata address 169.254.169.254, the loopback address ::1" in str(refused.error)
    resolving(monkeypatch, ["169.254.169.254", "127.0.0.1"])
    assert post()(url, BODY, JSON).status == 200
    assert f"Host: inside.example:{receiver.port}\r\n".encode() in receiver.got[0]
    assert b"Authorization: Basic dXNlcjp3b3Jk\r\n" in receiver.got[0]


def test_a_real_name_is_looked_up(new_receiver: NewReceiver) -> None:
    """By the machine's own resolver; where it has two addresses, at the one that listens."""
    receiver = new_receiver()
    assert post()(f"http://localhost:{receiver.port}/", BODY, JSON).status == 200
    assert f"Host: localhost:{receiver.port}\r\n".encode() in receiver.got[0]
    unknown = post()("http://no-such-host.invalid/", BODY, JSON)
    assert unknown.status is None
    assert "no-such-host.invalid cannot be looked up" in str(unknown.error)


def test_a_name_is_looked_up_once(new_receiver: NewReceiver, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was checked is what is connected to, though the next answer would be another."""
    receiver = new_receiver()
    asked = resolving(monkeypatch, ["127.0.0.2"], ["127.0.0.1"])
    rule = EgressRule.of(["127.0.0.2"])
    found = post(rule=rule)(f"http://rebinding.example:{receiver.port}/", BODY, JSON)
    assert (found.refused, found.status) == (False, None)  # nobody listens at 127.0.0.2
    assert receiver.got == []
    assert asked == ["rebinding.example"]


def test_the_next_address_is_tried_if_one_takes_no_connection(
    new_receiver: NewReceiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As for a host whose IPv6 is broken."""
    receiver = new_receiver()
    resolving(monkeypatch, ["127.0.0.3", "127.0.0.1"])
    assert post()(f"http://two.example:{receiver.port}/", BODY, JSON).status == 200


def test_a_name_server_that_does_not_answer_holds_nothing_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """The look-up is within the time for everything."""
    let_go = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_args, **_kwargs: let_go.wait(30) and [])
    began = time.monotonic()
    assert post(0.5)("http://slow.example/", BODY, JSON).error == "no answer within 0.5 s"
    assert time.monotonic() - began < 2
    let_go.set()


def test_proxies_of_the_environment_are_not_used(
    new_receiver: NewReceiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One would connect wherever it likes."""
    proxy, receiver = new_receiver(), new_receiver()
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{proxy.port}")
    assert post()(f"http://127.0.0.1:{receiver.port}/", BODY, JSON).status == 200
    assert (len(receiver.got), proxy.got) == (1, [])


@pytest.mark.parametrize(
    ("name", "trusted", "is_told"),
    [("good.example", True, True), ("other.example", True, False), ("good.example", False, False)],
)
def test_tls_verifies_the_name_of_the_url(
    new_receiver: NewReceiver,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    name: str,
    trusted: bool,
    is_told: bool,
) -> None:
    """Not the address that is connected to; and who signed it."""
    server, client = certified("good.example", tmp_path)
    receiver = new_receiver(answer(OK), tls=server)
    resolving(monkeypatch, ["127.0.0.1"])
    tls = client if trusted else ssl.create_default_context()
    found = post(tls=tls)(f"https://{name}:{receiver.port}/", BODY, JSON)
    assert (found.status == 200) is is_told
    assert len(receiver.got) == is_told
    if not is_told:
        assert "certificate verify failed" in str(found.error)


def test_tls_verifies_an_address_too(new_receiver: NewReceiver, tmp_path: Path) -> None:
    """A URL without a name."""
    server, client = certified("127.0.0.1", tmp_path)
    receiver = new_receiver(answer(OK), tls=server)
    assert post(tls=client)(f"https://127.0.0.1:{receiver.port}/", BODY, JSON).status == 200
