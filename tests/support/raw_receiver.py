"""A server that keeps every byte it gets, and answers whatever bytes a test wants, at its own pace."""

from __future__ import annotations

import re
import socket
import ssl
import threading
from collections.abc import Callable
from contextlib import suppress

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
Behave = Callable[[socket.socket], None]


def answer(raw: bytes) -> Behave:
    """Says this and closes."""
    return lambda connection: connection.sendall(raw)


def status(number: int, *headers: str) -> Behave:
    """Answers with a status."""
    lines = [f"HTTP/1.1 {number} X", "Content-Length: 0", *headers, "", ""]
    return answer("\r\n".join(lines).encode())


class RawReceiver:
    """`behaves` are what it does with each connection in turn, the last for ever."""

    def __init__(self, *behaves: Behave, host: str = "127.0.0.1", tls: ssl.SSLContext | None = None) -> None:
        self.got: list[bytes] = []
        self.closing = threading.Event()
        self._behaves = list(behaves) or [answer(OK)]
        self._tls = tls
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._listener = socket.create_server((host, 0), family=family)
        self._listener.settimeout(0.05)
        self.port: int = self._listener.getsockname()[1]
        self._threads: list[threading.Thread] = []
        self._accepting = threading.Thread(target=self._accept)
        self._accepting.start()

    def close(self) -> None:
        """End it and every connection."""
        self.closing.set()
        for thread in (self._accepting, *self._threads):
            thread.join()
        self._listener.close()

    def _accept(self) -> None:
        while not self.closing.is_set():
            with suppress(TimeoutError):
                connection, _ = self._listener.accept()
                behave = self._behaves.pop(0) if len(self._behaves) > 1 else self._behaves[0]
                thread = threading.Thread(target=self._serve, args=(connection, behave))
                self._threads.append(thread)
                thread.start()

    def _serve(self, connection: socket.socket, behave: Behave) -> None:
        connection.settimeout(5)
        with connection, suppress(OSError):
            secured = self._tls.wrap_socket(connection, server_side=True) if self._tls else connection
            with secured:
                self.got.append(_request(secured))
                behave(secured)

    def drips(self, head: bytes) -> Behave:
        """Says `head`, then a byte now and then, without an end."""

        def behave(connection: socket.socket) -> None:
            connection.sendall(head)
            while not self.closing.wait(0.05):
                connection.sendall(b"x")

        return behave

    def hangs(self) -> Behave:
        """Says nothing."""

        def behave(_connection: socket.socket) -> None:
            self.closing.wait()

        return behave

    def behave(self, *behaves: Behave) -> RawReceiver:
        """From now on like this."""
        self._behaves[:] = behaves
        return self


def _request(connection: socket.socket) -> bytes:
    raw = b""
    while b"\r\n\r\n" not in raw:
        more = connection.recv(65536)
        if not more:
            return raw
        raw += more
    head, _, body = raw.partition(b"\r\n\r\n")
    length = re.search(rb"(?i)content-length: (\d+)", head)
    while length and len(body) < int(length[1]):
        more = connection.recv(65536)
        if not more:
            break
        body += more
    return head + b"\r\n\r\n" + body
