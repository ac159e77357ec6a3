"""Runs that are to be removed from their hosts, on each database."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from adapter.store.collected import CollectedRun, CollectedRuns
from adapter.store.database import migrate, open_database


@pytest.fixture
def runs(each_database: str, tmp_path: Path) -> Iterator[CollectedRuns]:
    engine = open_database(each_database)
    migrate(engine, tmp_path / "lock")
    yield CollectedRuns(engine)
    engine.dispose()


def run(step: int, collected: int = 5) -> CollectedRun:
    return CollectedRun(step_instance_id=step, execute_count=0, account_id=7, collect_time=collected)


def test_what_is_due_is_taken_once_until_its_time_is_up(runs: CollectedRuns) -> None:
    """Whoever took it may have died: then another does it."""
    for step, due in ((1, 10), (2, 20), (3, 15)):
        runs.add(run(step), due)
    assert runs.take(9, 100, 10) == []
    assert runs.take(15, 100, 1) == [run(1)]
    assert runs.take(15, 100, 10) == [run(3)]
    assert runs.take(20, 100, 10) == [run(2)]
    assert runs.take(99, 100, 10) == []
    assert {each.step_instance_id for each in runs.take(100, 200, 10)} == {1, 2, 3}


def test_what_is_forgotten_never_comes_again(runs: CollectedRuns) -> None:
    """And a step that ends twice, because the service died in between, is there once."""
    runs.add(run(1), 10)
    runs.add(run(1, collected=6), 11)
    assert runs.take(20, 30, 10) == [run(1, collected=6)]
    runs.forget([run(1)])
    assert runs.take(1000, 2000, 10) == []


def test_hosts_that_are_left_are_remembered_until_their_time_comes(runs: CollectedRuns) -> None:
    """And no longer than the run itself: a step that is collected again begins with all its hosts."""
    runs.add(run(1), 10)
    (taken,) = runs.take(10, 100, 10)
    assert taken.hosts is None
    runs.postpone(taken, [3, 5], 50)
    assert runs.take(49, 100, 10) == []
    (taken,) = runs.take(50, 100, 10)
    assert taken == replace(run(1), hosts=(3, 5))
    runs.forget([taken])
    runs.postpone(taken, [3], 60)
    assert runs.take(1000, 2000, 10) == []


def test_two_workers_do_not_take_the_same(runs: CollectedRuns) -> None:
    """At the same moment."""
    for step in range(1, 41):
        runs.add(run(step), 10)
    with ThreadPoolExecutor(4) as pool:
        taken = [each for part in pool.map(lambda _: runs.take(10, 99, 10), range(8)) for each in part]
    assert len(taken) == len({each.step_instance_id for each in taken}) == 40
