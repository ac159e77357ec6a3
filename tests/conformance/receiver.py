"""Receives callbacks: each row has a path of its own."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Told:
    """One POST."""

    content_type: str
    body: bytes


class Receiver:
    """What was received, by path."""

    def __init__(self) -> None:
        self._told: dict[str, list[Told]] = defaultdict(list)
        self._changed = threading.Condition()
        self.port = 0

    def wait(self, path: str, count: int, seconds: float) -> list[Told]:
        """What came at a path, once there are as many or the time is up."""
        with self._changed:
            self._changed.wait_for(lambda: len(self._told[path]) >= count, seconds)
            return list(self._told[path])

    def take(self, path: str, told: Told) -> int:
        """Keeps a POST; the status to answer with. Paths that end with /refuse are answered 500."""
        with self._changed:
            self._told[path].append(told)
            self._changed.notify_all()
        return 500 if path.endswith("/refuse") else 200


@contextmanager
def receiving(host: str) -> Iterator[Receiver]:
    """A receiver at a free port of an address, until the end of the block."""
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            told = Told(content_type=self.headers.get("Content-Type", ""), body=body)
            self.send_response(receiver.take(self.path, told))
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Nothing."""

    server = ThreadingHTTPServer((host, 0), Handler)
    receiver.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
