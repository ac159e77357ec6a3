"""Rows of templates and plans as values; what is secret in a definition is sealed on its way in.

Sensitive script parameters and the values of cipher variables are encrypted in the stored definitions.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

import sqlalchemy as sa

from adapter.job.model import Scope
from adapter.job.plan import GlobalVariable, JobPlan, JobTemplate, PlanStep
from adapter.job.status import VariableType
from adapter.store import codec
from adapter.store.secrets import SecretBox
from adapter.store.tables import job_plan, job_template


def select_plans(*conditions: sa.ColumnElement[bool]) -> sa.Select[Any]:
    """Plans with what they have of their template."""
    return (
        sa.select(
            job_plan,
            job_template.c.name.label("template_name"),
            (job_plan.c.template_version != job_template.c.version).label("need_update"),
        )
        .join(job_template, job_template.c.id == job_plan.c.template_id)
        .where(*conditions)
    )


class DefinitionRows:
    """Reads and writes the definitions of templates with the key of their secrets."""

    def __init__(self, box: SecretBox) -> None:
        self._box = box

    def sealed_steps(self, steps: Iterable[PlanStep]) -> str:
        """The text of `job_template.steps` and `job_plan.steps`."""
        return codec.dumps([_with_param(step, self._box.encrypt) for step in steps])

    def sealed_variables(self, variables: Iterable[GlobalVariable]) -> str:
        """The text of `job_template.variables` and `job_plan.variables`."""
        return codec.dumps([_with_value(item, self._box.encrypt) for item in variables])

    def to_template(self, row: sa.Row[Any]) -> JobTemplate:
        """A row of `job_template`."""
        return JobTemplate(
            id=row.id,
            scope=Scope(row.scope_type, row.scope_id),
            name=row.name,
            steps=self._steps(row.steps),
            variables=self._variables(row.variables),
            description=row.description,
            version=row.version,
            creator=row.creator,
            create_time=row.create_time,
            last_modify_user=row.last_modify_user,
            last_modify_time=row.last_modify_time,
        )

    def to_plan(self, row: sa.Row[Any]) -> JobPlan:
        """A row of select_plans()."""
        steps = self._steps(row.steps)
        selection = selected(row.selection)
        ids = frozenset(step.id for step in steps)
        return JobPlan(
            id=row.id,
            template_id=row.template_id,
            template_name=row.template_name,
            scope=Scope(row.scope_type, row.scope_id),
            name=row.name,
            steps=steps,
            enabled=ids if selection is None else selection & ids,
            variables=self._variables(row.variables),
            need_update=row.need_update,
            creator=row.creator,
            create_time=row.create_time,
            last_modify_user=row.last_modify_user,
            last_modify_time=row.last_modify_time,
        )

    def _steps(self, text: str) -> tuple[PlanStep, ...]:
        return tuple(_with_param(step, self._box.decrypt) for step in codec.loads_many(PlanStep, text))

    def _variables(self, text: str) -> tuple[GlobalVariable, ...]:
        return tuple(_with_value(item, self._box.decrypt) for item in codec.loads_many(GlobalVariable, text))


def selected(text: str) -> frozenset[int] | None:
    """The ids of the text of `job_plan.selection`, None for all."""
    ids = json.loads(text)
    return None if ids is None else frozenset(ids)


def _with_param(step: PlanStep, change: Callable[[str], str]) -> PlanStep:
    if step.script is None or not step.script.param_sensitive:
        return step
    return replace(step, script=replace(step.script, param=change(step.script.param)))


def _with_value(variable: GlobalVariable, change: Callable[[str], str]) -> GlobalVariable:
    if variable.type != VariableType.CIPHER:
        return variable
    return replace(variable, value=change(variable.value))
