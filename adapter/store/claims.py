"""Which worker has which job: taken in fair order, given back, and checked beside every write.

A claim has a number that grows with each owner the job ever had. Whoever writes what became of a job writes it in
a transaction that first makes sure of the number, so a worker that was thought dead and was not changes nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import sqlalchemy as sa

from adapter.job.fairness import fair_choice, share_of_one_scope
from adapter.job.model import Scope
from adapter.store import tables
from adapter.store.database import Turn, take_turns
from adapter.store.workers import WorkerState

_job = tables.job_instance
_worker = tables.worker

_SCOPE = (_job.c.scope_type, _job.c.scope_id)
_UNCLAIMED = sa.or_(tables.waits(_job), tables.is_left(_job))


class ClaimLost(BaseException):
    """The job is another worker's by now. Not an Exception: nobody may take it for the job's own failure."""


@dataclass(frozen=True)
class Claim:
    """One worker's right to a job."""

    job_instance_id: int
    number: int
    worker_id: str


@dataclass(frozen=True, kw_only=True)
class Limits:
    """How many jobs run at once: in each worker, over all workers, and of one scope over all workers."""

    per_worker: int
    total: int = 0  #: 0 is no limit
    per_scope: int = 0  #: 0 is three quarters of what the living workers may run

    @property
    def in_hand(self) -> int:
        """The most that a worker ever has: with what others began, and what is to be stopped."""
        return 2 * self.per_worker + 64


class ClaimStore:
    """The columns `worker_id` and `claim` of `job_instance`."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def is_any_left(self) -> bool:
        """True if some job waits for a worker, whether there is room for it or not. Cheap."""
        with self._engine.begin() as connection:
            return bool(connection.scalar(_IS_ANY_LEFT))

    def claim(self, worker_id: str, limits: Limits, has: int) -> list[Claim]:
        """Take the next jobs for a worker that has `has`. Workers take turns, so the limits are exact.

        Jobs that have begun (their worker is gone, or somebody wants them stopped) come first and are no
        question of limits, as far as a worker can have them. Then new ones, as fair_choice() says.
        """
        with self._engine.begin() as connection:
            take_turns(connection, Turn.CLAIM)
            if not _is_working(connection, worker_id):
                return []
            claims = _take(connection, worker_id, _begun(connection, limits.in_hand - has))
            room = limits.per_worker - has - len(claims)
            if room > 0:
                claims += _take(connection, worker_id, _waiting(connection, limits, room))
        return claims

    def of(self, worker_id: str) -> list[Claim]:
        """Every claim of a worker."""
        statement = sa.select(_job.c.id, _job.c.claim).where(_job.c.open, _job.c.worker_id == worker_id)
        with self._engine.begin() as connection:
            return [Claim(row.id, row.claim, worker_id) for row in connection.execute(statement)]

    def release(self, claim: Claim) -> bool:
        """Leave the job to any worker; False if it is not this claim's any more, or closed."""
        statement = (
            sa.update(_job).where(_held(claim), _job.c.open).values(worker_id=None, claim=_job.c.claim + 1)
        )
        with self._engine.begin() as connection:
            return connection.execute(statement).rowcount > 0


@contextmanager
def writing(engine: sa.Engine, claim: Claim | None) -> Iterator[sa.Connection]:
    """A transaction that writes; during it the claim, if there is one, stays its owner's. Raises ClaimLost."""
    with engine.begin() as connection:
        if claim is not None:
            held = sa.select(_job.c.id).where(_held(claim))
            if connection.dialect.name == "sqlite":
                connection.exec_driver_sql("BEGIN IMMEDIATE")
            else:
                held = held.with_for_update(key_share=True)
            if connection.scalar(held) is None:
                raise ClaimLost(f"job {claim.job_instance_id} is no longer claim {claim.number}'s")
        yield connection


def _held(claim: Claim) -> sa.ColumnElement[bool]:
    return sa.and_(
        _job.c.id == claim.job_instance_id,
        _job.c.claim == claim.number,
        _job.c.worker_id == claim.worker_id,
    )


def _is_working(connection: sa.Connection, worker_id: str) -> bool:
    """Also keeps the worker's row from being taken over until the transaction ends."""
    statement = sa.select(_worker.c.id).where(
        _worker.c.id == worker_id, _worker.c.state == WorkerState.WORKING
    )
    return connection.scalar(statement.with_for_update(read=True)) is not None


def _take(connection: sa.Connection, worker_id: str, job_ids: Sequence[int]) -> list[Claim]:
    if not job_ids:
        return []
    statement = (
        sa.update(_job)
        .where(_job.c.id.in_(job_ids), _UNCLAIMED)
        .values(worker_id=worker_id, claim=_job.c.claim + 1)
        .returning(_job.c.id, _job.c.claim)
    )
    taken = {row.id: Claim(row.id, row.claim, worker_id) for row in connection.execute(statement)}
    return [taken[job_id] for job_id in job_ids if job_id in taken]


def _begun(connection: sa.Connection, limit: int) -> list[int]:
    return list(connection.scalars(_LEFT.limit(max(0, limit))))


def _waiting(connection: sa.Connection, limits: Limits, room: int) -> list[int]:
    """The waiting jobs that may begin now."""
    running: Counter[Scope] = Counter()
    for kind, scope_id, number in connection.execute(_COUNTED):
        running[Scope(kind, scope_id)] += number
    if limits.total:
        room = min(room, limits.total - sum(running.values()))
    per_scope = limits.per_scope or share_of_one_scope(limits.per_worker, _workers(connection))
    if room <= 0:
        return []
    return fair_choice(_oldest(connection, running, room), running, room, per_scope)


def _workers(connection: sa.Connection) -> int:
    living = sa.select(sa.func.count()).where(_worker.c.state == WorkerState.WORKING)
    return connection.execute(living).scalar_one()


def _oldest(connection: sa.Connection, running: dict[Scope, int], room: int) -> dict[Scope, list[int]]:
    """The oldest waiting jobs of each scope that can have a turn: of `room` turns, the first `room` scopes."""
    scopes = sorted(
        (running.get(scope, 0), oldest, scope)
        for scope, oldest in (
            (Scope(row.scope_type, row.scope_id), row.id) for row in connection.execute(_HEADS)
        )
    )
    found: dict[Scope, list[int]] = {}
    for _, _, scope in scopes[:room]:
        wanted = {"scope_type": scope.type, "scope_id": scope.id, "room": room}
        rows = connection.execute(_FROM_SCOPE_ON, wanted)
        found[scope] = [row.id for row in rows if Scope(row.scope_type, row.scope_id) == scope]
    return found


def _heads() -> sa.Select[tuple[str, str, int]]:
    """Each scope's oldest waiting job. A look or two into the index for each scope, however many jobs wait in it.

    In pieces that both databases look up: SQLite would pass by a whole scope to get behind a pair of values.
    """
    first, later, other, head = (_job.alias(name) for name in ("first", "later", "other", "oldest"))
    columns = (head.c.scope_type, head.c.scope_id, head.c.id)
    found = sa.select(*columns).where(head.c.id == _next(first)).cte("head", recursive=True)
    in_type = (later.c.scope_type == found.c.scope_type, later.c.scope_id > found.c.scope_id)
    following = sa.func.coalesce(
        _next(later, *in_type, correlate=found),
        _next(other, other.c.scope_type > found.c.scope_type, correlate=found),
    )
    found = found.union_all(sa.select(*columns).select_from(found.join(head, head.c.id == following)))
    return sa.select(found)


def _next(
    job: sa.FromClause, *conditions: sa.ColumnElement[bool], correlate: sa.CTE | None = None
) -> sa.ScalarSelect[int]:
    """The id of the first waiting job in the order of scopes, of those that meet the conditions."""
    order = (job.c.scope_type, job.c.scope_id, job.c.id)
    statement = sa.select(job.c.id).where(tables.waits(job), *conditions).order_by(*order).limit(1)
    return (statement if correlate is None else statement.correlate(correlate)).scalar_subquery()


#: In the order of its index: PostgreSQL, which takes `open` for independent of `status`, would read the table else.
_LEFT = sa.select(_job.c.id).where(tables.is_left(_job)).order_by(_job.c.status, _job.c.id)
_IS_ANY_LEFT = sa.select(
    sa.or_(_LEFT.limit(1).scalar_subquery().is_not(None), _next(_job.alias("waiting")).is_not(None))
)
_HEADS = _heads()
#: In the order of the index, and so without a look at other jobs: a worker has few scopes.
_COUNTED = (
    sa.select(*_SCOPE, sa.func.count()).where(tables.is_claimed(_job)).group_by(_job.c.worker_id, *_SCOPE)
)
#: Also of the scopes after it. Asked for one alone PostgreSQL may take another index, and look at all its jobs.
_FROM_SCOPE_ON = (
    sa.select(*_SCOPE, _job.c.id)
    .where(
        tables.waits(_job),
        sa.tuple_(*_SCOPE) >= sa.tuple_(sa.bindparam("scope_type"), sa.bindparam("scope_id")),
    )
    .order_by(*_SCOPE, _job.c.id)
    .limit(sa.bindparam("room"))
)
