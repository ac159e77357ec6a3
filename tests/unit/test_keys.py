"""A database belongs to the key its secrets are encrypted with, on SQLite and on PostgreSQL."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from adapter.config import Settings
from adapter.store.opening import open_store


def test_every_node_needs_the_key_of_the_first(each_database: str, tmp_path: Path) -> None:
    """Another key, an old one or a new one, is refused with what to copy; the right one is taken."""
    first, second = (Settings(data_dir=tmp_path / name, database_url=each_database) for name in "ab")
    open_store(first).close()
    key, other = first.data_dir / "secret.key", second.data_dir / "secret.key"
    with pytest.raises(ValueError, match=f"copy secret.key from .* to {other}"):
        open_store(second)
    assert not other.exists(), "a key that was never used would be in the way"
    other.write_bytes(b"MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=")
    with pytest.raises(ValueError, match="another key"):
        open_store(second)
    assert other.exists(), "a person put it there"
    shutil.copy(key, other)
    open_store(second).close()
    open_store(first).close()
