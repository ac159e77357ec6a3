"""A real database with two applications."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from adapter.config import Settings
from adapter.job.commands import Caller
from adapter.job.model import Scope
from adapter.job.permissions import Limits, Permission
from adapter.service.applications import Applications
from adapter.service.authentication import Authentication
from adapter.store.opening import Stores, open_store

BIZ = Scope("biz", "2")
PLAIN_ANN = Caller(
    app_code="plain",
    user="ann",
    scopes=frozenset({BIZ}),
    limits=Limits(((Permission(scopes=frozenset({BIZ})),),)),
)


class FixedClock:
    """Always the same time."""

    def now_ms(self) -> int:
        """Some day in 2023."""
        return 1_700_000_000_000


@dataclass(frozen=True)
class World:
    """Who is registered: `trusted` may act as any user, `plain` may not and has one business."""

    stores: Stores
    authentication: Authentication
    applications: Applications
    trusted: str  #: its secret
    plain: str  #: its secret
    ann: str  #: ann's token of plain
    data_dir: Path


@pytest.fixture(scope="session")
def empty_data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory with an empty database: a copy of it is had sooner than a new one."""
    data_dir = tmp_path_factory.mktemp("empty") / "data"
    open_store(Settings(data_dir=data_dir)).close()
    return data_dir


@pytest.fixture
def world(tmp_path: Path, empty_data_dir: Path) -> Iterator[World]:
    """A new database with these."""
    data_dir = shutil.copytree(empty_data_dir, tmp_path / "data")
    stores = open_store(Settings(data_dir=data_dir))
    applications = Applications(stores.apps, FixedClock())
    yield World(
        stores=stores,
        authentication=Authentication(stores.apps, FixedClock()),
        applications=applications,
        trusted=applications.create("trusted", act_as_any_user=True),
        plain=applications.create("plain", scopes=frozenset({BIZ})),
        ann=applications.create_token("plain", "ann"),
        data_dir=data_dir,
    )
    stores.close()
