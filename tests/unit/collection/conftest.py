"""Shells to run the programs of the collection with."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.collection.programs import SHELLS, path_with


@pytest.fixture(params=SHELLS)
def path(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A PATH for each shell, in which that one is `sh`."""
    return path_with(str(request.param), tmp_path / "bin")
