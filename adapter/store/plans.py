"""Job templates with their steps and variables, and the plans that are made of them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import sqlalchemy as sa

from adapter import errors
from adapter.job.model import Scope
from adapter.job.plan import GlobalVariable, JobPlan, JobTemplate, PlanStep
from adapter.store import codec, tables
from adapter.store.plan_lists import PlanLists
from adapter.store.plan_rows import DefinitionRows, select_plans, selected
from adapter.store.secrets import SecretBox
from adapter.store.transactions import Bind, exclusive, insert_row, is_id, is_storable, transaction

_template = tables.job_template
_step = tables.template_step
_plan = tables.job_plan


class PlanStore(PlanLists):
    """The tables `job_template`, `template_step` and `job_plan`."""

    def __init__(self, bind: Bind, box: SecretBox) -> None:
        super().__init__(bind)
        self._box = box
        self._rows = DefinitionRows(box)

    # --- templates ---------------------------------------------------------------------------------------

    def template(self, template_id: int) -> JobTemplate | None:
        """The template of any scope, None if there is none of that id."""
        return self._one_template(_template.c.id == template_id) if is_id(template_id) else None

    def template_named(self, scope: Scope, name: str) -> JobTemplate | None:
        """The scope's template of exactly that name."""
        return self._one_template(_in(scope), _template.c.name == name) if is_storable(name) else None

    def step_owner(self, step_id: int) -> int | None:
        """The id of the template that has this step; step ids are unique over all templates."""
        if not is_id(step_id):
            return None
        with transaction(self._bind) as connection:
            owner = sa.select(_step.c.template_id).where(_step.c.id == step_id)
            return connection.execute(owner).scalar_one_or_none()

    def create_template(
        self,
        scope: Scope,
        *,
        name: str,
        steps: tuple[PlanStep, ...],
        variables: tuple[GlobalVariable, ...] = (),
        description: str = "",
        operator: str,
        now_ms: int,
        template_id: int | None = None,
    ) -> JobTemplate:
        """Store a template. Steps and variables whose id is 0 are given one."""
        values: dict[str, Any] = {
            "scope_type": scope.type,
            "scope_id": scope.id,
            "name": name,
            "steps": "[]",
            "variables": "[]",
            "version": 0,
            "creator": operator,
            "create_time": now_ms,
        }
        if template_id is not None:
            values["id"] = template_id
        with transaction(self._bind) as connection:
            template_id = insert_row(connection, _template, values)
            return PlanStore(connection, self._box).update_template(
                template_id,
                name=name,
                steps=steps,
                variables=variables,
                description=description,
                operator=operator,
                now_ms=now_ms,
            )

    def update_template(
        self,
        template_id: int,
        *,
        name: str,
        steps: tuple[PlanStep, ...],
        variables: tuple[GlobalVariable, ...],
        description: str,
        operator: str,
        now_ms: int,
    ) -> JobTemplate:
        """Replace a definition; plans keep theirs, and need an update if steps or variables change."""
        with transaction(self._bind) as connection:
            owned = set(
                connection.execute(sa.select(_step.c.id).where(_step.c.template_id == template_id)).scalars()
            )
            steps = tuple(_numbered(connection, template_id, step, owned) for step in steps)
            gone = owned - {step.id for step in steps}
            connection.execute(sa.delete(_step).where(_step.c.id.in_(gone)))
            before = PlanStore(connection, self._box)._existing(template_id)
            variables = tuple(_numbered_variables(variables))
            is_other = before.version == 0 or (before.steps, before.variables) != (steps, variables)
            connection.execute(
                sa.update(_template)
                .where(_template.c.id == template_id)
                .values(
                    name=name,
                    steps=self._rows.sealed_steps(steps),
                    variables=self._rows.sealed_variables(variables),
                    description=description,
                    version=before.version + is_other,
                    last_modify_user=operator,
                    last_modify_time=now_ms,
                )
            )
            return PlanStore(connection, self._box)._existing(template_id)

    def delete_template(self, template_id: int) -> None:
        """Remove a template and its plans. Raises TemplateInUse (1243038) if a cron launches one of them."""
        try:
            with transaction(self._bind) as connection:
                connection.execute(sa.delete(_template).where(_template.c.id == template_id))
        except sa.exc.IntegrityError as error:
            raise errors.TemplateInUse(template_id) from error

    # --- plans -------------------------------------------------------------------------------------------

    @contextmanager
    def locked(self) -> Iterator[PlanStore]:
        """The same in a transaction: until it ends nobody writes templates or plans, or deletes what is in them."""
        with exclusive(self._bind, _template, _plan) as connection:
            yield PlanStore(connection, self._box)

    def get(self, plan_id: int) -> JobPlan | None:
        """The plan of any scope, None if there is none of that id."""
        if not is_id(plan_id):
            return None
        with transaction(self._bind) as connection:
            row = connection.execute(select_plans(_plan.c.id == plan_id)).one_or_none()
        return self._rows.to_plan(row) if row else None

    def plan_named(self, template_id: int, name: str) -> JobPlan | None:
        """The template's plan of exactly that name."""
        if not is_storable(name):
            return None
        with transaction(self._bind) as connection:
            row = connection.execute(
                select_plans(_plan.c.template_id == template_id, _plan.c.name == name)
            ).one_or_none()
        return self._rows.to_plan(row) if row else None

    def selection(self, plan_id: int) -> frozenset[int] | None:
        """The ids of the steps the plan was given; None: all, also those that the template gets later."""
        with transaction(self._bind) as connection:
            text = connection.execute(sa.select(_plan.c.selection).where(_plan.c.id == plan_id)).scalar_one()
        return selected(text)

    def create_plan(
        self,
        template: JobTemplate,
        *,
        name: str,
        steps: frozenset[int] | None = None,
        variables: tuple[GlobalVariable, ...] | None = None,
        operator: str,
        now_ms: int,
        plan_id: int | None = None,
    ) -> int:
        """Store a plan of the template's `steps` (None: all of them) and variables; answers its id.

        `variables` are the template's with the plan's own values, None for the template's.
        Raises PlanExists (1243042), TemplateUnknown (1243026) for a template that has gone meanwhile.
        """
        values: dict[str, Any] = {
            **self._definition(template, name, steps, variables),
            "template_id": template.id,
            "scope_type": template.scope.type,
            "scope_id": template.scope.id,
            "creator": operator,
            "create_time": now_ms,
            "last_modify_user": operator,
            "last_modify_time": now_ms,
        }
        if plan_id is not None:
            values["id"] = plan_id
        with self.locked() as plans:
            if plans.template(template.id) is None:
                raise errors.TemplateUnknown(template.id)
            if plans.plan_named(template.id, name) is not None:
                raise errors.PlanExists(name)
            with transaction(plans._bind) as connection:
                return insert_row(connection, _plan, values)

    def update_plan(
        self,
        plan_id: int,
        template: JobTemplate,
        *,
        name: str,
        steps: frozenset[int] | None = None,
        variables: tuple[GlobalVariable, ...] | None = None,
        operator: str,
        now_ms: int,
    ) -> None:
        """Bring a plan up to date with its template, as create_plan() would make it now."""
        values = {
            **self._definition(template, name, steps, variables),
            "last_modify_user": operator,
            "last_modify_time": now_ms,
        }
        with transaction(self._bind) as connection:
            connection.execute(sa.update(_plan).where(_plan.c.id == plan_id).values(values))

    def delete_plan(self, plan_id: int) -> None:
        """Remove a plan. Raises PlanInUse (1243037) if a cron launches it."""
        try:
            with transaction(self._bind) as connection:
                connection.execute(sa.delete(_plan).where(_plan.c.id == plan_id))
        except sa.exc.IntegrityError as error:
            raise errors.PlanInUse(plan_id) from error

    def _definition(
        self,
        template: JobTemplate,
        name: str,
        steps: frozenset[int] | None,
        variables: tuple[GlobalVariable, ...] | None,
    ) -> dict[str, Any]:
        return {
            "name": name,
            "selection": codec.dumps(steps),
            "steps": self._rows.sealed_steps(template.steps),
            "variables": self._rows.sealed_variables(template.variables if variables is None else variables),
            "step_num": len([step for step in template.steps if steps is None or step.id in steps]),
            "template_version": template.version,
        }

    def _existing(self, template_id: int) -> JobTemplate:
        stored = self.template(template_id)
        if stored is None:
            raise errors.Internal(f"Job template [{template_id}] is gone while it is written")
        return stored

    def _one_template(self, *conditions: sa.ColumnElement[bool]) -> JobTemplate | None:
        with transaction(self._bind) as connection:
            row = connection.execute(sa.select(_template).where(*conditions)).one_or_none()
        return self._rows.to_template(row) if row else None


def _numbered(connection: sa.Connection, template_id: int, step: PlanStep, owned: set[int]) -> PlanStep:
    if step.id in owned:
        return step
    values = {"template_id": template_id, **({"id": step.id} if step.id else {})}
    return replace(step, id=insert_row(connection, _step, values))


def _numbered_variables(variables: tuple[GlobalVariable, ...]) -> list[GlobalVariable]:
    """Ids of variables are unique within their template only: a request names them beside the plan's id."""
    last = max((item.id for item in variables), default=0)
    numbered = []
    for item in variables:
        last += not item.id
        numbered.append(item if item.id else replace(item, id=last))
    return numbered


def _in(scope: Scope) -> sa.ColumnElement[bool]:
    return sa.and_(_template.c.scope_type == scope.type, _template.c.scope_id == scope.id)
