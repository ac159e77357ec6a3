"""The world as a fixture."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from adapter.store.accounts import AccountStore
from adapter.store.database import migrate, open_database
from adapter.store.jobs import JobStore
from adapter.store.logs import LogStore
from adapter.store.plans import PlanStore
from adapter.store.scripts import ScriptStore
from adapter.store.secrets import SecretBox
from adapter.testing.hosts import MemoryHosts

from .world import BOTH, DST1, DST2, GROUPS, SOURCE, SRC1, SRC2, World


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of this is had sooner than a new one."""
    path = tmp_path_factory.mktemp("empty") / "test.db"
    engine = open_database(f"sqlite:///{path}")
    migrate(engine, path.with_name("lock"))
    engine.dispose()
    return path


@pytest.fixture
def world(tmp_path: Path, empty_database: Path) -> Iterator[World]:
    shutil.copy(empty_database, tmp_path / "test.db")
    engine = open_database(f"sqlite:///{tmp_path / 'test.db'}")
    box = SecretBox(Fernet.generate_key())
    world = World(
        jobs=JobStore(engine, box),
        logs=LogStore(engine),
        accounts=AccountStore(engine, box),
        scripts=ScriptStore(engine),
        plans=PlanStore(engine, box),
        hosts=MemoryHosts([SRC1, SRC2, DST1, DST2, BOTH], GROUPS),
    )
    world.account(SOURCE, "root")
    yield world
    engine.dispose()
