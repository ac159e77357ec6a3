"""What unit tests share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from adapter.engine.warm import WarmAnsible
from tests.support.warm import PLAYBOOKS, environment, wait_ready


@pytest.fixture
def warm(tmp_path: Path) -> Iterator[WarmAnsible]:
    """A server that is ready for runs with the environment of run_environment()."""
    runtime = tmp_path / "r"
    runtime.mkdir()
    warm = WarmAnsible(PLAYBOOKS / "warm", runtime)
    try:
        wait_ready(warm, environment())
        yield warm
    finally:
        warm.stop()
