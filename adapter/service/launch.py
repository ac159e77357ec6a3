"""Launching: a command becomes a stored job, in one transaction, and then starts. A bad one leaves no row."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial, wraps
from typing import TypeVar

from adapter import errors
from adapter.job.commands import (
    Caller,
    ExecutePlan,
    ExecutePlatformJob,
    ExecuteScript,
    ExecuteSql,
    HostPassword,
    Launched,
    Once,
    PlannedStep,
    PushConfigFile,
    TransferFile,
    VariableValue,
)
from adapter.job.cron import Cron
from adapter.job.dangerous import Finding
from adapter.job.model import Host, JobInstance, JobVariable, Scope, StepInstance
from adapter.job.plan import JobPlan
from adapter.job.status import AccountType, LaunchMode, TaskType
from adapter.job.variables import StepVariables, has_variables
from adapter.messages import say
from adapter.ports import Clock, Hosts, Planner
from adapter.service import cron_hosts
from adapter.service.catalog import Catalog
from adapter.service.dangerous_scripts import DangerousScripts
from adapter.service.drafts import (
    Places,
    Prepared,
    ScriptDraft,
    StepDraft,
)
from adapter.service.fast_steps import config_step, file_step, script_step, sql_step
from adapter.service.host_passwords import of_hosts
from adapter.service.launch_plan import drafts_of, overridden
from adapter.service.plan_variables import PlanVariables, reads_variables
from adapter.service.step_builder import Resolve, StepBuilder
from adapter.store.file_sources import FileSourceStore
from adapter.store.jobs import Beside, JobStore
from adapter.store.once import KeyTaken
from adapter.store.password_key import PasswordKey
from adapter.store.uploads import UploadStore

_Command = TypeVar(
    "_Command", ExecuteScript, ExecuteSql, TransferFile, PushConfigFile, ExecutePlan, ExecutePlatformJob
)

_Fast = TypeVar("_Fast", ExecuteScript, ExecuteSql, TransferFile, PushConfigFile)


def _at_most_once(
    launch: Callable[[Launch, _Command], Launched],
) -> Callable[[Launch, _Command], Launched]:
    """What was launched under the caller's key is answered again, before anything is looked up. Raises KeyUsed."""

    @wraps(launch)
    def launched(self: Launch, command: _Command) -> Launched:
        caller = command.caller
        if caller.once is None:
            return launch(self, command)
        if (before := self._launched_before(caller.app_code, caller.once)) is not None:
            return before
        try:
            return launch(self, command)
        except KeyTaken:  # by the same request, which came twice at once
            before = self._launched_before(caller.app_code, caller.once)
            if before is None:
                raise
            return before

    return launched


class Launch:
    """The ways to start a job. `wake` tells the engine that there is one; it must not block.

    Whether the caller may use the scopes a command names has been checked; whether they exist has not.
    """

    def __init__(
        self,
        jobs: JobStore,
        catalog: Catalog,
        hosts: Hosts,
        clock: Clock,
        wake: Callable[[], None],
        dangerous: DangerousScripts,
        planner: Planner,
        password_key: PasswordKey,
        uploads: UploadStore,
        file_sources: FileSourceStore,
    ) -> None:
        self._jobs = jobs
        self._catalog = catalog
        self._hosts = hosts
        self._clock = clock
        self._wake = wake
        self._dangerous = dangerous
        self._planner = planner
        self._password_key = password_key
        self._uploads = uploads
        self._file_sources = file_sources
        self._builder = StepBuilder(catalog, hosts.resolve, uploads, file_sources)

    @_at_most_once
    def execute_script(self, command: ExecuteScript) -> Launched:
        """A script on hosts: fast_execute_script."""
        return self._fast(command, script_step, command.start_task, passwords=command.host_passwords)

    @_at_most_once
    def execute_sql(self, command: ExecuteSql) -> Launched:
        """SQL on hosts, by their databases' clients: fast_execute_sql."""
        return self._fast(command, sql_step, command.start_task)

    @_at_most_once
    def transfer_file(self, command: TransferFile) -> Launched:
        """Files from hosts to hosts: fast_transfer_file, fast_push_file."""
        return self._fast(command, file_step, command.start_task, TaskType.FILE)

    @_at_most_once
    def push_config_file(self, command: PushConfigFile) -> Launched:
        """Files that the request has with it, to hosts: push_config_file."""
        return self._fast(command, config_step, True, TaskType.FILE)

    @_at_most_once
    def execute_plan(self, command: ExecutePlan) -> Launched:
        """The enabled steps of a stored plan: execute_job_plan, execute_job."""
        self._require_scope(command.scope)
        plan = self._plan_in(command.scope, command.plan_id)
        job = _job(
            command.caller, command.scope, plan.name, command.callback_url, self._clock.now_ms(), plan=plan
        )
        job = replace(job, started=command.start_task)
        return self._execute(command.caller, plan, job, command.variables, self._hosts.resolve)

    def execute_cron(self, caller: Caller, cron: Cron, beside: Beside) -> Launched:
        """The plan of a cron whose time has come: under the cron's name, and without a callback.

        Hosts that are no more, or not in the scope, are marked, and the others run (contract f4). `beside` is done
        in the transaction that stores the job: what it raises leaves none.
        """
        self._require_scope(cron.scope)
        plan = self._plan_in(cron.scope, cron.plan_id)
        job = _job(caller, cron.scope, cron.name, None, self._clock.now_ms(), plan=plan)
        job = replace(job, launch_mode=LaunchMode.CRON, cron_id=cron.id)
        values = cron.values_for(plan.variables)
        return self._execute(caller, plan, job, values, partial(cron_hosts.resolved, self._hosts), beside)

    def _plan_in(self, scope: Scope, plan_id: int) -> JobPlan:
        plan = self._catalog.plan(plan_id)
        if plan.scope != scope:
            raise errors.PlanUnknown(plan_id)
        return plan

    def _execute(
        self,
        caller: Caller,
        plan: JobPlan,
        job: JobInstance,
        values: Sequence[VariableValue],
        resolve: Resolve,
        beside: Beside | None = None,
    ) -> Launched:
        """The enabled steps of a plan of the job's scope, with values for its variables."""
        drafts = drafts_of(plan, caller.user)
        variables = PlanVariables.of(plan.variables, values)
        places = Places.within(job.scope, caller)
        self._jobs.require_room(job)
        found = self._screened(drafts, places)
        builder = StepBuilder(self._catalog, resolve, self._uploads, self._file_sources)
        prepared = [builder.build(draft, places, variables) for draft in drafts]
        told = variables.for_job(_shell_scripts(prepared), partial(resolve, job.scope))
        return self._submit(caller, job, prepared, told, found, beside=beside)

    @_at_most_once
    def execute_platform_job(self, command: ExecutePlatformJob) -> Launched:
        """A stored plan of any scope the caller may use: targets in one business, file sources in another.

        Names of accounts are looked up where their hosts are, then where the plan is; names of scripts in
        the target business, where the plan is, and in the source business.
        """
        source, target = command.source_scope, command.target_scope
        self._require_scope(source)
        self._require_scope(target)
        plan = self._catalog.plan(command.plan_id)
        if not _may_use(command.caller, plan.scope):
            raise errors.PlanUnknown(command.plan_id)
        drafts = overridden(
            plan,
            command.caller.user,
            command.steps,
            lambda stored: self._builder.language((plan.scope,), stored),
        )
        variables = PlanVariables.of(plan.variables)
        places = Places(
            targets=target,
            sources=source,
            accounts=(target, plan.scope),
            source_accounts=(source, plan.scope, target),
            scripts=(target, plan.scope, source),
            limits=command.caller.limits,
        )
        job = _job(command.caller, target, plan.name, command.callback_url, self._clock.now_ms(), plan=plan)
        self._jobs.require_room(job)
        found = self._screened(drafts, places)
        prepared = [self._builder.build(draft, places, variables) for draft in drafts]
        job = replace(job, other_scope=None if source == target else source)
        told = variables.for_job(_shell_scripts(prepared), partial(self._hosts.resolve, target))
        return self._submit(command.caller, job, prepared, told, found)

    def _require_scope(self, scope: Scope) -> None:
        if not self._hosts.has_scope(scope):
            raise errors.ScopeUnknown(str(scope))

    def _fast(
        self,
        command: _Fast,
        step_of: Callable[[_Fast, int], StepDraft],
        start: bool,
        kind: TaskType = TaskType.SCRIPT,
        passwords: Sequence[HostPassword] = (),
    ) -> Launched:
        """A job of the one step that `step_of` makes of the command."""
        self._require_scope(command.scope)
        now_ms = self._clock.now_ms()
        draft = step_of(command, now_ms)
        job = _job(command.caller, command.scope, draft.name, command.callback_url, now_ms)
        places = Places.within(job.scope, command.caller)
        found = self._screened([draft], places)
        self._jobs.require_room(job)
        prepared = self._builder.build(draft, places, PlanVariables())
        opened = self._opened(draft, places, passwords, prepared.hosts)
        job = replace(job, type=kind, started=start)
        return self._submit(command.caller, job, [prepared], found=found, passwords=[opened])

    def _opened(
        self, draft: StepDraft, places: Places, given: Sequence[HostPassword], hosts: Iterable[Host]
    ) -> dict[int, str]:
        """Passwords by host. JOB looks at them for Windows accounts only, and not at those of other hosts.

        Raises FieldInvalid (1240003) for one that cannot be read.
        """
        if not given or not isinstance(draft.work, ScriptDraft):
            return {}
        if self._builder.account(places.accounts, draft.work.account).type != AccountType.WINDOWS:
            return {}
        try:
            return of_hosts(given, hosts, self._password_key.opened)
        except ValueError:
            raise errors.FieldInvalid(
                "host_password_list.encrypted_password",
                say("must be encrypted as get_account_password_encryption_metadata says"),
            ) from None

    def _screened(self, drafts: Iterable[StepDraft], places: Places) -> list[Sequence[Finding]]:
        """What dangerous rules find in each step's script. Raises DangerousScript for one that must not run."""
        return [
            () if script is None else self._dangerous.screen(draft.name, script[1], script[0])
            for draft, script in ((draft, self._builder.script_text(draft, places)) for draft in drafts)
        ]

    def _submit(
        self,
        caller: Caller,
        job: JobInstance,
        prepared: Iterable[Prepared],
        variables: Sequence[JobVariable] = (),
        found: Sequence[Sequence[Finding]] = (),
        passwords: Sequence[Mapping[int, str]] = (),
        beside: Beside | None = None,
    ) -> Launched:
        prepared = tuple(prepared)
        steps = tuple(
            replace(one.step, order=order, create_time=job.create_time) for order, one in enumerate(prepared)
        )
        if caller.plan_only:
            hosts = [one.hosts for one in prepared]
            return Launched(
                job_instance_id=0,
                job_instance_name=job.name,
                step_instance_id=None,
                planned=tuple(self._planned(*one, variables) for one in zip(steps, hosts, strict=True)),
            )
        stored = self._jobs.add(
            replace(job, steps=steps),
            [one.hosts for one in prepared],
            variables,
            caller,
            found,
            passwords,
            beside,
        )
        if stored.started:
            self._wake()
        return _launched(stored)

    def _planned(
        self, step: StepInstance, hosts: tuple[Host, ...], variables: Sequence[JobVariable]
    ) -> PlannedStep:
        known = StepVariables.after(variables, []) if has_variables(step) else None
        return PlannedStep(step=step, hosts=hosts, run=self._planner.plan(step, hosts, known))

    def _launched_before(self, app_code: str, once: Once) -> Launched | None:
        """What the application's X-Idempotency-Key stands for, None if for nothing yet. Raises KeyUsed."""
        job = self._jobs.launched(app_code, once)
        return None if job is None else _launched(job)


def _shell_scripts(prepared: Iterable[Prepared]) -> Iterator[str]:
    for one in prepared:
        if one.step.script is not None and reads_variables(one.step.script.language):
            yield one.step.script.content


def _launched(job: JobInstance) -> Launched:
    is_fast = job.type != TaskType.PLAN
    return Launched(
        job_instance_id=job.id,
        job_instance_name=job.name,
        step_instance_id=job.steps[0].id if is_fast and job.steps[0].is_told else None,
    )


def _job(
    caller: Caller,
    scope: Scope,
    name: str,
    callback_url: str | None,
    now_ms: int,
    plan: JobPlan | None = None,
) -> JobInstance:
    return JobInstance(
        scope=scope,
        name=name,
        type=TaskType.PLAN if plan else TaskType.SCRIPT,
        plan_id=plan.id if plan else -1,
        template_id=plan.template_id if plan else -1,
        operator=caller.user,
        app_code=caller.app_code,
        callback_url=callback_url,
        create_time=now_ms,
    )


def _may_use(caller: Caller, scope: Scope) -> bool:
    return caller.scopes is None or scope in caller.scopes
