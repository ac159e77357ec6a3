"""Answers for one run's secrets on a Unix socket: the other end is adapter.job's secret_socket."""

from __future__ import annotations

import json
import secrets as random
import socketserver
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path


class _Handler(socketserver.StreamRequestHandler):
    timeout = 10

    def handle(self) -> None:
        known: Mapping[str, str] = self.server.secrets  # type: ignore[attr-defined]
        try:
            name = json.loads(self.rfile.readline(4096))
        except ValueError:
            return
        answer = {"value": known[name]} if isinstance(name, str) and name in known else {}
        self.wfile.write(json.dumps(answer).encode() + b"\n")


class _Server(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, path: Path, secrets: Mapping[str, str]) -> None:
        super().__init__(str(path), _Handler)
        self.secrets = secrets


@contextmanager
def serve_secrets(secrets: Mapping[str, str], directory: Path) -> Iterator[Path | None]:
    """The socket's path while the block runs; None if there are no secrets. `directory` is private."""
    if not secrets:
        yield None
        return
    path = directory / f"s{random.token_hex(6)}"
    server = _Server(path, secrets)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.2}, daemon=True)
    thread.start()
    try:
        yield path
    finally:
        server.shutdown()
        server.server_close()
        path.unlink(missing_ok=True)
