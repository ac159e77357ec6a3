"""What one host costs: processor time, database rows and bytes; and whether a model of that foretells a run."""

from __future__ import annotations

import os
import statistics
from dataclasses import dataclass
from pathlib import Path

import psycopg

from tests.bench import processes
from tests.bench.measures.echo import SCRIPT
from tests.bench.rows import Row
from tests.bench.world import Serving, World, ids
from tests.lab.model import LabState
from tests.support.postgres import Cluster

_FEW, _MANY = 100, 200


@dataclass(frozen=True)
class _Costs:
    """Seconds of a run, and what it cost."""

    seconds: float
    own_cpu: float
    target_cpu: float
    commits: int
    rows: int
    wal: int


def capacity(world: World) -> list[Row]:
    """Costs of a host from runs of 100 on PostgreSQL, which counts; then 200 beside what they foretell."""
    few, many = ids(world.hosts(_FEW)), ids(world.hosts(_MANY))
    costs, pairs, kept = [], [], []
    with Cluster(durable=True) as cluster:
        environment = {"ADAPTER_DATABASE_URL": cluster.url()}
        with world.serving(environment=environment) as serving, psycopg.connect(cluster.url()) as database:
            database.autocommit = True
            serving.warm_up(many)
            for _ in range(world.runs):
                serving.disconnect()
                alone = serving.client.run(SCRIPT, few[:1])
                serving.disconnect()
                before = _size(database, serving)
                costs.append(_run(world, serving, database, few))
                kept.append((_size(database, serving) - before) / _FEW)
                serving.disconnect()
                seconds = _run(world, serving, database, many).seconds
                pairs.append((seconds, _foretold(alone, costs[-1], _MANY)))
            serving.disconnect()
    return [
        _row("processor time of ours per host", "ms", [1000 * one.own_cpu / _FEW for one in costs]),
        _row("processor time of the target per host", "ms", [1000 * one.target_cpu / _FEW for one in costs]),
        _row("hosts a second per core of ours", "hosts/s", [_FEW / one.own_cpu for one in costs]),
        _row("database transactions per host, reads too", "transactions", [one.commits / _FEW for one in costs]),
        _row("database rows written per host", "rows", [one.rows / _FEW for one in costs]),
        _row("bytes of write-ahead log per host", "bytes", [one.wal / _FEW for one in costs]),
        _row("bytes kept per host, database and artifacts", "bytes", kept),
        Row(
            line="capacity", what=f"{_MANY} hosts, echo, fresh connections", beside="the model",
            ours=tuple(own for own, _ in pairs), theirs=tuple(other for _, other in pairs),
        ),
    ]  # fmt: skip


def _foretold(alone: float, few: _Costs, hosts: int) -> float:
    """Seconds: what one host takes, and the processor time of all on all cores; targets share them here."""
    each = (few.own_cpu + few.target_cpu) / _FEW
    return alone + hosts * each / (os.cpu_count() or 1)


def _run(
    world: World, serving: Serving, database: psycopg.Connection[tuple[int, ...]], host_ids: list[int]
) -> _Costs:
    own, target, counted = serving.cpu_seconds(), _lab_cpu(world), _counted(database)
    seconds = serving.client.run(SCRIPT, host_ids)
    now = _counted(database)
    commits, rows, wal = (after - before for after, before in zip(now, counted, strict=True))
    return _Costs(seconds, serving.cpu_seconds() - own, _lab_cpu(world) - target, commits, rows, wal)


def _lab_cpu(world: World) -> float:
    state = LabState.read(world.lab.directory)
    assert state is not None
    return processes.cpu_seconds(processes.of_service(state.supervisor, ()))


def _counted(database: psycopg.Connection[tuple[int, ...]]) -> tuple[int, int, int]:
    """Commits, rows written, bytes of write-ahead log; statistics come a second after the fact."""
    database.execute("SELECT pg_stat_force_next_flush()")
    database.execute("SELECT pg_sleep(1.5)")
    found = database.execute(
        "SELECT xact_commit, tup_inserted + tup_updated + tup_deleted, pg_current_wal_lsn() - '0/0'"
        " FROM pg_stat_database WHERE datname = current_database()"
    ).fetchone()
    assert found is not None
    return int(found[0]), int(found[1]), int(found[2])


def _size(database: psycopg.Connection[tuple[int, ...]], serving: Serving) -> int:
    """Bytes of the database and of the data directory."""
    found = database.execute("SELECT pg_database_size(current_database())").fetchone()
    assert found is not None
    files = (Path(place) / name for place, _, names in os.walk(serving.service.data_dir) for name in names)
    return int(found[0]) + sum(path.stat().st_blocks * 512 for path in files if path.is_file())


def _row(what: str, unit: str, figures: list[float]) -> Row:
    spread = max(figures) / statistics.median(figures) if statistics.median(figures) else 1.0
    return Row(line="capacity", what=what, unit=unit, ours=tuple(figures), also={"worst_by_median": spread})
