"""What a service costs that has nothing to do."""

from __future__ import annotations

import time

from tests.bench import processes
from tests.bench.rows import Row
from tests.bench.world import World, ids

_SETTLED = 5.0  # seconds after the last job
_WATCHED = 5.0  # seconds


def idle(world: World) -> list[Row]:
    """After a few jobs, with warm Ansible, without connections."""
    figures, cpu, number = [], [], 0
    for _ in range(world.runs):
        with world.serving() as serving:
            serving.warm_up(ids(world.hosts(1)))
            time.sleep(_SETTLED)
            pids = processes.of_service(serving.pid, (str(serving.runtime),))
            figures.append(processes.pss(pids))
            number = len(pids)
            before = serving.cpu_seconds()
            time.sleep(_WATCHED)
            cpu.append((serving.cpu_seconds() - before) / _WATCHED)
    return [
        Row(
            line="idle", what="idle service with warm Ansible: memory", unit="MB", ours=tuple(figures),
            must=250, aim=180, also={"processes": float(number), "cpu_percent": 100 * sum(cpu) / len(cpu)},
        )
    ]  # fmt: skip
