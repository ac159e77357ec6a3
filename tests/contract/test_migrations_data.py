"""Every migration, from the first schema on, with rows of its own time in every table; and what can break.

A new migration is taken in by itself: the walk goes along Alembic's revisions and makes rows of what it finds in
the database. A column that only takes words of its own gets one in `_WORDS`. There are no tests of downgrades:
nobody is promised one (docs/backup.md).
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic import op
from alembic.script import ScriptDirectory
from cryptography.fernet import Fernet

from adapter.job.status import RunStatus
from adapter.store import database, tables
from adapter.store.accounts import AccountStore
from adapter.store.callbacks import CallbackStore
from adapter.store.collected import CollectedRuns
from adapter.store.database import migrate, open_database
from adapter.store.jobs import JobStore
from adapter.store.logs import LogStore
from adapter.store.secrets import SecretBox
from adapter.store.workers import WorkerStore
from tests.contract.test_migrations import bring_to

#: Indexes are compared as the database words them, not as SQLAlchemy reads them.
pytestmark = pytest.mark.filterwarnings("ignore:Skipped unsupported reflection")

REVISIONS = [
    item.revision for item in ScriptDirectory(str(database._MIGRATIONS)).walk_revisions("base", "head")
][::-1]

#: What a script step was stored as by the first release.
_SCRIPT = json.dumps(
    {"language": 1, "content": "echo", "param": "", "param_sensitive": False, "timeout": 60, "account_id": 1}
)
#: By "table.column" or "column": what is read as more than a text. Numbers are 3: a job or step that succeeded.
_WORDS: Mapping[str, Any] = {
    "definition": _SCRIPT,
    "file_log.definition": '{"mode": 1, "bk_host_id": 1, "dest_path": "/d"}',
    "steps": "[]",
    "variables": "[]",
    "scopes": "null",
    "hosts": "[7]",
    "callback_state": "delivered (attempt 1, application/json)",
    "callback.state": "delivered",
    "worker.state": "ended",
    "rolling": None,
    "callback_url": None,
    "step_instance.type": 1,
    "job_instance.type": 1,
    "launch_mode": 2,
    "open": False,
    "host_result.status": 9,
    "language": 1,
    "script_version.status": 1,
    "category": 1,
    "account.type": 1,
    "executed_in": 0,
    "execute_count": 0,
    "job_variable.type": 1,
    "offset": 0,
    "log_bytes": 1,
    "log_kept": 1,
    "content": "x",
    "log_chunk.content": b"x",
    "batch": 0,
}
_SECRETS = ("_secret", "callback_secret")


@pytest.fixture
def engine(each_database: str) -> Iterator[sa.Engine]:
    engine = open_database(each_database)
    yield engine
    engine.dispose()


class Walk:
    """A database on its way up, and every row that was put into it, by table."""

    def __init__(self, engine: sa.Engine) -> None:
        self.engine = engine
        self.box = SecretBox(Fernet.generate_key())
        self.rows: dict[str, list[dict[str, Any]]] = {}

    def tables(self) -> list[sa.Table]:
        """As they are now, the ones that others refer to first."""
        found = sa.MetaData()
        found.reflect(self.engine)
        return [table for table in found.sorted_tables if table.name != "alembic_version"]

    def add(self, number: int) -> None:
        """A row into every table there is: the `number`-th of each."""
        with self.engine.begin() as connection:
            for table in self.tables():
                if table.name == "installation" and self.rows.get("installation"):
                    continue  # there is one of them
                row = {column.name: self._value(table, column, number) for column in table.columns}
                connection.execute(sa.insert(table).values(row))
                self.rows.setdefault(table.name, []).append(row)

    def _value(self, table: sa.Table, column: sa.Column[Any], number: int) -> Any:  # noqa: PLR0911
        names = (f"{table.name}.{column.name}", column.name)
        for name in names:
            if name in _WORDS:
                return _WORDS[name]
        for key in column.foreign_keys:
            return self.rows[key.column.table.name][-1][key.column.name]
        if column.name.endswith(_SECRETS) and "hashed" not in column.name:
            sealed = self.box.encrypt("hush")
            return sealed.encode() if isinstance(column.type, sa.LargeBinary) else sealed
        if column.name == "key_digest":
            return self.box.digest
        is_key = column.primary_key or column.name == "bk_host_id"
        is_unique = is_key or any(
            column.name in unique.columns
            for unique in table.constraints
            if isinstance(unique, sa.UniqueConstraint)
        )
        if isinstance(column.type, sa.Boolean):
            return True
        if isinstance(column.type, (sa.Integer, sa.BigInteger)):
            if column.name.endswith("instance_id"):
                return 1000 + number
            return 1000 + number if is_unique else 3
        if isinstance(column.type, sa.LargeBinary):
            return b"x"
        if column.name == "scope_type":
            return "biz"
        if column.name == "scope_id":
            return "2"
        return f"{column.name[:8]}{number}" if is_unique else column.name[:8]

    def check(self) -> None:
        """Every row is there as it was put in, in what is left of its columns."""
        with self.engine.connect() as connection:
            for table in self.tables():
                stored = list(connection.execute(sa.select(table)).mappings())
                for row in self.rows.get(table.name, ()):
                    key = [column.name for column in table.primary_key if column.name in row]
                    same = (item for item in stored if all(item[name] == row[name] for name in key))
                    found = next(same, None)
                    assert found is not None, f"{table.name}: {row} is lost"
                    for name, value in row.items():
                        if name in found and (table.name, name) not in _CHANGED:
                            assert found[name] == value, f"{table.name}.{name} of {row}"


#: What migrations fill in or mend on purpose.
_CHANGED = {("job_instance", "completions")}


def test_no_row_of_any_release_is_lost(engine: sa.Engine, tmp_path: Path) -> None:
    """A row into every table at every revision, then the next migration: all are there, unchanged, at the end."""
    walk = Walk(engine)
    for number, revision in enumerate(REVISIONS, start=1):
        bring_to(engine, revision)
        walk.check()
        walk.add(number)
    migrate(engine, tmp_path / "lock")
    walk.check()
    assert set(walk.rows) >= set(tables.metadata.tables), "a table that no row came into"
    _read_all(engine, walk)


def _read_all(engine: sa.Engine, walk: Walk) -> None:
    """What the code of today makes of all these rows: it reads the oldest as it does the newest."""
    jobs = JobStore(engine, walk.box)
    for number in range(1, len(REVISIONS) + 1):
        id_ = 1000 + number
        job = jobs.get(id_)
        assert job is not None
        assert job.status is RunStatus.SUCCESS
        (step,) = job.steps
        assert step.script is not None
        assert step.script.content == "echo"
        assert jobs.hosts(id_, 0), f"the host of job {id_}"
        assert jobs.script_param(id_) == "hush"
        assert LogStore(engine).read(id_, 0, id_) == b"x"
        assert AccountStore(engine, walk.box).credential(id_).password == "hush"
    assert CallbackStore(engine).of_job(1000 + len(REVISIONS))
    assert CollectedRuns(engine).take(10_000_000, 10_000_001, 100)
    assert WorkerStore(engine).not_ended() == []


def _schema(engine: sa.Engine) -> dict[str, Any]:
    """Everything that a database knows of its tables, in words that can be compared."""
    found, schema = sa.inspect(engine), {}
    for table in sorted(set(found.get_table_names()) - {"alembic_version"}):
        columns = {
            column["name"]: (
                _type(engine, column["type"]), column["nullable"], str(column["default"]).strip("()'")
            )
            for column in found.get_columns(table)
        }  # fmt: skip
        uniques = {
            (item["name"], tuple(item["column_names"])) for item in found.get_unique_constraints(table)
        }
        keys = {
            (key["name"], *key["constrained_columns"], key["referred_table"], key["options"].get("ondelete"))
            for key in found.get_foreign_keys(table)
        }
        primary = tuple(found.get_pk_constraint(table)["constrained_columns"])
        schema[table] = (columns, uniques, keys, primary, _indexes(engine, table))
    return schema


def _type(engine: sa.Engine, kind: object) -> str:
    """To SQLite all whole numbers are the same, but for ids that it hands out itself: that is seen in use."""
    return str(kind).replace("BIGINT", "INTEGER") if engine.dialect.name == "sqlite" else str(kind)


def _indexes(engine: sa.Engine, table: str) -> set[str]:
    """Their definitions, as the database itself words them."""
    statement = (
        "SELECT sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL AND tbl_name = :table"
        if engine.dialect.name == "sqlite"
        else "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' AND tablename = :table"
    )
    with engine.connect() as connection:
        found = connection.scalars(sa.text(statement), {"table": table})
        return {" ".join(text.replace('"', "").split()) for text in found}


def test_it_ends_as_the_tables_say(engine: sa.Engine, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """Types, defaults, keys and indexes to the word: nothing that the code counts on is only in new databases."""
    migrate(engine, tmp_path / "lock")
    migrated = _schema(engine)
    with engine.begin() as connection:
        tables.metadata.drop_all(connection)
        tables.metadata.create_all(connection)
    made = _schema(engine)
    assert migrated.keys() == made.keys()
    for name in made:
        for mine, theirs in zip(migrated[name], made[name], strict=True):
            assert mine == theirs, name


# --- what goes wrong -------------------------------------------------------------------------------------


def test_a_newer_database_is_left_alone(engine: sa.Engine, tmp_path: Path) -> None:
    """Older code names both revisions and what to do, and changes nothing."""
    migrate(engine, tmp_path / "lock")
    with engine.begin() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    before = _schema(engine)
    with pytest.raises(ValueError, match=rf"revision 9999.*{REVISIONS[-1]}.*newer version.*backup"):
        migrate(engine, tmp_path / "lock")
    assert _schema(engine) == before


def test_a_migration_that_breaks_changes_nothing(
    engine: sa.Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However far it came: the database is what it was, and the next start brings it up with all its rows."""
    walk = Walk(engine)
    bring_to(engine, REVISIONS[0])
    walk.add(1)
    before = _schema(engine)
    with monkeypatch.context() as patched:
        real = op.create_table

        def breaks(name: str, *columns: Any, **options: Any) -> sa.Table:
            if name == "captured_value":
                raise OSError("killed")
            return real(name, *columns, **options)

        patched.setattr(op, "create_table", breaks)
        with pytest.raises(OSError, match="killed"):
            migrate(engine, tmp_path / "lock")
    assert _schema(engine) == before
    migrate(engine, tmp_path / "lock")
    walk.check()


def test_nodes_that_start_at_once_take_turns(each_database: str, tmp_path: Path) -> None:
    """One migrates, the others find it done; on PostgreSQL also with data directories of their own."""
    first = open_database(each_database)
    bring_to(first, REVISIONS[0])
    first.dispose()
    is_shared = database.is_shared(each_database)
    start, failures = threading.Barrier(4), list[BaseException]()

    def node(number: int) -> None:
        engine = open_database(each_database)
        try:
            start.wait(30)
            migrate(engine, tmp_path / (f"lock{number}" if is_shared else "lock"))
            with engine.connect() as connection:
                assert connection.scalar(sa.text("SELECT version_num FROM alembic_version")) == REVISIONS[-1]
        except BaseException as error:  # noqa: BLE001 to be told in the test's own thread
            failures.append(error)
        finally:
            engine.dispose()

    nodes = [threading.Thread(target=node, args=(number,)) for number in range(4)]
    for each in nodes:
        each.start()
    for each in nodes:
        each.join()
    assert failures == []
