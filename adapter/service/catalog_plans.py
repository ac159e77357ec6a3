"""Use cases of job templates and job plans."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TypeVar

from adapter import errors
from adapter.job.model import Scope
from adapter.job.plan import MASK, JobPlan, JobTemplate, ListedPlan, ListedTemplate, ListFilter, shown_value
from adapter.ports import Clock
from adapter.service import plan_making, rules
from adapter.service.pages import Page, first_of, page_of
from adapter.store.plans import PlanStore

Definition = TypeVar("Definition", JobPlan, JobTemplate)


class PlanCatalog:
    """What the API says of templates and plans, plans that it makes, and the plan that a launch executes."""

    def __init__(self, plans: PlanStore, clock: Clock) -> None:
        self._plans = plans
        self._plan_clock = clock

    def get_job_template_list(
        self, scope: Scope, wanted: ListFilter, *, start: int | None = None, length: int | None = None
    ) -> Page[ListedTemplate]:
        """The scope's templates, last changed first."""
        _require_texts(wanted)
        return page_of(
            lambda first, most: self._plans.list_templates(scope, wanted, start=first, length=most),
            start,
            length,
        )

    def get_job_plan_list(
        self,
        scope: Scope,
        wanted: ListFilter,
        *,
        template_id: int | None = None,
        start: int | None = None,
        length: int | None = None,
    ) -> Page[ListedPlan]:
        """The scope's plans, last changed first."""
        _require_texts(wanted)
        return page_of(
            lambda first, most: self._plans.list_plans(
                scope, wanted, template_id=template_id, start=first, length=most
            ),
            start,
            length,
        )

    def get_job_list(
        self, scope: Scope, wanted: ListFilter, *, start: int | None = None, length: int | None = None
    ) -> tuple[ListedPlan, ...]:
        """The same for v2, without a largest page: no `length`, or one below 1, is all of them."""
        _require_texts(wanted)
        most = length if length and length > 0 else None
        return self._plans.list_plans(scope, wanted, start=first_of(start), length=most)[1]

    def get_job_template_detail(self, scope: Scope, *, template_id: int) -> JobTemplate:
        """A template with secrets masked. Raises TemplateUnknown (1243026), also for another's."""
        return masked(_of_scope(self._plans.template(template_id), scope, template_id))

    def get_job_plan_detail(self, scope: Scope, *, plan_id: int) -> JobPlan:
        """A plan with all its steps, also those it leaves out, and with secrets masked.

        Raises MissingOrInvalid (1241007) for an id below 1, PlanUnknown (1244012) also for another's.
        """
        if plan_id < 1:
            raise errors.MissingOrInvalid("job_plan_id")
        plan = self.plan(plan_id)
        if plan.scope != scope:
            raise errors.PlanUnknown(plan_id)
        return masked(plan)

    def create_job_plan(
        self,
        scope: Scope,
        *,
        user: str,
        template_id: int,
        name: str,
        enable_steps: Sequence[int] | None = None,
        variables: Sequence[plan_making.GivenVariable] = (),
    ) -> JobPlan:
        """A plan of a template's steps (None: all of them), with values of its own for some variables.

        Raises BadRequest (1240003) for a name that is none, TemplateUnknown (1243026), ReasonedParameter (1241010)
        for steps and variables that the template has not, PlanExists (1243042).
        """
        name = name.strip()
        rules.require("name", rules.plan_name(name))
        with self._plans.locked() as plans:
            template = _of_scope(plans.template(template_id), scope, template_id)
            plan_id = plans.create_plan(
                template,
                name=name,
                steps=plan_making.selection(template, enable_steps),
                variables=plan_making.variables(template, variables),
                operator=user,
                now_ms=self._plan_clock.now_ms(),
            )
        return masked(self.plan(plan_id))

    def plan(self, plan_id: int) -> JobPlan:
        """The plan that a launch executes, of any scope, nothing masked. Raises PlanUnknown (1244012)."""
        plan = self._plans.get(plan_id)
        if plan is None:
            raise errors.PlanUnknown(plan_id)
        return plan


def _of_scope(template: JobTemplate | None, scope: Scope, template_id: int) -> JobTemplate:
    if template is None or template.scope != scope:
        raise errors.TemplateUnknown(template_id)
    return template


def masked(found: Definition) -> Definition:
    """The definition as replies show it: ****** for sensitive parameters and the values of cipher variables."""
    steps = tuple(
        replace(step, script=replace(step.script, param=MASK))
        if step.script and step.script.param_sensitive and step.script.param
        else step
        for step in found.steps
    )
    variables = tuple(replace(item, value=shown_value(item.type, item.value)) for item in found.variables)
    return replace(found, steps=steps, variables=variables)


def _require_texts(wanted: ListFilter) -> None:
    for field in ("name", "creator", "last_modify_user"):
        rules.require(field, rules.text(getattr(wanted, field) or ""))
