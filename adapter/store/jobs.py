"""Job instances: stored whole in one transaction, read by id or as a list."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import sqlalchemy as sa

from adapter import errors
from adapter.job.actions import Action
from adapter.job.audit_log import AuditEntry
from adapter.job.commands import Caller, JobFilter, Once
from adapter.job.dangerous import Finding
from adapter.job.model import Host, HostResult, JobInstance, JobVariable, Scope, ScriptTask, StepInstance
from adapter.job.plan import MASK
from adapter.job.status import RunStatus
from adapter.job.variables import CapturedValue
from adapter.store import codec, job_rows, tables
from adapter.store.audit_log import add_launch
from adapter.store.claims import Claim
from adapter.store.dangerous import note_findings
from adapter.store.given_files import Sealed, keep, sealed
from adapter.store.group_commit import GroupCommit
from adapter.store.kept_results import KeptResults
from adapter.store.once import launched_once, mark_launched
from adapter.store.operations import JobOperations
from adapter.store.progress import JobProgress
from adapter.store.quota import Crowded, JobQuota, Room
from adapter.store.secrets import SecretBox
from adapter.store.transactions import MAX_COUNT, MAX_ID, is_id, is_storable
from adapter.store.uploads import use_uploads

_job = tables.job_instance
_step = tables.step_instance
_host = tables.host_result
_variable = tables.job_variable
_password = tables.host_password
_captured = tables.captured_value

# Of every request and every poll: built once, because building one takes longer than running it.
_ADD_JOB, _ADD_STEP, _ADD_HOSTS = sa.insert(_job), sa.insert(_step), sa.insert(_host)
_ADD_VARIABLES, _ADD_PASSWORDS = sa.insert(_variable), sa.insert(_password)
_JOB = sa.select(_job).where(_job.c.id == sa.bindparam("job"))
_CALLBACK_SECRET = sa.select(_job.c.callback_secret).where(_job.c.id == sa.bindparam("job"))
_LOGS_REMOVED = sa.select(_job.c.logs_removed_time).where(_job.c.id == sa.bindparam("job"))
_STATUS = sa.select(_job.c.status).where(_job.c.id == sa.bindparam("job"))
_STEPS = (
    sa.select(_step).where(_step.c.job_instance_id == sa.bindparam("job")).order_by(_step.c.order, _step.c.id)
)
_STEP = sa.select(_step).where(_step.c.id == sa.bindparam("step"))
_STANDING = (
    sa.select(_job.c.status.label("job"), _step.c.status.label("step"), _step.c.execute_count)
    .join_from(_step, _job)
    .where(_step.c.id == sa.bindparam("step"))
)
_HOSTS = (
    sa.select(*job_rows.HOST_COLUMNS)
    .where(_host.c.step_instance_id == sa.bindparam("step"), _host.c.execute_count == sa.bindparam("count"))
    .order_by(_host.c.order, _host.c.bk_host_id)
)


_OF_CAPTURED = sa.and_(
    _host.c.step_instance_id == _captured.c.step_instance_id,
    _host.c.execute_count == _captured.c.execute_count,
    _host.c.bk_host_id == _captured.c.bk_host_id,
)


#: What is done in the transaction that stores a job.
Beside = Callable[[sa.Connection, int], None]


class JobStore(JobProgress, JobOperations):
    """The tables `job_instance`, `step_instance` and `host_result`."""

    def __init__(
        self,
        engine: sa.Engine,
        box: SecretBox,
        claim: Claim | None = None,
        quota: JobQuota = JobQuota(),  # noqa: B008 frozen
        results: KeptResults | None = None,
    ) -> None:
        JobProgress.__init__(self, engine, claim)
        self._results = results or KeptResults(engine)
        self._box = box
        self._room = Room(quota)
        self._commits = GroupCommit(engine)

    def under(self, claim: Claim) -> JobStore:
        """The same for the owner of a job: what it writes raises ClaimLost once the job is another's."""
        return JobStore(self._engine, self._box, claim, results=self._results)

    def add(
        self,
        job: JobInstance,
        hosts: Sequence[tuple[Host, ...]],
        variables: Sequence[JobVariable] = (),
        caller: Caller | None = None,
        dangerous: Sequence[Sequence[Finding]] = (),
        passwords: Sequence[Mapping[int, str]] = (),
        beside: Beside | None = None,
    ) -> JobInstance:
        """Store the job, its steps and variables, a waiting host result for each of a step's `hosts`; or nothing.

        `dangerous` is what rules have found in each step, `passwords` those of its account by bk_host_id.
        `beside` is done in the same transaction, with the job's id; what it raises leaves no job.
        The audit log has a `caller`'s launch from the same transaction on.
        Answers the job with its ids, and with sensitive parameters masked as every later reader sees them.
        Raises KeyTaken if the caller's key stands for a job by now, LocalFileUnknown if an upload is gone, and what
        Room.keep() raises.
        """
        if len(hosts) != len(job.steps):
            raise ValueError(f"{len(job.steps)} steps with the hosts of {len(hosts)}")

        given = [sealed(step, self._box) for step in job.steps]

        def insert(connection: sa.Connection) -> JobInstance:
            job_id = _insert(connection, _ADD_JOB, job_rows.job_values(job) | self._secrets_of(caller))
            steps = tuple(
                self._add_step(connection, replace(step, job_instance_id=job_id), targets, contents)
                for step, targets, contents in zip(job.steps, hosts, given, strict=True)
            )
            if variables:
                connection.execute(_ADD_VARIABLES, job_rows.variable_values(job_id, variables, self._box))
            self._add_passwords(connection, zip(steps, passwords, strict=False))
            note_findings(connection, job_id, zip((step.id for step in steps), dangerous, strict=False))
            if caller is not None:
                add_launch(connection, _entry(caller, job), job_id, job.create_time or 0)
            if caller is not None and caller.once is not None:
                mark_launched(connection, self._box, caller.app_code, caller.once, job_id)
            if beside is not None:
                beside(connection, job_id)
            stored = replace(job, id=job_id, steps=steps)
            self._room.keep(connection, stored)
            return stored

        while True:
            try:
                added = self._commits.run(insert)
            except Crowded:
                continue
            if caller is not None and caller.recording is not None:
                caller.recording.is_written = True
            for step, targets in zip(added.steps, hosts, strict=True):
                self._results.has_begun(step, _turns(step, targets))
            return added

    def require_room(self, job: JobInstance) -> None:
        """Make sure that there is room for a job of that scope and application. Raises what add() raises.

        There may be none any more when it is added.
        """
        if self._room.must_count:
            with self._engine.begin() as connection:
                self._room.require(connection, job)

    def _secrets_of(self, caller: Caller | None) -> dict[str, str]:
        """The columns of `job_instance` that a caller's secrets are kept in, encrypted."""
        secret = None if caller is None else caller.callback_secret
        return {} if secret is None else {"callback_secret": self._box.encrypt(secret)}

    def callback_secret(self, job_instance_id: int) -> str | None:
        """What the job's callbacks are signed with, in clear; None if they are not. ValueError: other key file."""
        with self._engine.begin() as connection:
            sealed = connection.scalar(_CALLBACK_SECRET, {"job": job_instance_id})
        return None if sealed is None else self._box.decrypt(sealed)

    def has_callback_secret(self, job_instance_id: int) -> bool:
        """True if its callbacks are signed."""
        with self._engine.begin() as connection:
            return connection.scalar(_CALLBACK_SECRET, {"job": job_instance_id}) is not None

    def launched(self, app_code: str, once: Once) -> JobInstance | None:
        """The job that the application's key stands for, None if it is a new one. Raises KeyUsed."""
        with self._engine.begin() as connection:
            id_ = launched_once(connection, self._box, app_code, once)
        return None if id_ is None else self.get(id_)

    def get(self, job_instance_id: int) -> JobInstance | None:
        """The job with its steps in order, of any scope; None if there is none of that id."""
        if not is_id(job_instance_id):
            return None
        wanted = {"job": job_instance_id}
        with self._engine.begin() as connection:
            # The job first: a job that reads finished then never has a step that does not.
            row = connection.execute(_JOB, wanted).one_or_none()
            if row is None:
                return None
            rows = connection.execute(_STEPS, wanted)
            return job_rows.to_job(row, tuple(job_rows.to_step(step) for step in rows))

    def status(self, job_instance_id: int) -> RunStatus:
        """The job's state alone. Raises JobUnknown."""
        with self._engine.begin() as connection:
            status = connection.scalar(_STATUS, {"job": job_instance_id})
        if status is None:
            raise errors.JobUnknown(job_instance_id)
        return RunStatus(status)

    def logs_removed_time(self, job_instance_id: int) -> int | None:
        """When what the job's scripts had printed was removed for its age (ms); None: it is there."""
        with self._engine.begin() as connection:
            return connection.scalar(_LOGS_REMOVED, {"job": job_instance_id})

    def standing(self, step_instance_id: int) -> tuple[RunStatus, RunStatus, int]:
        """The state of the step's job, that of the step, and its execution. Raises StepInstanceUnknown."""
        with self._engine.begin() as connection:
            row = connection.execute(_STANDING, {"step": step_instance_id}).one_or_none()
        if row is None:
            raise errors.StepInstanceUnknown(step_instance_id)
        return RunStatus(row.job), RunStatus(row.step), row.execute_count

    def variables(self, job_instance_id: int, *, in_clear: bool = False) -> tuple[JobVariable, ...]:
        """The variables that the job was launched with, in the plan's order; ciphers masked, or for its steps.

        ValueError if the key file is another than the one that ciphers were encrypted with.
        """
        if not is_id(job_instance_id):
            return ()
        statement = (
            sa.select(_variable)
            .where(_variable.c.job_instance_id == job_instance_id)
            .order_by(_variable.c.order)
        )
        with self._engine.begin() as connection:
            rows = list(connection.execute(statement))
        variables = map(job_rows.to_variable, rows)
        if not in_clear:
            return tuple(variables)
        return tuple(
            variable
            if row.value_secret is None
            else replace(variable, value=self._box.decrypt(row.value_secret))
            for row, variable in zip(rows, variables, strict=True)
        )

    def captured(
        self, job_instance_id: int, before: int | None = None, *, of_hosts: bool = True
    ) -> list[tuple[int, CapturedValue]]:
        """What scripts left, each with its step instance's id, in order of steps and executions.

        Of steps whose order is below `before`, or of all; with what hosts have of their own, or without.
        """
        statement = (
            sa.select(_captured, _host.c.bk_cloud_id, _host.c.ip, _host.c.name.label("host_name"))
            .join(_step, _step.c.id == _captured.c.step_instance_id)
            .outerjoin(_host, _OF_CAPTURED)
            .where(_step.c.job_instance_id == job_instance_id)
            .order_by(_step.c.order, _step.c.id, _captured.c.execute_count, _captured.c.host_order)
        )
        if before is not None:
            statement = statement.where(_step.c.order < before)
        if not of_hosts:
            statement = statement.where(_captured.c.bk_host_id == 0)
        with self._engine.begin() as connection:
            rows = connection.execute(statement)
            return [(row.step_instance_id, job_rows.to_captured(row)) for row in rows]

    def step(self, step_instance_id: int) -> StepInstance | None:
        """The step of any job, None if there is none of that id."""
        row = self._step_row(step_instance_id)
        return None if row is None else job_rows.to_step(row)

    def script_param(self, step_instance_id: int) -> str:
        """The script's parameter in clear, for whoever runs the step. Raises StepInstanceUnknown.

        ValueError if the key file is another than the one it was encrypted with.
        """
        row = self._step_row(step_instance_id)
        if row is None:
            raise errors.StepInstanceUnknown(step_instance_id)
        if row.param_secret is not None:
            return self._box.decrypt(row.param_secret)
        return codec.loads(ScriptTask, row.definition).param

    def host_passwords(self, step_instance_id: int) -> dict[int, str]:
        """Passwords in clear of the step's Windows account that hold on single hosts, by bk_host_id."""
        statement = sa.select(_password).where(_password.c.step_instance_id == step_instance_id)
        with self._engine.begin() as connection:
            rows = connection.execute(statement).all()
        return {row.bk_host_id: self._box.decrypt(row.password_secret) for row in rows}

    def hosts(self, step_instance_id: int, execute_count: int) -> tuple[HostResult, ...]:
        """The hosts of one execution of a step, in the order of its targets."""
        return self._results.of(step_instance_id, execute_count)

    def hosts_named(
        self, step_instance_id: int, execute_count: int, bk_host_ids: Collection[int], ips: Collection[str]
    ) -> tuple[HostResult, ...]:
        """Those of them with one of these ids or addresses, in the same order."""
        named = sa.or_(
            _host.c.bk_host_id.in_([id_ for id_ in bk_host_ids if is_id(id_)]),
            _host.c.ip.in_([ip for ip in ips if is_storable(ip)]),
        )
        wanted = {"step": step_instance_id, "count": execute_count}
        with self._engine.begin() as connection:
            rows = connection.execute(_HOSTS.where(named), wanted)
            return tuple(job_rows.to_host_result(row) for row in rows)

    def executed_earlier(self, step_instance_id: int, execute_count: int) -> dict[int, set[int]]:
        """The hosts of an execution that were not run in it, by the one that their results and logs are of."""
        statement = sa.select(_host.c.bk_host_id, _host.c.executed_in).where(
            _host.c.step_instance_id == step_instance_id,
            _host.c.execute_count == execute_count,
            _host.c.executed_in != execute_count,
        )
        found: dict[int, set[int]] = {}
        with self._engine.begin() as connection:
            for bk_host_id, executed_in in connection.execute(statement):
                found.setdefault(executed_in, set()).add(bk_host_id)
        return found

    def host(self, step_instance_id: int, execute_count: int, bk_host_id: int) -> HostResult | None:
        """One of them; None if it is none of them. Of its batches the first that has not ended, else the last."""
        if not all(is_id(id_) for id_ in (step_instance_id, bk_host_id)) or abs(execute_count) > MAX_COUNT:
            return None
        statement = (
            sa.select(*job_rows.HOST_COLUMNS)
            .where(
                _host.c.step_instance_id == step_instance_id,
                _host.c.execute_count == execute_count,
                _host.c.bk_host_id == bk_host_id,
            )
            .order_by(_host.c.batch)
        )
        with self._engine.begin() as connection:
            rows = connection.execute(statement)
            results = [job_rows.to_host_result(row) for row in rows]
        unfinished = (result for result in results if not result.status.is_finished)
        return next(unfinished, results[-1] if results else None)

    def list(self, wanted: JobFilter) -> tuple[int, tuple[JobInstance, ...]]:
        """How many jobs there are, and a page of them without their steps, newest first."""
        conditions = _conditions(wanted)
        if conditions is None:
            return 0, ()
        found = sa.union_all(
            *(
                sa.select(_job.c.id, _job.c.create_time).where(*conditions, own)
                for own in _visible_in(wanted.scope)
            )
        ).subquery()
        with self._engine.begin() as connection:
            total = connection.execute(sa.select(sa.func.count()).select_from(found)).scalar_one()
            if wanted.start >= total:
                return total, ()
            rows = connection.execute(_page(found, total, wanted))
            jobs = [job_rows.to_job(row) for row in rows]
        return total, tuple(sorted(jobs, key=lambda job: (job.create_time or 0, job.id), reverse=True))

    def _add_step(
        self, connection: sa.Connection, step: StepInstance, targets: tuple[Host, ...], given: Sealed
    ) -> StepInstance:
        step_id = _insert(connection, _ADD_STEP, job_rows.step_values(step, self._box))
        keep(connection, step_id, given)
        use_uploads(connection, replace(step, id=step_id))
        rows = [
            job_rows.host_values(step_id, step.execute_count, order, host, batch)
            for order, (host, batch) in enumerate(_turns(step, targets))
        ]
        if rows:
            connection.execute(_ADD_HOSTS, rows)
        script = step.script
        if script and script.param_sensitive:
            script = replace(script, param=MASK)
        return replace(step, id=step_id, script=script)

    def _add_passwords(
        self, connection: sa.Connection, passwords: Iterable[tuple[StepInstance, Mapping[int, str]]]
    ) -> None:
        rows = [
            {
                "step_instance_id": step.id,
                "bk_host_id": host_id,
                "password_secret": self._box.encrypt(password),
            }
            for step, by_host in passwords
            for host_id, password in by_host.items()
        ]
        if rows:
            connection.execute(_ADD_PASSWORDS, rows)

    def _step_row(self, step_instance_id: int) -> sa.Row[Any] | None:
        if not is_id(step_instance_id):
            return None
        with self._engine.begin() as connection:
            return connection.execute(_STEP, {"step": step_instance_id}).one_or_none()


def _entry(caller: Caller, job: JobInstance) -> AuditEntry:
    """What the audit log has of a launch; without a request it is one of the service's own machine."""
    if caller.recording is not None:
        return caller.recording.entry
    return AuditEntry(
        create_time=job.create_time or 0,
        app_code=caller.app_code,
        user=caller.user,
        verified_by=caller.verified_by or "service",
        api="launch",
        action=str(Action.LAUNCH),
        scope=job.scope.text,
        objects={} if job.cron_id is None else {"cron_id": job.cron_id},
    )


def _turns(step: StepInstance, targets: tuple[Host, ...]) -> list[tuple[Host, int]]:
    """The rows of a new step: its hosts, each with its batch, 0 if all have their turn at once."""
    return step.rolling.turns(targets) if step.rolling else [(host, 0) for host in targets]


def _insert(connection: sa.Connection, statement: sa.Insert, values: dict[str, Any]) -> int:
    key = connection.execute(statement, values).inserted_primary_key
    assert key is not None  # for the type checker: a single-row insert has one
    return int(key[0])


def _conditions(wanted: JobFilter) -> list[sa.ColumnElement[bool]] | None:
    """What the rows must fulfil; None if no row can."""
    texts = [text for text in (wanted.operator, wanted.name, wanted.ip) if text is not None]
    if not all(is_storable(text) for text in texts):
        return None
    conditions: list[sa.ColumnElement[bool]] = [
        _job.c.create_time.between(
            min(wanted.create_time_start, MAX_ID), min(wanted.create_time_end, MAX_ID)
        ),
    ]
    if wanted.job_instance_id is not None:
        if not is_id(wanted.job_instance_id):
            return None
        conditions.append(_job.c.id == wanted.job_instance_id)
    for column, value in (
        (_job.c.operator, wanted.operator),
        (_job.c.launch_mode, wanted.launch_mode),
        (_job.c.type, wanted.type),
        (_job.c.status, wanted.status),
        (_job.c.cron_id, wanted.cron_id),
    ):
        if value is not None:
            conditions.append(column == value)
    if wanted.name:
        conditions.append(_job.c.name.icontains(wanted.name, autoescape=True))
    if wanted.ip:
        conditions.append(_ran_on(wanted.ip))
    return conditions


def _page(found: sa.FromClause, total: int, wanted: JobFilter) -> sa.Select[Any]:
    """The rows of a page of what was found. Its ids are looked for from the nearer end, without their rows."""
    length = min(wanted.length, total - wanted.start)
    left = total - wanted.start - length
    columns = (found.c.create_time, found.c.id)
    if wanted.start <= left:
        order, offset = [column.desc() for column in columns], wanted.start
    else:
        order, offset = [column.asc() for column in columns], left
    page = sa.select(found.c.id).order_by(*order).offset(offset).limit(length).subquery()
    return sa.select(_job).join(page, page.c.id == _job.c.id)


def _visible_in(scope: Scope) -> tuple[sa.ColumnElement[bool], sa.ColumnElement[bool]]:
    """A scope's jobs: its own, and platform jobs of another, which belong to both. None twice."""
    own = sa.and_(_job.c.scope_type == scope.type, _job.c.scope_id == scope.id)
    others = sa.and_(_job.c.other_scope_type == scope.type, _job.c.other_scope_id == scope.id, sa.not_(own))
    return own, others


def _ran_on(ip: str) -> sa.ColumnElement[bool]:
    # From the address on: few jobs ran on it, however many are stored.
    jobs = sa.select(_step.c.job_instance_id).join(_host, _host.c.step_instance_id == _step.c.id)
    return _job.c.id.in_(jobs.where(_host.c.ip == ip))
