"""Runs beside those of steps leave nothing, whatever becomes of them."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from adapter.ansible.run_input import RunInput
from adapter.engine.errands import Errands

from .test_runner import INVENTORY, play, plays_on, say


@pytest.fixture
def errands(tmp_path: Path, runtime: Path) -> Errands:
    """With a directory that is not there yet."""
    return Errands(directory=tmp_path / "errands", collections=tmp_path / "collections", runtime=runtime)


def of(*tasks: dict[str, object]) -> RunInput:
    """A run of these tasks, with a secret."""
    return RunInput(
        inventory=INVENTORY,
        hosts=("one", "two"),
        playbooks={"look.yml": [play(*tasks)]},
        secrets={"name": "hush"},
    )


def test_a_run_is_answered_and_nothing_of_it_is_left(errands: Errands, runtime: Path) -> None:
    """Neither its directory nor the socket of its secrets."""
    with errands.run(of(say("$ADAPTER_SECRETS")), "look.yml") as run:
        events = [event for batch in run.events(0.2) for event in batch]
        assert next(errands.directory.glob("*/artifacts/look-1")).is_dir()
    answers = [event["event_data"]["res"]["stdout"] for event in events if event["event"] == "runner_on_ok"]
    assert [Path(answer.strip()).parent for answer in answers] == [runtime, runtime]
    assert run.outcome is not None
    assert run.outcome.rc == 0
    assert not errands.directory.exists()
    assert [path.name for path in runtime.iterdir()] == ["cp"]


def _started(errands: Errands) -> None:
    until = time.monotonic() + 20
    while not plays_on(errands.directory):
        assert time.monotonic() < until
        time.sleep(0.05)


def _broken(errands: Errands) -> None:
    with errands.run(of(say("x; exec sleep 21.5")), "look.yml"):
        _started(errands)
        raise RuntimeError("the database is away")


def test_a_run_that_nobody_waits_for_is_ended(errands: Errands) -> None:
    """An error ends it, with its workers, and nothing is left either."""
    began = time.monotonic()
    with pytest.raises(RuntimeError, match="the database is away"):
        _broken(errands)
    assert time.monotonic() - began < 20
    assert plays_on(errands.directory) == []
    assert not errands.directory.exists()


def test_what_a_crash_left_is_ended(errands: Errands) -> None:
    """By the next start."""
    with errands.run(of(say("x; exec sleep 21.5")), "look.yml") as run:
        _started(errands)
        errands.end_earlier()
        assert plays_on(errands.directory) == []
        assert not list(errands.directory.glob("*/project"))
        run.wait()
