"""Use cases of crons: saving, starting, stopping, finding them. service.cron_firing launches what they name."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from adapter import errors
from adapter.job.commands import Caller, VariableValue
from adapter.job.cron import Cron, CronFilter, CronRun, CronVariable
from adapter.job.model import Scope
from adapter.job.plan import MASK, GlobalVariable, JobPlan, shown_value
from adapter.job.status import VariableType
from adapter.messages import say
from adapter.service import rules, schedule
from adapter.service.catalog import Catalog
from adapter.service.pages import Page, page_of
from adapter.service.plan_variables import PlanVariables
from adapter.store.crons import CronStore


@dataclass(frozen=True, kw_only=True)
class CronFields:
    """What a request says of a cron; None is not said. `execute_time` in seconds since the epoch."""

    plan_id: int | None = None
    name: str | None = None
    expression: str | None = None
    execute_time: int | None = None
    time_zone: str | None = None
    variables: tuple[VariableValue, ...] | None = None

    @property
    def has_schedule(self) -> bool:
        """True if it says when."""
        return self.expression is not None or self.execute_time is not None


class Crons:
    """What the API says of crons. `time_zone` is that of crons whose request names none."""

    def __init__(self, store: CronStore, catalog: Catalog, time_zone: str) -> None:
        self._store = store
        self._catalog = catalog
        self._time_zone = time_zone

    def create(self, caller: Caller, scope: Scope, fields: CronFields) -> Cron:
        """A cron, which is not started: save_cron without an id. Its secrets are masked in what is answered.

        Raises MissingParameter, BadRequest for a name that is none, InvalidParameter, CronTimePassed, PlanUnknown,
        CronExists.
        """
        if fields.plan_id is None:
            raise errors.MissingParameter("job_plan_id")
        if fields.name is None:
            raise errors.MissingParameter("name")
        if not fields.has_schedule:
            raise errors.MissingParameter("expression|execute_time")
        now = self._store.now_ms()
        cron = Cron(
            id=0,
            scope=scope,
            name=fields.name,
            plan_id=fields.plan_id,
            plan_name="",
            expression=None,
            execute_time=None,
            time_zone=self._time_zone,
            app_code=caller.app_code,
            creator=caller.user,
            create_time=now,
        )
        return masked(self._store.create(self._with(cron, caller, fields, now)))

    def update(self, caller: Caller, scope: Scope, cron_id: int, fields: CronFields) -> Cron:
        """The cron with what is said, stopped, and the caller's from now on: save_cron with an id.

        Raises what create() raises, CronUnknown, CronChanged.
        """
        if not fields.has_schedule and fields.plan_id is None and fields.name is None:
            raise errors.MissingParameter("job_plan_id|name|expression|execute_time")
        cron = self._of(scope, cron_id)
        return masked(self._store.update(self._with(cron, caller, fields, self._store.now_ms())))

    def start(self, caller: Caller, scope: Scope, cron_id: int) -> None:
        """Launch it from now on, as the caller; one that is started already keeps its next time.

        Raises CronUnknown, CronTimePassed, CronChanged.
        """
        cron, now = self._of(scope, cron_id), self._store.now_ms()
        following = cron.next_fire_time if cron.is_started else first_time(cron, now)
        if following is None:
            raise errors.CronTimePassed((cron.execute_time or 0) // 1000)
        self._store.update(replace(_by(cron, caller, now), next_fire_time=following))

    def stop(self, caller: Caller, scope: Scope, cron_id: int) -> None:
        """Launch it no more. Raises CronUnknown, CronChanged."""
        cron = self._of(scope, cron_id)
        self._store.update(replace(_by(cron, caller, self._store.now_ms()), next_fire_time=None))

    def delete(self, scope: Scope, cron_id: int) -> None:
        """Jobs that it launched stay. Raises CronUnknown, CronNotDeleted."""
        self._of(scope, cron_id)
        if not self._store.delete(cron_id):
            raise errors.CronNotDeleted(cron_id)

    def get(self, scope: Scope, cron_id: int) -> Cron:
        """The cron, with secrets masked. Raises CronUnknown also for another scope's."""
        return masked(self._of(scope, cron_id))

    def list(self, scope: Scope, wanted: CronFilter, start: int | None, length: int | None) -> Page[Cron]:
        """The scope's crons, last changed first, with secrets masked."""
        page = page_of(lambda first, most: self._store.list(scope, wanted, first, most), start, length)
        return replace(page, items=tuple(map(masked, page.items)))

    def runs(self, scope: Scope, cron_id: int, start: int | None, length: int | None) -> Page[CronRun]:
        """What became of its times, the newest first. Raises CronUnknown."""
        self._of(scope, cron_id)
        return page_of(lambda first, most: self._store.runs(cron_id, first, most), start, length)

    def _of(self, scope: Scope, cron_id: int) -> Cron:
        cron = self._store.get(cron_id)
        if cron is None or cron.scope != scope:
            raise errors.CronUnknown(cron_id)
        return cron

    def _with(self, cron: Cron, caller: Caller, fields: CronFields, now: int) -> Cron:
        """The cron with what is said, in JOB's order: name, when, plan and variables."""
        if fields.name is not None:
            rules.require("name", rules.script_name(fields.name))
            cron = replace(cron, name=fields.name)
        if fields.time_zone is not None:
            if not schedule.is_time_zone(fields.time_zone):
                reason = say(
                    "{value} is no time zone of IANA's, such as Asia/Shanghai", value=fields.time_zone
                )
                raise errors.InvalidParameter("execute_time_zone", reason)
            cron = replace(cron, time_zone=fields.time_zone)
        cron = _at(cron, fields, now)
        if fields.plan_id is not None:
            cron = replace(cron, plan_id=fields.plan_id)
        plan = self._catalog.plan(cron.plan_id)
        if plan.scope != cron.scope:
            raise errors.PlanUnknown(cron.plan_id)
        if fields.variables is not None:
            cron = replace(cron, variables=_variables(plan, cron, fields.variables))
        PlanVariables.of(plan.variables, cron.values_for(plan.variables))  # an array must be one
        return replace(_by(cron, caller, now), next_fire_time=None)


def first_time(cron: Cron, now_ms: int) -> int | None:
    """The first time that a cron has from now on; None if its only one has passed."""
    if cron.expression is not None:
        return schedule.fire_after(cron.expression, cron.time_zone, now_ms)
    return cron.execute_time if cron.execute_time is not None and cron.execute_time > now_ms else None


def masked(cron: Cron) -> Cron:
    """As replies show it: ****** for the values of cipher variables."""
    return replace(
        cron,
        variables=tuple(replace(item, value=shown_value(item.type, item.value)) for item in cron.variables),
    )


def _by(cron: Cron, caller: Caller, now: int) -> Cron:
    """It is launched as whoever changed it last."""
    return replace(cron, app_code=caller.app_code, last_modify_user=caller.user, last_modify_time=now)


def _at(cron: Cron, fields: CronFields, now: int) -> Cron:
    """With the times that are said; an expression wins. What is not said any more is no longer so."""
    if fields.expression is not None:
        if len(fields.expression) > schedule.MAX_EXPRESSION:
            limit = schedule.MAX_EXPRESSION
            raise errors.InvalidParameter(
                "expression", say("must have at most {limit} characters", limit=limit)
            )
        cron = replace(cron, expression=fields.expression, execute_time=None)
    elif fields.execute_time is not None:
        if fields.execute_time > schedule.MAX_SECONDS:
            reason = say(
                "{value} is beyond the year 9999; give seconds, not milliseconds", value=fields.execute_time
            )
            raise errors.InvalidParameter("execute_time", reason)
        if fields.execute_time * 1000 <= now:
            raise errors.CronTimePassed(fields.execute_time)
        cron = replace(cron, expression=None, execute_time=fields.execute_time * 1000)
    if cron.expression is not None:
        problem = schedule.expression_problem(cron.expression, cron.time_zone, now)
        if problem is not None:
            raise errors.InvalidParameter("expression", problem)
    return cron


def _variables(plan: JobPlan, cron: Cron, given: Iterable[VariableValue]) -> tuple[CronVariable, ...]:
    """What is given to the plan's variables, by id, else by name; ****** is the cipher that was given before."""
    before = {item.name: item for item in cron.variables}
    found: dict[str, CronVariable] = {}
    for value in given:
        variable = _variable_of(plan, value)
        if variable.name in found:
            reason = say("variable [{name}] is given twice", name=variable.name)
            raise errors.InvalidParameter("global_var_list", reason)
        text = value.value or ""
        if variable.type == VariableType.CIPHER and text == MASK:
            text = _known_secret(before.get(variable.name), variable)
        found[variable.name] = CronVariable(
            id=variable.id, name=variable.name, type=variable.type, value=text, server=value.server
        )
    return tuple(found.values())


def _variable_of(plan: JobPlan, value: VariableValue) -> GlobalVariable:
    for variable in plan.variables:
        if variable.id == value.id if value.id is not None else variable.name == value.name:
            return variable
    named = value.name if value.id is None else value.id
    reason = say("plan [{plan}] has no variable {variable}", plan=plan.id, variable=named)
    raise errors.InvalidParameter("global_var_list", reason)


def _known_secret(before: CronVariable | None, variable: GlobalVariable) -> str:
    if before is None or before.type != VariableType.CIPHER:
        reason = say(
            "nothing is known that {mask} stands for in variable [{name}]; give its value",
            mask=MASK,
            name=variable.name,
        )
        raise errors.InvalidParameter("global_var_list", reason)
    return before.value
