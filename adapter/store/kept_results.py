"""Results of steps with very many hosts, kept as they were last read: only what has changed since is read again.

Whoever polls such a step, and the engine that runs it, would otherwise read tens of thousands of rows each time of
which a few are other than before. Changes are numbered in the order of their commits (store.changes), so what was
read up to a number, and the rows above it, are what the database has: also what other processes have written.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from adapter.job.model import Host, HostResult, StepInstance
from adapter.recent import Recent
from adapter.store import job_rows, tables

_host = tables.host_result

#: Hosts from which on a step is kept: fewer are read as fast as changes are looked for.
LARGE = 2000
#: Hosts of all steps that are kept, of about 450 bytes each.
MOST = 150_000

_COLUMNS = (*job_rows.HOST_COLUMNS, _host.c.order, _host.c.change)
_ALL = (
    sa.select(*_COLUMNS)
    .where(_host.c.step_instance_id == sa.bindparam("step"), _host.c.execute_count == sa.bindparam("count"))
    .order_by(_host.c.order, _host.c.bk_host_id)
)
_SINCE = sa.select(*_COLUMNS).where(
    sa.text(f"{tables.OF_STEP} = :step"),
    _host.c.execute_count == sa.bindparam("count"),
    _host.c.change > sa.bindparam("known"),
)


@dataclass
class _Kept:
    """An execution's results by their order in it, as of a change's number."""

    results: dict[int, HostResult] = field(default_factory=dict)
    number: int = -1
    lock: threading.Lock = field(default_factory=threading.Lock)

    def __len__(self) -> int:
        """How many results."""
        return len(self.results)

    def take(self, rows: Iterable[sa.Row[Any]]) -> tuple[HostResult, ...]:
        """All results, once these are in. If that breaks off, the same rows and more are read next time."""
        number = self.number
        for row in rows:
            order, change = row[len(job_rows.HOST_COLUMNS) :]
            self.results[order] = job_rows.to_host_result(row)
            number = max(number, change)
        self.number = number
        return tuple(self.results.values())


class KeptResults:
    """Reads the hosts of executions of steps. Of a large one, a result that is as it was is the same object."""

    def __init__(self, engine: sa.Engine, large: int = LARGE, most: int = MOST) -> None:
        self._engine = engine
        self._large = large
        self._kept = Recent[tuple[int, int], _Kept](most)

    def of(self, step_instance_id: int, execute_count: int) -> tuple[HostResult, ...]:
        """The hosts of one execution of a step, in the order of its targets."""
        wanted = {"step": step_instance_id, "count": execute_count}
        kept = self._kept.get((step_instance_id, execute_count))
        if kept is not None:
            # A statement sees all of a change or nothing of it, and all before it: no number is passed over.
            with kept.lock, self._engine.begin() as connection:
                return kept.take(connection.execute(_SINCE, wanted | {"known": kept.number}))
        read = _Kept()
        with self._engine.begin() as connection:
            results = read.take(connection.execute(_ALL, wanted))
        self._keep(step_instance_id, execute_count, read)
        return results

    def has_begun(self, step: StepInstance, turns: Sequence[tuple[Host, int]]) -> None:
        """These hosts of a step, each with its batch, have just been stored: nobody need read them."""
        if len(turns) < self._large:
            return
        count = step.execute_count
        results = (HostResult(host=host, batch=batch, executed_in=count) for host, batch in turns)
        self._keep(step.id, count, _Kept(dict(enumerate(results)), number=0))

    def _keep(self, step_instance_id: int, execute_count: int, read: _Kept) -> None:
        if len(read) >= self._large:
            self._kept.put((step_instance_id, execute_count), read)
