"""Shells to run the programs of the collection with."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.collection.programs import SHELLS, NewRun, Run, path_with


@pytest.fixture(params=SHELLS)
def path(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A PATH for each shell, in which that one is `sh`."""
    return path_with(str(request.param), tmp_path / "bin")


@pytest.fixture
def run(path: str) -> Iterator[NewRun]:
    """Makes runs under each shell, and removes them afterwards."""
    made: list[Run] = []

    def new() -> Run:
        made.append(Run("supervisor.sh", path))
        return made[-1]

    yield new
    for each in made:
        each("stop")
        each("clean", each.key)
        assert not each.directory.is_dir()
        each.directory.unlink(missing_ok=True)
