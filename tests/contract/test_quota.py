"""Quotas of unfinished jobs, on SQLite and PostgreSQL: exact, whoever submits at once, and cheap."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
import sqlalchemy as sa
from cryptography.fernet import Fernet

from adapter import errors
from adapter.job.model import Host, JobInstance, Scope, ScriptTask, StepInstance
from adapter.job.status import RunStatus
from adapter.store import quota as quotas
from adapter.store import tables
from adapter.store.job_rows import job_values
from adapter.store.jobs import JobStore
from adapter.store.quota import JobQuota
from adapter.store.secrets import SecretBox

A, B = Scope("biz", "1"), Scope("biz", "2")
HOST = Host(bk_host_id=1, bk_cloud_id=0, ip="10.0.0.1", name="web1")


def a_job(scope: Scope = A, app: str = "app", *, started: bool = True) -> JobInstance:
    step = StepInstance(name="s", script=ScriptTask(language=1, content="true", account_id=0), create_time=1)
    return JobInstance(scope=scope, app_code=app, steps=(step,), create_time=1, started=started)


def a_store(engine: sa.Engine, quota: JobQuota) -> JobStore:
    return JobStore(engine, SecretBox(Fernet.generate_key()), quota=quota)


def add(jobs: JobStore, job: JobInstance) -> JobInstance:
    jobs.require_room(job)
    return jobs.add(job, [(HOST,)])


def number_of_rows(engine: sa.Engine) -> int:
    with engine.connect() as connection:
        return connection.execute(sa.select(sa.func.count()).select_from(tables.job_instance)).scalar_one()


def set_status(engine: sa.Engine, job_id: int, status: RunStatus) -> None:
    with engine.begin() as connection:
        connection.execute(
            sa.update(tables.job_instance).where(tables.job_instance.c.id == job_id).values(status=status)
        )


def test_each_quota_has_its_code(engine: sa.Engine) -> None:
    """In JOB's order: the system, the business, the application; what is refused leaves no row."""
    jobs = a_store(engine, JobQuota(total=4, per_scope=3, per_app=2))
    add(jobs, a_job(A, "one"))
    add(jobs, a_job(A, "one"))
    with pytest.raises(errors.AppQuotaExceeded, match="2 of one"):
        add(jobs, a_job(B, "one"))
    add(jobs, a_job(A, "two"))
    with pytest.raises(errors.ScopeQuotaExceeded, match="3 in biz_1"):
        add(jobs, a_job(A, "two"))
    add(jobs, a_job(B, "two"))
    with pytest.raises(errors.SystemQuotaExceeded, match=r"\(4\)"):
        add(jobs, a_job(A, "one"))
    assert number_of_rows(engine) == 4


def test_jobs_that_ended_or_were_not_started_do_not_count(engine: sa.Engine) -> None:
    """Every other state does."""
    jobs = a_store(engine, JobQuota(total=1))
    for status in RunStatus:
        job = add(jobs, a_job())
        set_status(engine, job.id, status)
        if not status.is_finished:
            with pytest.raises(errors.SystemQuotaExceeded):
                add(jobs, a_job())
            set_status(engine, job.id, RunStatus.SUCCESS)
    add(jobs, a_job(started=False))
    add(jobs, a_job())
    with pytest.raises(errors.SystemQuotaExceeded):
        add(jobs, a_job(started=False))


@pytest.mark.parametrize("in_flight", [1_000, 3])
def test_many_at_once_never_are_more_than_may_be(
    engine: sa.Engine, in_flight: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of 40 that come at once to room for 10, 10 are stored; also when the first few need no counting.

    require_room(), which launches ask early, is left out: so each comes to the transaction that decides.
    """
    monkeypatch.setattr(quotas, "_IN_FLIGHT", in_flight)
    stores = [a_store(engine, JobQuota(total=10)) for _ in range(2)]

    def submit(number: int) -> str:
        try:
            stores[number % 2].add(a_job(), [(HOST,)])
        except errors.SystemQuotaExceeded:
            return "refused"
        return "stored"

    with ThreadPoolExecutor(3 if in_flight == 3 else 16) as threads:  # no more in flight than is said
        outcomes = Counter(threads.map(submit, range(40)))
    assert outcomes == {"stored": 10, "refused": 30}
    assert number_of_rows(engine) == 10


def test_nothing_is_counted_while_there_is_room_for_all(engine: sa.Engine) -> None:
    """A look at the oldest unfinished job and at the newest tells; ended ones in between are no matter."""
    jobs = a_store(engine, JobQuota(total=100_000))
    add(jobs, a_job())  # the first of a process is counted
    statements: list[str] = []
    sa.event.listen(
        engine, "before_cursor_execute", lambda _c, _cursor, statement, *_more: statements.append(statement)
    )
    for _ in range(3):
        add(jobs, a_job())
    assert not [statement for statement in statements if "of_scope" in statement]
    assert len([statement for statement in statements if "max(job_instance.id)" in statement]) == 3


@pytest.mark.parametrize("statement", [quotas._SPAN, quotas._COUNT])
def test_what_is_counted_is_found_in_its_index(engine: sa.Engine, statement: sa.Select[tuple[int]]) -> None:
    """However many jobs have ended: both databases look only at those that have not."""
    ended = job_values(replace(a_job(), status=RunStatus.SUCCESS))
    with engine.begin() as connection:
        connection.execute(
            sa.insert(tables.job_instance), [{**ended, "name": str(number)} for number in range(3000)]
        )
    explain = "EXPLAIN QUERY PLAN " if engine.dialect.name == "sqlite" else "EXPLAIN "
    asked = statement.params(id=1, scope_type="biz", scope_id="1", app_code="app")
    with engine.connect() as connection:
        text = str(asked.compile(connection, compile_kwargs={"literal_binds": True}))
        plan = "\n".join(str(tuple(row)) for row in connection.exec_driver_sql(explain + text))
    assert "ix_job_instance_unfinished" in plan
