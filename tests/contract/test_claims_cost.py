"""A claim costs the same however many jobs wait or are stored: counted in work, for seconds are the machine's."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from adapter.job.status import RunStatus
from adapter.store.claims import ClaimStore, Limits
from adapter.store.database import migrate, open_database
from adapter.store.tables import job_instance
from adapter.store.workers import WorkerStore

#: Of PostgreSQL: what scans of the table and of its indexes gave back in this transaction.
_READ = sa.text(
    "SELECT sum(pg_stat_get_xact_tuples_returned(oid)) FROM pg_class"
    " WHERE oid = 'job_instance'::regclass"
    " OR oid IN (SELECT indexrelid FROM pg_index WHERE indrelid = 'job_instance'::regclass)"
)


class Counted:
    """A store of claims whose work is counted: SQLite's steps of its virtual machine, PostgreSQL's rows read."""

    def __init__(self, engine: sa.Engine) -> None:
        self.engine = engine
        self.claims = ClaimStore(engine)
        self.worker = WorkerStore(engine).register("machine", 1, 16, 1).id
        self.total = 0
        if engine.dialect.name == "sqlite":
            sa.event.listen(engine, "checkout", self._count_steps)
        else:
            sa.event.listen(engine, "commit", self._count_rows)

    def _count_steps(self, connection: Any, *_more: object) -> None:
        connection.set_progress_handler(self._step, 1)

    def _step(self) -> int:
        self.total += 1
        return 0

    def _count_rows(self, connection: sa.Connection) -> None:
        self.total += int(connection.scalar(_READ) or 0)

    def add(self, number: int, scopes: int, **columns: Any) -> None:
        """Store jobs, without steps: claims do not look at these."""
        texts = {"name": "x", "operator": "x", "app_code": "x", "scope_type": "biz", "started": True}
        numbers = dict.fromkeys(("type", "plan_id", "template_id", "launch_mode", "create_time"), 1)
        rows = [
            {**texts, **numbers, "status": 1, "scope_id": str(item % scopes), **columns}
            for item in range(number)
        ]
        with self.engine.begin() as connection:
            connection.execute(sa.insert(job_instance), rows)
            connection.exec_driver_sql("ANALYZE job_instance")  # as both do by themselves after a while

    def work(self) -> int:
        """Of a look whether there is a job, and of a claim that gets one."""
        before = self.total
        assert self.claims.is_any_left()
        (claim,) = self.claims.claim(self.worker, Limits(per_worker=1, per_scope=9), 0)
        work = self.total - before
        assert self.claims.release(claim)
        return work


@pytest.fixture
def counted(each_database: str, tmp_path: Path) -> Iterator[Counted]:
    engine = open_database(each_database)
    migrate(engine, tmp_path / "lock")
    yield Counted(engine)
    engine.dispose()


def test_it_grows_neither_with_those_that_wait_nor_with_those_that_have_ended(counted: Counted) -> None:
    """Ten thousand more in the same ten scopes, ten thousand that have ended: not one more is looked at."""
    counted.add(5_000, scopes=10)
    few = counted.work()
    counted.add(10_000, scopes=10)
    assert counted.work() < few + 1_000
    counted.add(10_000, scopes=10, status=int(RunStatus.SUCCESS), open=False)
    assert counted.work() < few + 1_000


def test_what_looks_at_every_job_is_seen(counted: Counted) -> None:
    """Otherwise the test above could not fail."""
    counted.add(5_000, scopes=10)
    assert counted.work() < 2_000
    with counted.engine.begin() as connection:
        connection.scalar(sa.select(sa.func.count()).where(job_instance.c.name != "y"))
    assert counted.total > 5_000
