"""Use cases of job plans."""

from __future__ import annotations

from dataclasses import replace

from adapter import errors
from adapter.job.model import Scope
from adapter.job.plan import JobPlan
from adapter.job.status import VariableType
from adapter.service import rules
from adapter.service.pages import Page, page_of
from adapter.store.plans import PlanStore

MASK = "******"


class PlanCatalog:
    """What the API says of job plans, and the plan that a launch executes."""

    def __init__(self, plans: PlanStore) -> None:
        self._plans = plans

    def get_job_plan_list(
        self,
        scope: Scope,
        *,
        template_id: int | None = None,
        name: str | None = None,
        creator: str | None = None,
        last_modify_user: str | None = None,
        create_time: tuple[int | None, int | None] = (None, None),
        last_modify_time: tuple[int | None, int | None] = (None, None),
        start: int | None = None,
        length: int | None = None,
    ) -> Page[JobPlan]:
        """The scope's plans, last changed first, with secrets masked.

        `name` is a part of it; times are (from, to) in milliseconds.
        """
        for field, value in (("name", name), ("creator", creator), ("last_modify_user", last_modify_user)):
            rules.require(field, rules.text(value or ""))
        page = page_of(
            lambda first, most: self._plans.list(
                scope,
                template_id=template_id,
                name=name,
                creator=creator,
                last_modify_user=last_modify_user,
                create_time=create_time,
                last_modify_time=last_modify_time,
                start=first,
                length=most,
            ),
            start,
            length,
        )
        return replace(page, items=tuple(masked(plan) for plan in page.items))

    def get_job_plan_detail(self, scope: Scope, *, plan_id: int) -> JobPlan:
        """A plan with all steps of its template, also those it leaves out, and with secrets masked.

        Raises MissingOrInvalid (1241007) for an id below 1, PlanUnknown (1244012) also for another's.
        """
        if plan_id < 1:
            raise errors.MissingOrInvalid("job_plan_id")
        plan = self.plan(plan_id)
        if plan.scope != scope:
            raise errors.PlanUnknown(plan_id)
        return masked(plan)

    def plan(self, plan_id: int) -> JobPlan:
        """The plan that a launch executes, of any scope, nothing masked. Raises PlanUnknown (1244012)."""
        plan = self._plans.get(plan_id)
        if plan is None:
            raise errors.PlanUnknown(plan_id)
        return plan


def masked(plan: JobPlan) -> JobPlan:
    """The plan as replies show it: ****** for sensitive parameters and the values of cipher variables."""
    steps = tuple(
        replace(step, script=replace(step.script, param=MASK))
        if step.script and step.script.param_sensitive and step.script.param
        else step
        for step in plan.steps
    )
    variables = tuple(
        replace(item, value=MASK) if item.type == VariableType.CIPHER and item.value else item
        for item in plan.variables
    )
    return replace(plan, steps=steps, variables=variables)
