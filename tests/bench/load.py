"""Many clients in a process of its own, each with one kept connection. JSON on standard input and output.

In: {"host", "port", "path", "headers", "bodies": [...], "clients", "seconds", "pause"}. Each client sends bodies
taken at random, the next one `pause` seconds after the last was sent (0: as soon as it is answered).
Out: {"seconds", "latencies": [seconds of each good answer], "refused": number, "first_refusal": text}.
"""

from __future__ import annotations

import asyncio
import json
import random
import sys
import time
from dataclasses import dataclass, field
from typing import Any

_OK = b'"result":true'


@dataclass
class _Load:
    asked: dict[str, Any]
    latencies: list[float] = field(default_factory=list)
    refused: int = 0
    first_refusal: str = ""

    async def run(self) -> dict[str, Any]:
        """All clients for the time asked for; what began in it is waited for."""
        head = "".join(f"{name}: {value}\r\n" for name, value in self.asked["headers"].items())
        self.requests = [self._request(head, body) for body in self.asked["bodies"]]
        began = time.perf_counter()
        self.until = began + self.asked["seconds"]
        await asyncio.gather(*(self._client() for _ in range(self.asked["clients"])))
        return {
            "seconds": time.perf_counter() - began,
            "latencies": self.latencies,
            "refused": self.refused,
            "first_refusal": self.first_refusal,
        }

    def _request(self, head: str, body: Any) -> bytes:
        text = json.dumps(body).encode()
        start = (
            f"POST {self.asked['path']} HTTP/1.1\r\nHost: bench\r\n{head}Content-Length: {len(text)}\r\n\r\n"
        )
        return start.encode() + text

    async def _client(self) -> None:
        pause = self.asked["pause"]
        await asyncio.sleep(random.random() * pause)  # not all at once
        reader, writer = await asyncio.open_connection(self.asked["host"], self.asked["port"])
        while (sent := time.perf_counter()) < self.until:
            writer.write(random.choice(self.requests))
            answer = await _answer(reader)
            now = time.perf_counter()
            if _OK in answer:
                self.latencies.append(now - sent)
            else:
                self.refused += 1
                self.first_refusal = self.first_refusal or answer[:500].decode(errors="replace")
            if pause:
                await asyncio.sleep(max(0.0, sent + pause - now))
        writer.close()
        await writer.wait_closed()


async def _answer(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    length = head.lower().partition(b"content-length:")[2].split(b"\r\n", 1)[0]
    return await reader.readexactly(int(length))


if __name__ == "__main__":
    print(json.dumps(asyncio.run(_Load(json.load(sys.stdin)).run())))
