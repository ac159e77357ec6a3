"""A service whose every reply is kept, byte for byte."""

from __future__ import annotations

import gzip
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx

from tests.support.service import Service


@dataclass
class Overheard(Service):
    """`replies` are all since they were emptied, by what was asked: status line, headers and body."""

    replies: dict[str, bytes] = field(default_factory=dict)
    client: httpx.Client = field(
        default_factory=lambda: httpx.Client(timeout=60, trust_env=False), repr=False
    )

    def post(self, path: str, body: Any, headers: Mapping[str, str] | None = None) -> dict[str, Any]:
        """POST JSON to a path; the envelope."""
        value: dict[str, Any] = self.ask("POST", path, json=body, headers=headers).json()
        return value

    def ask(self, method: str, path: str, **options: Any) -> httpx.Response:
        """Any request, as httpx takes it."""
        reply = self.client.request(method, f"{self.url}{path}", **options)
        head = repr((reply.status_code, reply.headers.multi_items())).encode()
        body = reply.content
        if body.startswith(b"\x1f\x8b"):  # an archive: the files are in it as they are
            body = gzip.decompress(body)
        self.replies[f"{len(self.replies)} {method} {path}"] = head + b"\n" + body
        return reply

    def stop(self, timeout: float = 60) -> int:
        """Let go of it, SIGTERM and wait; returns the exit code."""
        self.client.close()
        return super().stop(timeout)
