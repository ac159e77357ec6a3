"""Lists of jobs cost what they tell of, not what is stored: by the databases' own plans, not by seconds."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from cryptography.fernet import Fernet

from adapter.job.commands import JobFilter
from adapter.job.model import Scope
from adapter.store.database import migrate, open_database
from adapter.store.jobs import JobStore
from adapter.store.secrets import SecretBox
from adapter.store.tables import host_result, job_instance, step_instance
from tests.bench.million import DAY_MS, fill

FIRST = 1_700_000_000_000
JOBS = 3_000
ALL = JobFilter(
    scope=Scope("biz", "2"), create_time_start=FIRST, create_time_end=FIRST + 30 * DAY_MS, length=7
)


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[sa.Engine]:
    """Some thousand jobs on SQLite."""
    place = tmp_path_factory.mktemp("lists")
    engine = open_database(f"sqlite:///{place}/adapter.db")
    migrate(engine, place / "lock")
    fill(engine, JOBS, FIRST, days=60, share=40)
    yield engine
    engine.dispose()


def wanted(**more: Any) -> JobFilter:
    return JobFilter(**{**vars(ALL), **more})


FILTERS = [
    wanted(),
    wanted(start=300),
    wanted(start=10**9),
    wanted(operator="user7"),
    wanted(status=4, start=20),
    wanted(type=1, launch_mode=2),
    wanted(name="DEPLOY", start=100, length=50),
    wanted(name="发布"),
    wanted(name="_"),
    wanted(ip="10.0.3.7"),
    wanted(ip="10.0.3.7", status=3),
    wanted(job_instance_id=599),
    wanted(scope=Scope("biz", "7")),
    wanted(scope=Scope("biz", "nobody")),
]


def by_hand(engine: sa.Engine, asked: JobFilter) -> list[int]:
    """What a list must have: every row is looked at, one by one."""
    with engine.connect() as connection:
        rows = connection.execute(sa.select(job_instance)).mappings().all()
        on_it = set(
            connection.scalars(
                sa.select(step_instance.c.job_instance_id)
                .join(host_result, host_result.c.step_instance_id == step_instance.c.id)
                .where(host_result.c.ip == asked.ip)
            )
        )
    scope = (asked.scope.type, asked.scope.id)
    found = [
        row
        for row in rows
        if scope in ((row["scope_type"], row["scope_id"]), (row["other_scope_type"], row["other_scope_id"]))
        and asked.create_time_start <= row["create_time"] <= asked.create_time_end
        and all(
            getattr(asked, name) in (None, row[name])
            for name in ("operator", "status", "type", "launch_mode")
        )
        and asked.job_instance_id in (None, row["id"])
        and (asked.name or "").lower() in row["name"].lower()
        and (asked.ip is None or row["id"] in on_it)
    ]
    return [row["id"] for row in sorted(found, key=lambda row: (row["create_time"], row["id"]), reverse=True)]


@pytest.mark.parametrize("asked", FILTERS, ids=str)
def test_a_page_is_of_all_that_fits(filled: sa.Engine, asked: JobFilter) -> None:
    """Of every filter the right total, the right rows in the right order, from whichever end they are found."""
    total, page = JobStore(filled, SecretBox(Fernet.generate_key())).list(asked)
    expected = by_hand(filled, asked)
    assert total == len(expected)
    assert [job.id for job in page] == expected[asked.start : asked.start + asked.length]


def plans(engine: sa.Engine, asked: JobFilter) -> str:
    """How the database would run the statements of a list, in its own words."""
    run: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_more: Any) -> None:
        run.append((statement, parameters))

    sa.event.listen(engine, "before_cursor_execute", note)
    try:
        JobStore(engine, SecretBox(Fernet.generate_key())).list(asked)
    finally:
        sa.event.remove(engine, "before_cursor_execute", note)
    explain = "EXPLAIN QUERY PLAN " if engine.dialect.name == "sqlite" else "EXPLAIN "
    with engine.connect() as connection:
        rows = [row for text, values in run for row in connection.exec_driver_sql(explain + text, values)]
    return "\n".join(str(row[-1]) for row in rows)


@pytest.mark.parametrize("asked", FILTERS[:6] + FILTERS[9:11] + FILTERS[12:], ids=str)
def test_no_list_looks_at_every_job(each_database: str, tmp_path: Path, asked: JobFilter) -> None:
    """Totals come from the index of lists alone, rows only of the page; an address leads to its jobs."""
    engine = open_database(each_database)
    migrate(engine, tmp_path / "lock")
    try:
        fill(engine, JOBS, FIRST, days=60, share=40)
        told = plans(engine, asked)
    finally:
        engine.dispose()
    assert "SCAN job_instance" not in told, told
    assert "SCAN host_result" not in told, told
    if "sqlite" in each_database:
        if asked.ip is None:
            assert "COVERING INDEX ix_job_instance_list" in told, told
        else:
            assert "ix_host_result_ip" in told, told
    elif asked.ip is not None:
        assert "ix_host_result_ip" in told, told
