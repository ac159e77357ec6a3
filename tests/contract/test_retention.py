"""What is old is removed, a few jobs at a time, and nothing that somebody still needs."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from cryptography.fernet import Fernet

from adapter.engine import retention as module
from adapter.engine.retention import Keeping, Pruned, Retention
from adapter.job.status import RunStatus
from adapter.service.query import Query
from adapter.store.audit import AuditStore
from adapter.store.database import migrate, open_database
from adapter.store.jobs import JobStore
from adapter.store.logs import LogStore
from adapter.store.retention import AT_ONCE, RetentionStore
from adapter.store.secrets import SecretBox
from adapter.store.tables import callback, collected_run, installation, job_instance, log_chunk, metadata
from tests.bench.million import DAY_MS, fill

FIRST = 1_700_000_000_000
JOBS = 50
#: One job a day; now the last is a day old.
NOW = FIRST + (JOBS + 1) * DAY_MS


class World:
    """Fifty finished jobs, a day apart, each with a log and artifacts."""

    def __init__(self, url: str, place: Path) -> None:
        self.engine = open_database(url)
        migrate(self.engine, place / "lock")
        fill(self.engine, JOBS, FIRST, days=JOBS, share=100)
        self.logs = LogStore(self.engine)
        self.jobs = JobStore(self.engine, SecretBox(Fernet.generate_key()))
        with self.engine.begin() as connection:
            connection.execute(sa.insert(installation).values(id=1, key_digest="x"))
        self.artifacts = place / "artifacts"
        for id_ in range(1, JOBS + 1):
            (host,) = self.jobs.hosts(id_, 0)
            self.logs.append(id_, 0, host.host.bk_host_id, 0, b"hello\n")
            file = self.artifacts / str(id_) / str(id_) / "0" / "spool" / "x"
            file.parent.mkdir(parents=True)
            file.write_bytes(b"x" * 1000)
        with self.engine.begin() as connection:
            connection.execute(sa.text("UPDATE host_result SET end_time = 1"))

    def now_ms(self) -> int:
        return NOW

    def retention(
        self, *, jobs: int | None = None, logs: int | None = None, artifacts: int | None = None, most: int = 0
    ) -> Retention:
        """Ages in days."""
        days = [None if age is None else age * DAY_MS for age in (jobs, logs, artifacts)]
        keeping = Keeping(jobs=days[0], logs=days[1], artifacts=days[2], artifact_bytes=most)
        return Retention(
            store=RetentionStore(self.engine), keeping=keeping, artifacts=self.artifacts, clock=self
        )

    def ids(self) -> list[int]:
        with self.engine.connect() as connection:
            return list(connection.scalars(sa.select(job_instance.c.id).order_by(job_instance.c.id)))

    def rows(self, table: sa.Table) -> int:
        with self.engine.connect() as connection:
            return connection.scalar(sa.select(sa.func.count()).select_from(table)) or 0

    def update(self, id_: int, **values: Any) -> None:
        with self.engine.begin() as connection:
            connection.execute(sa.update(job_instance).where(job_instance.c.id == id_).values(**values))

    def with_artifacts(self) -> list[int]:
        return sorted(int(path.name) for path in self.artifacts.iterdir())


@pytest.fixture
def world(each_database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    monkeypatch.setattr(module, "_BREATH", 0.0)
    world = World(each_database, tmp_path)
    yield world
    world.engine.dispose()


def test_old_jobs_go_with_all_that_is_theirs(world: World) -> None:
    """More than fit into one transaction; no row of any table is left of them, and no artifact on this node."""
    retention = world.retention(jobs=20)
    assert retention.would_prune() == Pruned(jobs=30)
    assert world.ids() == list(range(1, JOBS + 1)), "a dry run changes nothing"
    assert retention.prune() == Pruned(jobs=30)
    left = list(range(31, JOBS + 1))
    assert len(left) + AT_ONCE < JOBS
    assert world.ids() == world.with_artifacts() == left
    for name in ("step_instance", "host_result", "log_chunk"):
        assert world.rows(metadata.tables[name]) == len(left), name
    assert world.jobs.get(1) is None
    assert retention.prune() == Pruned()


def test_what_somebody_needs_stays(world: World) -> None:
    """Not ended, still open, to be told of, still on its hosts: however old."""
    world.update(1, status=int(RunStatus.RUNNING))
    world.update(2, open=True)
    world.update(3, end_time=None)
    with world.engine.begin() as connection:
        told = {"completion": 1, "body": "", "create_time": 1}
        connection.execute(sa.insert(callback).values(job_instance_id=4, state="waiting", **told))
        connection.execute(sa.insert(callback).values(job_instance_id=5, state="delivered", **told))
        run = {"execute_count": 0, "account_id": 1, "collect_time": 1, "clean_time": 1}
        connection.execute(sa.insert(collected_run).values(step_instance_id=6, **run))
    retention = world.retention(jobs=1, logs=1, artifacts=1)
    retention.prune()
    assert world.ids()[:4] == [1, 2, 3, 4]
    assert 5 not in world.ids()
    assert 6 in world.ids()
    assert world.with_artifacts()[:5] == [1, 2, 3, 4, 6]
    assert world.logs.read(6, 0, world.jobs.hosts(6, 0)[0].host.bk_host_id) == b"hello\n"


def test_a_log_that_was_removed_says_so(world: World) -> None:
    """It is not that of a script that printed nothing; another job's log is as it was."""
    assert world.retention(logs=20).prune() == Pruned(logs=30)
    query = Query(world.jobs, world.logs)
    for id_, expected in ((1, "removed for its age|已被清理"), (JOBS, "hello")):
        job = world.jobs.get(id_)
        assert job is not None
        (step,) = job.steps
        (host,) = query.hosts(step)
        text = query.script_logs(step, [host.host.bk_host_id])[host.host.bk_host_id]
        assert any(word in text for word in expected.split("|")), text
    assert world.rows(log_chunk) == 20
    assert len(world.ids()) == JOBS
    assert world.retention(logs=20).prune() == Pruned()


def test_artifacts_go_by_age_and_by_size(world: World) -> None:
    """The oldest first, until the rest is within the bound; what runs keeps its own."""
    world.update(21, status=int(RunStatus.RUNNING))
    assert world.retention(artifacts=30).prune() == Pruned(artifacts=20)
    assert world.with_artifacts() == list(range(21, JOBS + 1))
    assert world.retention(most=10_000).prune() == Pruned(artifacts=20)
    assert world.with_artifacts() == [21, *range(42, JOBS + 1)]
    assert len(world.ids()) == JOBS


def test_another_node_removes_its_own_artifacts(world: World, tmp_path: Path) -> None:
    """Of jobs that were removed meanwhile; a job that the store never had is lost, not removed, and stays."""
    other = tmp_path / "other"
    shutil.copytree(world.artifacts, other)
    (other / "999").mkdir()
    world.retention(jobs=20).prune()
    assert AuditStore(world.engine).removed_to() == 30
    retention = world.retention(jobs=20)
    there = Retention(store=retention.store, keeping=retention.keeping, artifacts=other, clock=world)
    assert there.prune() == Pruned(artifacts=30)
    assert sorted(int(path.name) for path in other.iterdir()) == [*range(31, JOBS + 1), 999]


def test_to_be_killed_in_it_is_no_harm(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the transaction: nothing has happened. Between rows and artifacts, or in these: the next round ends it."""
    with monkeypatch.context() as patched:
        real = sa.Connection.execute

        def dies(self: sa.Connection, statement: Any, *more: Any, **options: Any) -> Any:
            if getattr(statement, "table", None) is job_instance and statement.is_delete:
                raise OSError("killed")
            return real(self, statement, *more, **options)

        patched.setattr(sa.Connection, "execute", dies)
        with pytest.raises(OSError, match="killed"):
            world.retention(jobs=20).prune()
    assert len(world.ids()) == world.rows(log_chunk) == JOBS
    with monkeypatch.context() as patched:
        patched.setattr(shutil, "rmtree", lambda path: (_ for _ in ()).throw(OSError("killed")))
        with pytest.raises(OSError, match="killed"):
            world.retention(jobs=20).prune()
    assert world.ids()[0] == AT_ONCE + 1
    assert (world.artifacts / ".removed-1").is_dir()
    assert world.retention(jobs=20).prune().jobs == 30 - AT_ONCE
    assert world.ids() == world.with_artifacts() == list(range(31, JOBS + 1))


def test_nothing_is_removed_unless_somebody_says_so(world: World) -> None:
    """All is kept for ever by default: the thread of it ends at once."""
    world.retention().go_on(threading.Event())
    assert len(world.ids()) == JOBS
