"""What a script prints: how soon it is seen, and what a lot of it costs."""

from __future__ import annotations

import statistics
import time

from tests.bench.client import Client
from tests.bench.rows import Row
from tests.bench.world import World, ids

_BYTES = 200_000_000


def first_line(world: World) -> list[Row]:
    """The script prints what time it is and sleeps on; hosts of the lab share the machine's clock."""
    host_ids = ids(world.hosts(1))
    delays, starts = [], []
    with world.serving() as serving:
        serving.warm_up(host_ids)
        client = serving.client
        for number in range(world.runs):
            began = time.time()
            # Not all at the same moment of whatever the service does once a second.
            launched = client.submit(f"sleep {1 + number * 0.13:.2f}; date +%s.%N; sleep 4", host_ids)
            printed, seen = _first_line(client, launched, host_ids[0])
            delays.append(seen - printed)
            starts.append(printed - began)
            client.wait(launched["job_instance_id"])
    return [
        Row(
            line="first_line", what="first line of a running script visible after it is printed",
            ours=tuple(delays), must=1.5, aim=0.5,
            also={"worst_s": max(delays), "request_to_print_s": statistics.median(starts)},
        )
    ]  # fmt: skip


def _first_line(client: Client, launched: dict[str, object], host_id: int) -> tuple[float, float]:
    """When it was printed and when it was seen."""
    until = time.monotonic() + 60
    while time.monotonic() < until:
        log = client.log(launched, host_id)
        if "\n" in log:
            return float(log.split()[0]), time.time()
        time.sleep(0.02)
    raise AssertionError("no line came within a minute")


def big_output(world: World) -> list[Row]:
    """One host prints 200 MB of lines as fast as it can, default settings."""
    host_ids = ids(world.hosts(1))
    peaks, seconds = [], []
    with world.serving() as serving:
        serving.warm_up(host_ids)
        for _ in range(world.runs):
            with serving.memory_peak() as memory:
                line = "0123456789abcdefghijklmnopqrstuvwxyz of a long line that a program prints again and again"
                seconds.append(serving.client.run(f"yes '{line}' | head -c {_BYTES}", host_ids))
            peaks.append(memory.mb)
    return [
        Row(
            line="big_output", what="200 MB printed by one host: peak memory of all our processes", unit="MB",
            ours=tuple(peaks), must=300, aim=200, also={"seconds": statistics.median(seconds)},
        )
    ]  # fmt: skip
