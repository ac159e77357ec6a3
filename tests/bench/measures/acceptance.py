"""How many jobs a second are taken in: each is committed before its request is answered."""

from __future__ import annotations

from tests.bench.client import script_body
from tests.bench.clients import many_clients
from tests.bench.rows import Row
from tests.bench.world import World, ids
from tests.support.postgres import Cluster

_CLIENTS = 20
_SECONDS = 5.0


def on_sqlite(world: World) -> list[Row]:
    """The database is a file in the data directory."""
    return _rows(world, "SQLite", {}, must=80, aim=300)


def on_postgresql(world: World) -> list[Row]:
    """A PostgreSQL of its own on this machine, with its default durability."""
    with Cluster(durable=True) as cluster:
        return _rows(world, "PostgreSQL", {"ADAPTER_DATABASE_URL": cluster.url()}, must=120, aim=400)


def _rows(world: World, database: str, environment: dict[str, str], *, must: float, aim: float) -> list[Row]:
    line = f"submit_{database.lower()}"
    body = script_body("true", ids(world.hosts(1)))
    rates, tails = [], []
    with world.serving("--no-worker", environment=environment) as serving:
        serving.client.submit("true", ids(world.hosts(1)))
        for _ in range(world.runs):
            answers = many_clients(serving, "fast_execute_script", [body], clients=_CLIENTS, seconds=_SECONDS)
            rates.append(answers.a_second)
            tails.append(answers.percentile(0.99))
    return [
        Row(
            line=line, what=f"submit, {database}, {_CLIENTS} clients, no worker", unit="requests/s",
            ours=tuple(rates), must=must, aim=aim, more_is_better=True,
            also={"p99_ms": 1000 * sorted(tails)[len(tails) // 2]},
        )
    ]  # fmt: skip
