"""How many jobs a second are taken in: each is committed before its request is answered."""

from __future__ import annotations

import statistics
from collections.abc import Callable

from tests.bench.client import script_body
from tests.bench.clients import Answers, many_clients
from tests.bench.rows import Row
from tests.bench.world import Serving, World, ids
from tests.support.postgres import Cluster

_CLIENTS = 20
_SECONDS = 5.0


def on_sqlite(world: World) -> list[Row]:
    """The database is a file in the data directory."""
    return _rows(world, "SQLite", dict, must=80, aim=300)


def on_postgresql(world: World) -> list[Row]:
    """A PostgreSQL of its own on this machine, with its default durability."""
    with Cluster(durable=True) as cluster:
        # A new one for each service: a database belongs to one secret.key.
        return _rows(
            world, "PostgreSQL", lambda: {"ADAPTER_DATABASE_URL": cluster.new_database()}, must=120, aim=400
        )


def _rows(
    world: World, database: str, environment: Callable[[], dict[str, str]], *, must: float, aim: float
) -> list[Row]:
    line, what = f"submit_{database.lower()}", f"submit, {database}, {_CLIENTS} clients"
    host_ids = ids(world.hosts(1))
    with world.serving("--no-worker", environment=environment()) as serving:
        quiet = [_submitted(serving, host_ids) for _ in range(world.runs)]
    with world.serving("--drain-seconds", "0", environment=environment()) as serving:
        serving.warm_up(host_ids)
        busy = _submitted(serving, host_ids)
    return [
        _row(line, f"{what}, no worker", quiet, must=must, aim=aim),
        _row(line, f"{what}, the service runs them meanwhile", [busy]),
    ]


def _submitted(serving: Serving, host_ids: list[int]) -> Answers:
    serving.client.submit("true", host_ids)
    body = script_body("true", host_ids)
    return many_clients(serving, "fast_execute_script", [body], clients=_CLIENTS, seconds=_SECONDS)


def _row(
    line: str, what: str, runs: list[Answers], must: float | None = None, aim: float | None = None
) -> Row:
    return Row(
        line=line, what=what, unit="requests/s", ours=tuple(run.a_second for run in runs),
        must=must, aim=aim, more_is_better=True,
        also={"p99_ms": 1000 * statistics.median(run.percentile(0.99) for run in runs)},
    )  # fmt: skip
