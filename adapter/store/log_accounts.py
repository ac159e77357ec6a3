"""How much hosts printed and how much of it is kept: of all hosts of a step, and host by host."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from adapter.job.model import HostResult
from adapter.job.status import HostStatus
from adapter.store import job_rows, tables

_host = tables.host_result
_UNFINISHED = [status for status in HostStatus if not status.is_finished]
_OF_STEP = (
    _host.c.step_instance_id == sa.bindparam("step"),
    _host.c.execute_count == sa.bindparam("count"),
)
_TOTALS = sa.select(
    sa.func.count(),
    sa.func.coalesce(sa.func.sum(sa.case((_host.c.status.in_(_UNFINISHED), 0), else_=1)), 0),
    sa.func.coalesce(sa.func.sum(_host.c.log_bytes), 0),
    sa.func.coalesce(sa.func.sum(_host.c.log_kept), 0),
).where(*_OF_STEP)
_PAGE = (
    sa.select(*job_rows.HOST_COLUMNS)
    .where(*_OF_STEP)
    .order_by(_host.c.order, _host.c.bk_host_id)
    .offset(sa.bindparam("start"))
    .limit(sa.bindparam("length"))
)


@dataclass(frozen=True, kw_only=True)
class LogTotals:
    """Over all hosts of one execution of a step. Bytes are those of hosts that have ended."""

    hosts: int
    hosts_finished: int
    log_bytes: int
    log_kept: int


class LogAccounts:
    """Reads the table `host_result`; a host's bytes are counted when it ends."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def totals(self, step_instance_id: int, execute_count: int) -> LogTotals:
        """The sums."""
        with self._engine.begin() as connection:
            wanted = {"step": step_instance_id, "count": execute_count}
            hosts, finished, printed, kept = connection.execute(_TOTALS, wanted).one()
        return LogTotals(hosts=hosts, hosts_finished=finished, log_bytes=int(printed), log_kept=int(kept))

    def page(
        self, step_instance_id: int, execute_count: int, start: int, length: int
    ) -> tuple[HostResult, ...]:
        """Some of the hosts, in the order of the step's targets."""
        wanted = {"step": step_instance_id, "count": execute_count, "start": start, "length": length}
        with self._engine.begin() as connection:
            return tuple(job_rows.to_host_result(row) for row in connection.execute(_PAGE, wanted))
