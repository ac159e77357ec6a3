"""Starts tests.bench.load against a service, and reads what it says."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from tests.bench.client import BIZ, headers, path_of
from tests.bench.world import Serving, run_quietly


@dataclass(frozen=True)
class Answers:
    """What many clients saw."""

    a_second: float
    latencies: tuple[float, ...]  #: seconds, sorted

    def percentile(self, part: float) -> float:
        """Seconds within which `part` (0..1) of all were answered."""
        return self.latencies[min(len(self.latencies) - 1, int(part * len(self.latencies)))]


def many_clients(
    serving: Serving,
    name: str,
    bodies: list[dict[str, Any]],
    *,
    clients: int,
    seconds: float,
    pause: float = 0,
) -> Answers:
    """So many clients of one API at once. AssertionError if one request is refused."""
    address = urlsplit(serving.service.url)
    asked = {
        "host": address.hostname,
        "port": address.port,
        "path": path_of(name),
        "headers": headers(serving.service),
        "bodies": [{"bk_biz_id": BIZ, **body} for body in bodies],
        "clients": clients,
        "seconds": seconds,
        "pause": pause,
    }
    said = json.loads(run_quietly([sys.executable, "-m", "tests.bench.load"], text=json.dumps(asked)))
    assert not said["refused"], f"{said['refused']} refused: {said['first_refusal']}"
    return Answers(len(said["latencies"]) / said["seconds"], tuple(sorted(said["latencies"])))
