"""A script that only waits: hosts wait at once, however many forks there are."""

from __future__ import annotations

from tests.bench.rows import Row
from tests.bench.world import World, ids

_SECONDS = 20.0
_HOSTS = 200


def sleepers(world: World) -> list[Row]:
    """200 hosts, default settings, fresh connections."""
    hosts = ids(world.hosts(_HOSTS))
    with world.serving() as serving:
        serving.warm_up(hosts)
        ours = []
        for _ in range(world.runs):
            serving.disconnect()
            ours.append(serving.client.run(f"sleep {_SECONDS:.0f}", hosts))
        serving.disconnect()
    return [
        Row(
            line="sleepers",
            what=f"{_HOSTS} hosts × sleep {_SECONDS:.0f}, default settings",
            beside="the ideal",
            ours=tuple(ours),
            theirs=(_SECONDS,) * len(ours),
            must=2,
            aim=1.3,
        )
    ]
