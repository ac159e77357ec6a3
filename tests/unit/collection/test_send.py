"""What the plugin that sends files makes of a target's answers."""

from __future__ import annotations

import importlib
from types import SimpleNamespace
from typing import Any

import pytest

from tests.unit.collection.programs import PROGRAMS


@pytest.fixture
def send(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The module."""
    monkeypatch.syspath_prepend(str(PROGRAMS.parents[4]))
    return importlib.import_module("ansible_collections.adapter.job.plugins.action.send")


def test_a_target_that_has_no_more_than_before_is_asked_once(send: Any) -> None:
    """An attempt that was taken for lost may have placed the file; a disk that is full says the same again."""
    action = send.ActionModule.__new__(send.ActionModule)
    action._was_stuck = False

    def at(size: int) -> Any:
        return SimpleNamespace(state="at", words=(str(size),), detail=str(size))

    assert [action._arrived(at(size), 100) for size in (0, 200, 100)] == [False, False, False]
    with pytest.raises(send.Refused, match="only 100 bytes arrived"):
        action._arrived(at(100), 100)
    assert action._arrived(SimpleNamespace(state="ok", words=(), detail=""), 100)
