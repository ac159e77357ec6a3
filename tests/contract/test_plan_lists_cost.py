"""A page of templates or plans is found in an index: definitions are read of the page's rows only."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from cryptography.fernet import Fernet

from adapter.job.model import Scope
from adapter.job.plan import ListFilter
from adapter.store.database import migrate, open_database
from adapter.store.plans import PlanStore
from adapter.store.secrets import SecretBox
from adapter.store.tables import job_plan, job_template

BIZ = Scope("biz", "2")
STORED = 3_000
FILTERS = [
    ListFilter(),
    ListFilter(name="plan 17"),
    ListFilter(creator="user 3"),
    ListFilter(last_modify_user="nobody"),
    ListFilter(create_time=(5, 9)),
    ListFilter(last_modify_time=(7, None)),
]


@pytest.fixture
def engine(each_database: str, tmp_path: Path) -> Iterator[sa.Engine]:
    """A database with thousands of templates and plans, whose definitions are longer than their rows."""
    engine = open_database(each_database)
    migrate(engine, tmp_path / "lock")
    with engine.begin() as connection:
        connection.execute(
            sa.insert(job_template), [_row(number, f"t {number}") for number in range(1, STORED)]
        )
        plans = [
            {**_row(number, f"plan {number}"), "template_id": number % 10 + 1, "selection": "null"}
            for number in range(1, STORED)
        ]
        connection.execute(sa.insert(job_plan), plans)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        if engine.dialect.name == "postgresql":
            connection.exec_driver_sql("VACUUM ANALYZE job_plan, job_template")
    yield engine
    engine.dispose()


def _row(number: int, name: str) -> dict[str, Any]:
    texts = {"scope_type": "biz", "scope_id": "2", "name": name, "steps": "[]" + " " * 1500}
    people = {"creator": f"user {number % 7}", "last_modify_user": "admin"}
    return {**texts, **people, "variables": "[]", "create_time": number, "last_modify_time": number}


def _statements(engine: sa.Engine, work: Any) -> list[tuple[str, Any]]:
    """What a list asks the database."""
    found: list[tuple[str, Any]] = []

    def note(_conn: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        found.append((statement, parameters))

    sa.event.listen(engine, "before_cursor_execute", note)
    work()
    sa.event.remove(engine, "before_cursor_execute", note)
    return [(statement, parameters) for statement, parameters in found if statement.startswith("SELECT")]


def _query_plan(engine: sa.Engine, statement: str, parameters: Any) -> list[str]:
    is_sqlite = engine.dialect.name == "sqlite"
    explain = "EXPLAIN QUERY PLAN " if is_sqlite else "EXPLAIN "
    with engine.connect() as connection:
        rows = connection.exec_driver_sql(explain + statement, parameters).all()
    return [str(row[-1]) for row in rows]


@pytest.mark.parametrize("wanted", FILTERS)
@pytest.mark.parametrize("of", ["templates", "plans", "plans of a template"])
def test_a_page_looks_at_its_rows_only(engine: sa.Engine, of: str, wanted: ListFilter) -> None:
    """Counting and finding the page's ids reads an index that has everything; rows are looked up by id."""
    plans = PlanStore(engine, SecretBox(Fernet.generate_key()))

    def work() -> None:
        if of == "templates":
            plans.list_templates(BIZ, wanted, start=1000, length=10)
        else:
            plans.list_plans(BIZ, wanted, template_id=None if of == "plans" else 3, start=100, length=10)

    statements = _statements(engine, work)
    assert len(statements) == 2
    for statement, parameters in statements:
        lines = _query_plan(engine, statement, parameters)
        if engine.dialect.name == "postgresql":
            assert any("Index Only Scan" in line for line in lines), lines
            assert not any("Seq Scan on job_" in line for line in lines), lines
            continue
        (listed,) = [line for line in lines if "_listed" in line]
        assert "COVERING INDEX" in listed, lines
        others = [line for line in lines if line.startswith(("SCAN", "SEARCH")) and line != listed]
        assert all("INTEGER PRIMARY KEY" in line or line == "SCAN page" for line in others), lines
        assert "USE TEMP B-TREE FOR ORDER BY" not in lines[: lines.index(listed) + 2], lines


def test_what_is_on_a_page(engine: sa.Engine) -> None:
    """And it is right: total, order, and what is told of each."""
    plans = PlanStore(engine, SecretBox(Fernet.generate_key()))
    total, page = plans.list_plans(BIZ, ListFilter(name="plan 1"), start=2, length=3)
    assert total == sum(str(number).startswith("1") for number in range(1, STORED))
    assert [plan.name for plan in page] == ["plan 1997", "plan 1996", "plan 1995"]
    total, page = plans.list_plans(BIZ, ListFilter(), template_id=3, start=0, length=2)
    assert (total, [plan.template_id for plan in page]) == (300, [3, 3])
    assert plans.list_plans(Scope("biz", "3"), ListFilter()) == (0, ())
