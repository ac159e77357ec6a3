"""Script runs that were collected: their results are stored, their directories are still on the hosts."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
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
    hosts: tuple[int, ...] | None = (
        None  #: bk_host_ids that are still to be cleaned; None: nobody has tried yet
    )


class CollectedRuns:
    """The table `collected_run`."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def add(self, run: CollectedRun, clean_time: int) -> None:
        """Remember that the run's hosts are to be cleaned at `clean_time`; again after a crash: no matter."""
        values = {**vars(run), "hosts": _text(run.hosts), "clean_time": clean_time}
        with self._engine.begin() as connection:
            connection.execute(sa.delete(_run).where(_is(run)))
            connection.execute(sa.insert(_run).values(values))

    def take(self, now: int, until: int, limit: int) -> list[CollectedRun]:
        """Runs that are due, the oldest; who is told of them has until `until` to clean and forget them."""
        is_due = _run.c.clean_time <= now
        key = sa.tuple_(_run.c.step_instance_id, _run.c.execute_count)
        first = sa.select(_run.c.step_instance_id, _run.c.execute_count).where(is_due)
        statement = (
            sa.update(_run)
            # Looked at again in each row: somebody else may have taken it meanwhile.
            .where(key.in_(first.order_by(_run.c.clean_time).limit(limit)), is_due)
            .values(clean_time=until)
            .returning(_run)
        )
        with self._engine.begin() as connection:
            return [
                CollectedRun(
                    step_instance_id=row.step_instance_id,
                    execute_count=row.execute_count,
                    account_id=row.account_id,
                    collect_time=row.collect_time,
                    hosts=None if row.hosts is None else tuple(json.loads(row.hosts)),
                )
                for row in connection.execute(statement)
            ]

    def postpone(self, run: CollectedRun, hosts: Sequence[int], until: int) -> None:
        """These hosts were not cleaned: they are to be tried again at `until`."""
        with self._engine.begin() as connection:
            values = {"hosts": _text(hosts), "clean_time": until}
            connection.execute(sa.update(_run).where(_is(run)).values(values))

    def forget(self, runs: Iterable[CollectedRun]) -> None:
        """They are cleaned, or nobody can clean them any more."""
        with self._engine.begin() as connection:
            for run in runs:
                connection.execute(sa.delete(_run).where(_is(run)))


def _text(hosts: Sequence[int] | None) -> str | None:
    return None if hosts is None else json.dumps(list(hosts), separators=(",", ":"))


def _is(run: CollectedRun) -> sa.ColumnElement[bool]:
    return sa.and_(_run.c.step_instance_id == run.step_instance_id, _run.c.execute_count == run.execute_count)
