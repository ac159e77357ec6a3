"""Works of many threads in one transaction: each is told what became of its own, and only once that is certain."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy import event

from adapter.store.database import open_database
from adapter.store.group_commit import GroupCommit

_TABLE = sa.Table("note", sa.MetaData(), sa.Column("id", sa.Integer, primary_key=True))
_LONG = 20  # seconds


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[sa.Engine]:
    """SQLite as the service opens it, with an empty table."""
    made = open_database(f"sqlite:///{tmp_path / 'x.db'}")
    _TABLE.create(made)
    yield made
    made.dispose()


class Commits:
    """Counts an engine's commits that wrote; holds the first back until told."""

    def __init__(self, engine: sa.Engine) -> None:
        self.number = 0
        self.first_began = threading.Event()
        self.go_on = threading.Event()
        event.listen(engine, "commit", self._commit)

    def _commit(self, _connection: sa.Connection) -> None:
        self.number += 1
        if self.number == 1:
            self.first_began.set()
            assert self.go_on.wait(_LONG)


def add(connection: sa.Connection, number: int) -> int:
    """Writes a row, answers its number; ValueError after the write if that is negative."""
    connection.execute(sa.insert(_TABLE), {"id": number})
    if number < 0:
        raise ValueError(number)
    return number


def stored(engine: sa.Engine) -> set[int]:
    """The rows as another connection sees them."""
    with engine.connect() as connection:
        return set(connection.scalars(sa.select(_TABLE.c.id)))


def run_behind_one(engine: sa.Engine, numbers: list[int]) -> tuple[Commits, list[object]]:
    """Works that all come while the commit of row 1000 is under way; what each returned or raised."""
    group, commits = GroupCommit(engine), Commits(engine)

    def one(number: int) -> object:
        try:
            return group.run(lambda connection: add(connection, number))
        except ValueError as error:
            return error

    with ThreadPoolExecutor(len(numbers) + 1) as pool:
        first = pool.submit(one, 1000)
        assert commits.first_began.wait(_LONG)
        others = [pool.submit(one, number) for number in numbers]
        until = threading.Event()
        while len(group._waiting) < len(numbers):
            until.wait(0.01)
        assert stored(engine) == set()  # nobody was told anything yet, and nothing is there
        commits.go_on.set()
        assert first.result(_LONG) == 1000
        return commits, [other.result(_LONG) for other in others]


def test_works_that_wait_share_a_commit(engine: sa.Engine) -> None:
    """Ten that come during a commit need one more, and each gets its own answer."""
    commits, answers = run_behind_one(engine, list(range(10)))
    assert answers == list(range(10))
    assert commits.number == 2
    assert stored(engine) == {1000, *range(10)}


def test_one_that_fails_takes_nobody_along(engine: sa.Engine) -> None:
    """It raises where it was asked for, leaves no row, and the others are stored."""
    _, answers = run_behind_one(engine, [1, -2, 3])
    assert answers[::2] == [1, 3]
    assert isinstance(answers[1], ValueError)
    assert stored(engine) == {1000, 1, 3}


def test_a_commit_that_fails_is_told_to_everyone(engine: sa.Engine) -> None:
    """Nobody takes silence for success; the next one goes on."""
    group = GroupCommit(engine)

    def fail(_connection: sa.Connection) -> None:
        raise OSError("the disk is full")

    barrier = threading.Barrier(4)

    def one(number: int) -> object:
        barrier.wait(_LONG)
        try:
            return group.run(lambda connection: add(connection, number))
        except OSError as error:
            return str(error)

    event.listen(engine, "commit", fail)
    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(one, range(4))) == {"the disk is full"}
    event.remove(engine, "commit", fail)
    assert stored(engine) == set()
    assert group.run(lambda connection: add(connection, 7)) == 7
    assert stored(engine) == {7}
