"""A database of each kind, brought to its newest state, and the store of jobs in it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from cryptography.fernet import Fernet

from adapter.store.database import migrate, open_database
from adapter.store.jobs import JobStore
from adapter.store.secrets import SecretBox


@pytest.fixture
def engine(each_database: str, tmp_path: Path) -> Iterator[sa.Engine]:
    """Empty, with every table."""
    opened = open_database(each_database)
    migrate(opened, tmp_path / "lock")
    yield opened
    opened.dispose()


@pytest.fixture
def jobs(engine: sa.Engine) -> JobStore:
    """The jobs in it, with a key of their own."""
    return JobStore(engine, SecretBox(Fernet.generate_key()))
