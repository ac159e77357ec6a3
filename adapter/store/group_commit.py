"""Many small transactions in one: whoever waits for the disk takes along all who came meanwhile."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from typing import Any, TypeVar

import sqlalchemy as sa

T = TypeVar("T")


class GroupCommit:
    """Runs works of many threads; each returns when what it wrote is committed, or raises what it raised.

    Works that come while a transaction is being committed share the next one: on SQLite, which has one writer
    at a time, they would only wait for each other's disk writes, asking again and again whether it is their turn.
    """

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        self._turn = threading.Lock()
        self._waiting: deque[_Work] = deque()

    def run(self, do: Callable[[sa.Connection], T]) -> T:
        """What `do` returns. It may be called twice, the first time in a transaction that leaves nothing."""
        if self._engine.dialect.name != "sqlite":  # has many writers, and groups their commits by itself
            with self._engine.begin() as connection:
                return do(connection)
        work = _Work(do)
        self._waiting.append(work)
        with self._turn:
            if not work.is_done:
                self._carry_out([self._waiting.popleft() for _ in range(len(self._waiting))])
        if work.error is not None:
            raise work.error
        result: T = work.result
        return result

    def _carry_out(self, works: list[_Work]) -> None:
        try:
            if len(works) == 1 or not self._together(works):
                for work in works:
                    self._alone(work)
        except BaseException as error:
            for work in works:  # nobody who waits may take silence for success
                if not work.is_done:
                    work.error = error
            raise
        finally:
            for work in works:
                work.is_done = True

    def _together(self, works: list[_Work]) -> bool:
        """False, and nothing is written, if one of them fails: then each is on its own."""
        with self._engine.connect() as connection, connection.begin() as transaction:
            for work in works:
                try:
                    work.result = work.do(connection)
                except Exception:  # noqa: BLE001 it is run again alone, and raises there
                    transaction.rollback()
                    return False
        return True

    def _alone(self, work: _Work) -> None:
        try:
            with self._engine.begin() as connection:
                work.result = work.do(connection)
        except Exception as error:  # noqa: BLE001 raised in the thread whose work it is
            work.error = error
        work.is_done = True


class _Work:
    """One caller's part of a transaction; only who has the turn writes to it."""

    def __init__(self, do: Callable[[sa.Connection], Any]) -> None:
        self.do = do
        self.result: Any = None
        self.error: BaseException | None = None
        self.is_done = False
