"""What a new plan takes of its template, and what it says itself (v4 create_job_plan)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from adapter import errors
from adapter.job.model import Server
from adapter.job.plan import MASK, GlobalVariable, JobTemplate
from adapter.job.status import VariableType
from adapter.messages import say
from adapter.service import rules


@dataclass(frozen=True, kw_only=True)
class GivenVariable:
    """A value for a variable of the template: `server` for one of hosts, `value` for all others."""

    name: str
    value: str | None = field(default=None, repr=False)
    server: Server | None = None
    follow_template: bool = False


def selection(template: JobTemplate, steps: Sequence[int] | None) -> frozenset[int] | None:
    """The steps that run, None for all. Raises ReasonedParameter for one that the template has not."""
    if steps is None:
        return None
    known = {step.id for step in template.steps}
    for id_ in steps:
        if id_ not in known:
            raise errors.ReasonedParameter(
                "enable_steps",
                say("step {id} is not in template {template_id}", id=id_, template_id=template.id),
            )
    return frozenset(steps)


def variables(template: JobTemplate, given: Sequence[GivenVariable]) -> tuple[GlobalVariable, ...]:
    """The template's variables with the given values. Raises ReasonedParameter for a value that cannot be one."""
    known = {item.name: item for item in template.variables}
    own: dict[str, GlobalVariable] = {}
    for item in given:
        if item.name in own:
            raise _refused("variables", "{name} is listed twice", item)
        if item.name not in known:
            raise _refused("variables", "the template has no variable {name}", item)
        own[item.name] = _with_value(known[item.name], item)
    return tuple(own.get(item.name, item) for item in template.variables)


def _with_value(variable: GlobalVariable, given: GivenVariable) -> GlobalVariable:
    if variable.type == VariableType.HOSTS:
        return _with_server(variable, given)
    if given.server is not None:
        raise _refused("variables[].execute_target", "{name} has a value, it is no variable of hosts", given)
    if given.follow_template or given.value is None:
        return variable
    if variable.type == VariableType.CIPHER and given.value == MASK:
        return variable  # what replies show instead of the value, sent back
    problem = rules.variable_value(given.value, variable.type)
    if problem:
        raise errors.ReasonedParameter("variables[].value", f"{given.name}: {problem}")
    return replace(variable, value=given.value)


def _with_server(variable: GlobalVariable, given: GivenVariable) -> GlobalVariable:
    target = "variables[].execute_target"
    if given.value is not None:
        raise _refused("variables[].value", "{name} is a variable of hosts; use execute_target", given)
    if given.follow_template:
        if given.server is not None:
            raise _refused(target, "{name} follows its template; leave execute_target out", given)
        return variable
    if given.server is None or given.server.is_empty:
        raise _refused(target, "{name} needs at least one host, dynamic group or topology node", given)
    return replace(variable, server=given.server)


def _refused(field_: str, template: str, given: GivenVariable) -> errors.ReasonedParameter:
    return errors.ReasonedParameter(field_, say(template, name=given.name))
