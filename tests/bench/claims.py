"""How many jobs workers can claim in a second, on SQLite and PostgreSQL: `python -m tests.bench.claims`."""

from __future__ import annotations

import statistics
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

import sqlalchemy as sa

from adapter.store.claims import Claim, ClaimStore, Limits
from adapter.store.database import migrate, open_database
from adapter.store.tables import job_instance
from adapter.store.workers import WorkerStore
from tests.support.postgres import Cluster

_ONE = Limits(per_worker=1, per_scope=10**6)
_SIXTEEN = Limits(per_worker=16, per_scope=10**6)


def main() -> None:
    """Print the figures."""
    with tempfile.TemporaryDirectory() as directory:
        _measure("SQLite", f"sqlite:///{directory}/claims.db", Path(directory))
        with Cluster(durable=True) as cluster:
            _measure("PostgreSQL", cluster.new_database(), Path(directory))


def _measure(name: str, url: str, directory: Path) -> None:
    engine = open_database(url)
    migrate(engine, directory / "lock")
    claims, workers = ClaimStore(engine), WorkerStore(engine)
    first, *others = (workers.register("bench", 1, 16, 1).id for _ in range(5))
    _add(engine, 1000)
    alone = _rate(lambda: [_all(claims, first, _ONE, 200)])
    print(f"{name}: one by one, one worker: {alone:.0f} a second")
    shared = _rate(lambda: _at_once(lambda worker: _all(claims, worker, _ONE, 100), others))
    print(f"{name}: one by one, four workers at once: {shared:.0f} a second")
    print(f"{name}: sixteen at a time: {_rate(lambda: [_all(claims, first, _SIXTEEN, 400)]):.0f} a second")
    _add(engine, 100_000)
    times = []
    for _ in range(20):
        began = time.monotonic()
        claims.claim(first, _ONE, 0)
        times.append(time.monotonic() - began)
    print(f"{name}: one of 100,000 that wait: {statistics.median(times) * 1000:.0f} ms")
    engine.dispose()


def _rate(run: Callable[[], list[list[Claim]]]) -> float:
    began = time.monotonic()
    got = [claim.job_instance_id for claims in run() for claim in claims]
    assert len(got) == len(set(got))
    return len(got) / (time.monotonic() - began)


def _all(claims: ClaimStore, worker: str, limits: Limits, number: int) -> list[Claim]:
    got: list[Claim] = []
    while len(got) < number:
        got += claims.claim(worker, limits, 0)
    return got


def _at_once(work: Callable[[str], list[Claim]], workers: list[str]) -> list[list[Claim]]:
    got: list[list[Claim]] = []
    threads = [threading.Thread(target=lambda worker=worker: got.append(work(worker))) for worker in workers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return got


def _add(engine: sa.Engine, number: int) -> None:
    """Waiting jobs of fifty businesses; without steps, which claims do not look at."""
    columns = {"name": "x", "operator": "x", "app_code": "x", "scope_type": "biz", "started": True}
    numbers = dict.fromkeys(("type", "status", "plan_id", "template_id", "launch_mode", "create_time"), 1)
    rows = [{**columns, **numbers, "scope_id": str(number % 50)} for number in range(number)]
    with engine.begin() as connection:
        connection.execute(sa.insert(job_instance), rows)


if __name__ == "__main__":
    main()
