"""Lists of scripts read what they show: counted in work, for seconds are the machine's."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from adapter.job.model import Scope
from adapter.store.database import migrate, open_database
from adapter.store.scripts import ScriptStore
from adapter.store.tables import script, script_version

BIZ = Scope("biz", "2")
SCRIPTS, VERSIONS = 3_000, 3_000
CONTENT = "x" * 4_000


@pytest.fixture
def engine(each_database: str, tmp_path: Path) -> Iterator[sa.Engine]:
    engine = open_database(each_database)
    migrate(engine, tmp_path / "lock")
    with engine.begin() as connection:
        connection.execute(sa.insert(script), [_script(number) for number in range(SCRIPTS)])
        connection.execute(sa.insert(script_version), [_version(number) for number in range(SCRIPTS)])
        connection.execute(
            sa.insert(script_version), [_version(SCRIPTS + number, "s0") for number in range(VERSIONS)]
        )
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("ANALYZE" if engine.dialect.name == "sqlite" else "VACUUM ANALYZE")
    yield engine
    engine.dispose()


def _script(number: int) -> dict[str, Any]:
    return {
        "id": f"s{number}",
        "scope_type": "biz",
        "scope_id": "2",
        "name": f"name {number}",
        "language": number % 5 + 1,
        "description": "d" * 1_000,
        "online_version_id": number + 1,
        "last_modify_time": number,
    }


def _version(number: int, script_id: str | None = None) -> dict[str, Any]:
    version = {"id": number + 1, "script_id": script_id or f"s{number}", "version": f"v{number}"}
    return {**version, "content": CONTENT, "status": 1}


def _plans(engine: sa.Engine, ask: Callable[[], object]) -> list[str]:
    """How the database carries out each SELECT of `ask`, as it says it."""
    said: list[str] = []
    is_sqlite = engine.dialect.name == "sqlite"

    def explain(_c: Any, cursor: Any, statement: str, parameters: Any, *_more: Any) -> None:
        if statement.startswith("SELECT"):
            cursor.execute(f"EXPLAIN {'QUERY PLAN' if is_sqlite else ''} {statement}", parameters)
            said.append("\n".join(str(row[-1]) for row in cursor.fetchall()))

    sa.event.listen(engine, "before_cursor_execute", explain)
    try:
        ask()
    finally:
        sa.event.remove(engine, "before_cursor_execute", explain)
    return said


@pytest.mark.parametrize(
    "wanted", [{}, {"name": "9"}, {"language": 3}, {"name": "NAME 1", "language": 2}], ids=str
)
def test_a_page_of_scripts_reads_an_index(engine: sa.Engine, wanted: dict[str, Any]) -> None:
    """How many there are, and which are on a page, however far behind: the table is read for its rows alone."""
    store = ScriptStore(engine)
    count, page = _plans(engine, lambda: store.list_online(BIZ, start=200, length=20, **wanted))
    if engine.dialect.name == "sqlite":
        assert "USING COVERING INDEX ix_script_online" in count
        assert "USING COVERING INDEX ix_script_online" in page
        assert "SCAN script" not in count + page
        assert page.count("TEMP B-TREE") <= 1  # of the page's own rows
    else:
        assert "Index Only Scan" in count
        assert "ix_script_online" in count
        assert "Index Only Scan Backward using ix_script_online" in page


def test_a_page_of_versions_reads_an_index(engine: sa.Engine) -> None:
    """Of a script with very many; their texts are not read."""
    store = ScriptStore(engine)
    count, page = _plans(engine, lambda: store.versions("s0", start=2_900, length=20, with_content=False))
    index = "ix_script_version_of_script"
    assert index in page
    assert "script_version.content" not in page
    if engine.dialect.name == "sqlite":
        assert "USING COVERING INDEX" in count
        assert "SCAN script_version" not in count + page
    else:
        assert "Index Only Scan" in page


def test_a_query_without_an_index_is_seen(engine: sa.Engine) -> None:
    """Otherwise the tests above could not fail."""
    ask = sa.select(sa.func.count()).where(script.c.description != "y")

    def unindexed() -> None:
        with engine.begin() as connection:
            connection.scalar(ask)

    (plan,) = _plans(engine, unindexed)
    assert "ix_script_online" not in plan
    assert ("SCAN script" if engine.dialect.name == "sqlite" else "Seq Scan on script") in plan
