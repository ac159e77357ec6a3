"""Script runs that were collected: their results are stored, their directories are still on the hosts."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import sqlalchemy as sa

from adapter.store import tables

_run = tables.collected_run


@dataclass(frozen=True, kw_only=True)
class CollectedRun:
    """One execution of a script step. Times are milliseconds since the epoch."""

    step_instance_id: int
    execute_count: int
    account_id: int
    collect_time: int


class CollectedRuns:
    """The table `collected_run`."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def add(self, run: CollectedRun, clean_time: int) -> None:
        """Remember that the run's hosts are to be cleaned at `clean_time`; again after a crash: no matter."""
        values = {**vars(run), "clean_time": clean_time}
        with self._engine.begin() as connection:
            connection.execute(sa.delete(_run).where(_is(run)))
            connection.execute(sa.insert(_run).values(values))

    def take(self, now: int, until: int, limit: int) -> list[CollectedRun]:
        """Runs that are due, oldest first; who is told of them has until `until` to clean and forget them."""
        due = sa.select(_run).where(_run.c.clean_time <= now).order_by(_run.c.clean_time).limit(limit)
        with self._engine.begin() as connection:
            found = [
                CollectedRun(
                    step_instance_id=row.step_instance_id,
                    execute_count=row.execute_count,
                    account_id=row.account_id,
                    collect_time=row.collect_time,
                )
                for row in connection.execute(due.with_for_update(skip_locked=True))
            ]
            for run in found:
                connection.execute(sa.update(_run).where(_is(run)).values(clean_time=until))
        return found

    def forget(self, runs: Iterable[CollectedRun]) -> None:
        """They are cleaned, or nobody can clean them any more."""
        with self._engine.begin() as connection:
            for run in runs:
                connection.execute(sa.delete(_run).where(_is(run)))


def _is(run: CollectedRun) -> sa.ColumnElement[bool]:
    return sa.and_(_run.c.step_instance_id == run.step_instance_id, _run.c.execute_count == run.execute_count)
