"""Crons, the times they are launched at, and what became of these: a time is settled once, whoever tries."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable

import sqlalchemy as sa

from adapter import errors
from adapter.job.audit_log import AuditEntry
from adapter.job.cron import Cron, CronFilter, CronRun, CronRunState, Firing
from adapter.job.model import Scope
from adapter.store import tables
from adapter.store.audit_log import add_entry
from adapter.store.cron_rows import cron_values, run_values, to_cron, to_run
from adapter.store.secrets import SecretBox
from adapter.store.tables_cron import cron as _cron
from adapter.store.tables_cron import cron_run as _run
from adapter.store.transactions import (
    Bind,
    database_now,
    insert_row,
    is_id,
    is_storable,
    transaction,
)

_plan, _template = tables.job_plan, tables.job_template

#: Runs of a cron that are kept, the newest.
KEPT_RUNS = 100
#: That a launch waits for another node's launch of the same cron.
LOCK_SECONDS = 5

_CRONS = sa.select(_cron, _plan.c.name.label("plan_name")).join(_plan, _plan.c.id == _cron.c.plan_id)
_OF_ID = _CRONS.where(_cron.c.id == sa.bindparam("cron"))
_NEXT = sa.select(sa.func.min(_cron.c.next_fire_time)).scalar_subquery()


class AlreadySettled(Exception):
    """Another node has said what became of the cron's time, or the cron was changed: nothing is stored."""


class CronStore:
    """The tables `cron` and `cron_run`. `clock` is the database's, but in tests."""

    def __init__(
        self,
        bind: Bind,
        box: SecretBox,
        clock: Callable[[sa.Connection], sa.ColumnElement[int]] = database_now,
    ) -> None:
        self._bind = bind
        self._box = box
        self._clock = clock

    # --- what people manage ------------------------------------------------------------------------------

    def now_ms(self) -> int:
        """The time by which crons are launched, in milliseconds."""
        with transaction(self._bind) as connection:
            return connection.execute(sa.select(self._clock(connection))).scalar_one()

    def get(self, cron_id: int) -> Cron | None:
        """The cron of any scope, its ciphers in clear; None if there is none of that id."""
        if not is_id(cron_id):
            return None
        with transaction(self._bind) as connection:
            row = connection.execute(_OF_ID, {"cron": cron_id}).one_or_none()
        return None if row is None else to_cron(row, self._box)

    def list(self, scope: Scope, wanted: CronFilter, start: int, length: int) -> tuple[int, tuple[Cron, ...]]:
        """How many there are, and a page of them, last changed first."""
        conditions = [_in(scope), *_conditions(wanted)]
        count = sa.select(sa.func.count()).select_from(_cron).where(*conditions)
        page = (
            _CRONS.where(*conditions)
            .order_by(_cron.c.last_modify_time.desc(), _cron.c.id.desc())
            .offset(start)
            .limit(length)
        )
        with transaction(self._bind) as connection:
            total = connection.execute(count).scalar_one()
            return total, tuple(to_cron(row, self._box) for row in connection.execute(page))

    def all(self, most: int) -> tuple[Cron, ...]:
        """Those of every scope, the ones that are launched next first."""
        order = (_cron.c.next_fire_time.is_(None), _cron.c.next_fire_time, _cron.c.id)
        with transaction(self._bind) as connection:
            rows = connection.execute(_CRONS.order_by(*order).limit(most))
            return tuple(to_cron(row, self._box) for row in rows)

    def of_plans(self, plan_ids: Collection[int]) -> tuple[Cron, ...]:
        """The crons, of any scope, that launch one of these plans: while there are any the plans must stay."""
        wanted = _CRONS.where(_cron.c.plan_id.in_(list(plan_ids))).order_by(_cron.c.id)
        with transaction(self._bind) as connection:
            return tuple(to_cron(row, self._box) for row in connection.execute(wanted))

    def create(self, cron: Cron) -> Cron:
        """Store a cron; its id, revision and plan's name are not looked at. Raises CronExists, PlanUnknown."""
        try:
            with transaction(self._bind) as connection:
                cron_id = insert_row(connection, _cron, {**cron_values(cron, self._box), "revision": 1})
        except sa.exc.IntegrityError as error:
            raise self._why_refused(cron, None) from error
        return self._stored(cron_id)

    def update(self, cron: Cron) -> Cron:
        """Replace what is stored of it, if it is still of that revision; it gets the next one.

        Raises CronExists, PlanUnknown, CronChanged, and CronUnknown if it was deleted meanwhile.
        """
        statement = (
            sa.update(_cron)
            .where(_cron.c.id == cron.id, _cron.c.revision == cron.revision)
            .values({**cron_values(cron, self._box), "revision": cron.revision + 1})
        )
        try:
            with transaction(self._bind) as connection:
                changed = connection.execute(statement).rowcount
        except sa.exc.IntegrityError as error:
            raise self._why_refused(cron, cron.id) from error
        stored = self._stored(cron.id)
        if not changed:
            raise errors.CronChanged(cron.id)
        return stored

    def delete(self, cron_id: int) -> bool:
        """Remove a cron and what is told of its times; False if there is none."""
        if not is_id(cron_id):
            return False
        with transaction(self._bind) as connection:
            return connection.execute(sa.delete(_cron).where(_cron.c.id == cron_id)).rowcount > 0

    def runs(self, cron_id: int, start: int, length: int) -> tuple[int, tuple[CronRun, ...]]:
        """What became of a cron's times, the newest first, as far as it is kept."""
        of_cron = _run.c.cron_id == cron_id
        page = sa.select(_run).where(of_cron).order_by(_run.c.id.desc()).offset(start).limit(length)
        with transaction(self._bind) as connection:
            total = connection.execute(
                sa.select(sa.func.count()).select_from(_run).where(of_cron)
            ).scalar_one()
            return total, tuple(map(to_run, connection.execute(page)))

    # --- what launches them ------------------------------------------------------------------------------

    def moment(self) -> tuple[int, int | None]:
        """The time now, and the earliest time that a started cron has. Costs the same however many there are."""
        with transaction(self._bind) as connection:
            row = connection.execute(sa.select(self._clock(connection).label("now"), _NEXT)).one()
        return row[0], row[1]

    def due(self, now_ms: int, most: int, besides: Collection[int] = ()) -> tuple[Cron, ...]:
        """Crons whose time has come, the earliest first, but for those `besides`."""
        wanted = (
            _CRONS.where(_cron.c.next_fire_time <= now_ms, _cron.c.id.not_in(list(besides)))
            .order_by(_cron.c.next_fire_time, _cron.c.id)
            .limit(most)
        )
        with transaction(self._bind) as connection:
            return tuple(to_cron(row, self._box) for row in connection.execute(wanted))

    def is_due(self, cron: Cron) -> bool:
        """True if the cron's time has not been settled since it was read."""
        wanted = sa.select(_cron.c.id).where(_unsettled(cron.id, cron.revision, cron.next_fire_time))
        with transaction(self._bind) as connection:
            return connection.scalar(wanted) is not None

    def settle(
        self,
        firing: Firing,
        refusal: errors.JobError | None = None,
        why: str = "",
        entry: AuditEntry | None = None,
    ) -> None:
        """Say that nothing is launched at a cron's time: it was refused, or missed. Raises AlreadySettled.

        `why` is told of times that were missed, if there is anything to tell. `entry` goes into the audit log.
        """
        with transaction(self._bind) as connection:
            self._settle(connection, firing, refusal=refusal, why=why)
            if entry is not None:
                add_entry(connection, entry)

    def launching(self, firing: Firing, why: str = "") -> Callable[[sa.Connection, int], None]:
        """The same for a time that is launched: to be done in the transaction that stores the job of this id.

        It raises AlreadySettled, and then nothing of that transaction may be kept.
        """

        def beside(connection: sa.Connection, job_instance_id: int) -> None:
            self._settle(connection, firing, job_instance_id=job_instance_id, why=why)

        return beside

    def _settle(
        self,
        connection: sa.Connection,
        firing: Firing,
        *,
        job_instance_id: int | None = None,
        refusal: errors.JobError | None = None,
        why: str = "",
    ) -> None:
        _claim_time(connection, firing)
        now = connection.execute(sa.select(self._clock(connection))).scalar_one()
        for run in _runs_of(firing, now, job_instance_id, refusal, why):
            connection.execute(sa.insert(_run).values(cron_id=firing.cron_id, **run_values(run)))
        kept = sa.select(_run.c.id).where(_run.c.cron_id == firing.cron_id).order_by(_run.c.id.desc())
        old = connection.scalar(kept.offset(KEPT_RUNS).limit(1))
        if old is not None:
            connection.execute(sa.delete(_run).where(_run.c.cron_id == firing.cron_id, _run.c.id <= old))

    def _stored(self, cron_id: int) -> Cron:
        found = self.get(cron_id)
        if found is None:
            raise errors.CronUnknown(cron_id)
        return found

    def _why_refused(self, cron: Cron, its_id: int | None) -> errors.JobError:
        """The one of two things that must be so and is not: a name of its own, and a plan."""
        named = sa.select(_cron.c.id).where(_in(cron.scope), _cron.c.name == cron.name)
        with transaction(self._bind) as connection:
            is_taken = connection.scalar(named) not in (None, its_id)
        return errors.CronExists(cron.name) if is_taken else errors.PlanUnknown(cron.plan_id)


def _claim_time(connection: sa.Connection, firing: Firing) -> None:
    """Move the cron on to its next time. Of several that try, in any processes, one succeeds.

    The others wait for it, and find the time moved on: AlreadySettled. A node that was frozen in the midst of it
    keeps them no longer than LOCK_SECONDS: what the database raises then is tried again.
    """
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{LOCK_SECONDS}s'")
    statement = (
        sa.update(_cron)
        .where(_unsettled(firing.cron_id, firing.revision, firing.due))
        .values(next_fire_time=firing.next_fire_time)
    )
    if not connection.execute(statement).rowcount:
        raise AlreadySettled


def _unsettled(cron_id: int, revision: int, due: int | None) -> sa.ColumnElement[bool]:
    return sa.and_(_cron.c.id == cron_id, _cron.c.revision == revision, _cron.c.next_fire_time == due)


def _runs_of(
    firing: Firing, now: int, job_instance_id: int | None, refusal: errors.JobError | None, why: str
) -> Iterable[CronRun]:
    if firing.missed is not None:
        yield CronRun(
            fire_time=firing.missed.first,
            last_fire_time=firing.missed.last,
            count=firing.missed.count,
            state=CronRunState.MISSED,
            message=why,
            time=now,
        )
    if firing.fire_time is not None:
        yield CronRun(
            fire_time=firing.fire_time,
            last_fire_time=firing.fire_time,
            count=1,
            state=CronRunState.LAUNCHED if refusal is None else CronRunState.REFUSED,
            job_instance_id=job_instance_id,
            code=None if refusal is None else refusal.code,
            message="" if refusal is None else refusal.message,
            time=now,
        )


def _in(scope: Scope) -> sa.ColumnElement[bool]:
    return sa.and_(_cron.c.scope_type == scope.type, _cron.c.scope_id == scope.id)


def _conditions(wanted: CronFilter) -> Iterable[sa.ColumnElement[bool]]:
    texts = (wanted.name, wanted.creator, wanted.last_modify_user)
    if not all(text is None or is_storable(text) for text in texts):
        yield sa.false()
        return
    if wanted.name:
        yield _cron.c.name.icontains(wanted.name, autoescape=True)
    if wanted.is_started is not None:
        yield _cron.c.next_fire_time.is_not(None) if wanted.is_started else _cron.c.next_fire_time.is_(None)
    for column, value in (
        (_cron.c.creator, wanted.creator),
        (_cron.c.last_modify_user, wanted.last_modify_user),
    ):
        if value:
            yield column == value
    for times, (first, last) in (
        (_cron.c.create_time, wanted.create_time),
        (_cron.c.last_modify_time, wanted.last_modify_time),
    ):
        if first is not None:
            yield times >= first
        if last is not None:
            yield times <= last
