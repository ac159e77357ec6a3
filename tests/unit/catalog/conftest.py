"""A real database file for every test."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from adapter.config import Settings
from adapter.job.model import Scope
from adapter.service.apply import Apply, Change
from adapter.service.catalog import Catalog
from adapter.store.opening import Stores, open_store
from adapter.store.password_key import PasswordKey

BIZ = Scope("biz", "2")
OTHER = Scope("biz", "3")


class Ticking:
    """A clock that is one millisecond later each time."""

    def __init__(self) -> None:
        self.now = 1_700_000_000_000

    def now_ms(self) -> int:
        """The next millisecond."""
        self.now += 1
        return self.now


@pytest.fixture(scope="session")
def empty_data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory with an empty database: a copy of it is had sooner than a new one."""
    data_dir = tmp_path_factory.mktemp("empty") / "data"
    open_store(Settings(data_dir=data_dir)).close()
    return data_dir


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    """Where the database is."""
    return tmp_path / "data"


@pytest.fixture
def stores(data_dir: Path, empty_data_dir: Path) -> Iterator[Stores]:
    """A new database."""
    shutil.copytree(empty_data_dir, data_dir)
    opened = open_store(Settings(data_dir=data_dir))
    yield opened
    opened.close()


@pytest.fixture
def catalog(stores: Stores) -> Catalog:
    """The use cases on it."""
    return Catalog(
        accounts=stores.accounts,
        scripts=stores.scripts,
        plans=stores.plans,
        clock=Ticking(),
        passwords=PasswordKey(stores.engine, stores.box),
    )


@pytest.fixture
def environ() -> dict[str, str]:
    """The environment that files are applied in."""
    return {}


@pytest.fixture
def apply(stores: Stores, tmp_path: Path, environ: dict[str, str]) -> Callable[[str], list[str]]:
    """Applies a file's text, with paths from tmp_path; answers what changed, without ids."""
    use_case = Apply(
        engine=stores.engine, box=stores.box, clock=Ticking(), environ=environ, operator="tester"
    )

    def run(text: str) -> list[str]:
        return [_line(change) for change in use_case.apply(text, tmp_path)]

    return run


def _line(change: Change) -> str:
    return f"{change.action} {change.kind} {change.name}"
