"""How many unfinished jobs there may be: counted in the transaction that stores the next one."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from adapter import errors
from adapter.job.model import JobInstance
from adapter.store import tables
from adapter.store.database import Turn, take_turns

_job = tables.job_instance

#: More transactions than ever store jobs at once, and so more ids than one of them may not see yet.
_IN_FLIGHT = 1_000


@dataclass(frozen=True, kw_only=True)
class JobQuota:
    """Unfinished jobs that may be there at once; 0 is no limit. Jobs that nobody has started do not count."""

    total: int = 0
    per_scope: int = 0
    per_app: int = 0

    @property
    def smallest(self) -> int:
        """Fewer jobs than this are within every limit; 0 if there is none."""
        return min((limit for limit in (self.total, self.per_scope, self.per_app) if limit), default=0)


class Crowded(Exception):
    """So many jobs have come in the meantime that they must be counted: store this one anew."""


class Room:
    """What is left of a quota, as one process knows it.

    While the last look has shown room for any job, the next one is a look too; else jobs are counted.
    """

    def __init__(self, quota: JobQuota) -> None:
        self._quota = quota
        self._is_crowded = True  # nobody has looked yet

    @property
    def must_count(self) -> bool:
        """True if require() does anything."""
        return self._quota.smallest > 0 and self._is_crowded

    def require(self, connection: sa.Connection, job: JobInstance) -> None:
        """Make sure that a job like `job`, which is not stored, would be within the quota now.

        Raises SystemQuotaExceeded, ScopeQuotaExceeded, AppQuotaExceeded, in JOB's order.
        """
        if self.must_count:
            self._count(connection, job)

    def keep(self, connection: sa.Connection, job: JobInstance) -> None:
        """Make sure that `job`, which was stored here, is within the quota, whoever else stores jobs at once.

        On PostgreSQL the transaction then has a lock to its end: this should be the last thing it does.
        Raises what require() raises, and Crowded.
        """
        if not self._quota.smallest:
            return
        is_alone = connection.dialect.name == "sqlite"  # its one writer is this transaction
        if not self._is_crowded:
            span = connection.scalar(_SPAN if is_alone else _SPAN_TOGETHER)
            self._is_crowded = self._is_over(span)
            if self._is_crowded and not is_alone:
                raise Crowded  # two that have the turn together would wait for each other to have it alone
        elif not is_alone:
            take_turns(connection, Turn.QUOTA)
        if self._is_crowded:
            self._count(connection, job)

    def _is_over(self, span: int | None) -> bool:
        """False if no count can be: so few ids are there from the oldest unfinished job to the newest of all."""
        return (span or 0) + _IN_FLIGHT > self._quota.smallest

    def _count(self, connection: sa.Connection, job: JobInstance) -> None:
        scope, quota = job.scope, self._quota
        values = {"id": job.id, "scope_type": scope.type, "scope_id": scope.id, "app_code": job.app_code}
        counted = connection.execute(_COUNT, values).one()
        self._is_crowded = self._is_over(counted.span)
        if 0 < quota.total <= counted.total:
            raise errors.SystemQuotaExceeded(quota.total)
        if 0 < quota.per_scope <= (counted.of_scope or 0):
            raise errors.ScopeQuotaExceeded(str(scope), quota.per_scope)
        if 0 < quota.per_app <= (counted.of_app or 0):
            raise errors.AppQuotaExceeded(job.app_code, quota.per_app)


_OLDEST = (
    sa.select(_job.c.id).where(tables.is_unfinished(_job)).order_by(_job.c.id).limit(1).scalar_subquery()
)
_NEWEST = sa.select(sa.func.max(_job.c.id)).scalar_subquery()
_DISTANCE = (_NEWEST - _OLDEST + 1).label("span")
_SPAN = sa.select(_DISTANCE)
#: The transaction then has the turn, together with others like it. What it saw may be older than that by as many
#: jobs as other transactions stored that had the turn alone: no more than there are at once.
_SPAN_TOGETHER = sa.select(_DISTANCE, sa.func.pg_advisory_xact_lock_shared(int(Turn.QUOTA)))


def _ones(condition: sa.ColumnElement[bool]) -> sa.ColumnElement[int]:
    return sa.func.sum(sa.case((condition, 1), else_=0))


_IN_SCOPE = sa.and_(
    _job.c.scope_type == sa.bindparam("scope_type"), _job.c.scope_id == sa.bindparam("scope_id")
)
_COUNT = sa.select(
    _DISTANCE,
    sa.func.count().label("total"),
    _ones(_IN_SCOPE).label("of_scope"),
    _ones(_job.c.app_code == sa.bindparam("app_code")).label("of_app"),
).where(tables.is_unfinished(_job), _job.c.id != sa.bindparam("id"))
