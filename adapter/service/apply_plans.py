"""The `plans` of a template in a definition file: each is brought up to date with its template."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from adapter.job.plan import GlobalVariable, JobPlan, JobTemplate
from adapter.job.status import VariableType
from adapter.service import rules
from adapter.service.apply_file import Node, refuse_repeated
from adapter.service.apply_session import Session
from adapter.service.apply_steps import read_server

_MAX_NAME = 255


def apply_plans(session: Session, template: JobTemplate, nodes: list[Node]) -> None:
    """Create, update or delete each. Plans that are not listed keep their steps until they are."""
    refuse_repeated(nodes, "id", [_apply_plan(session, template, node) for node in nodes])


def _apply_plan(session: Session, template: JobTemplate, node: Node) -> int | None:
    is_absent = node.is_absent()
    stored, name = _stored_plan(session, template, node)
    if is_absent:
        node.finish()
        if stored is not None and stored.name != name:
            node.fail("name", f"[{name}] is not the name of plan {stored.id}, which is [{stored.name}]")
        if stored is not None:
            session.plans.delete_plan(stored.id)
            session.changed("deleted", "plan", stored.name, stored.id)
        return stored.id if stored else None
    plan_id = node.identifier()
    definition: dict[str, Any] = {
        "name": name,
        "steps": _selection(template, node),
        "variables": _variables(template, node),
    }
    node.finish()
    author: dict[str, Any] = {"operator": session.operator, "now_ms": session.now_ms}
    if stored is None:
        plan_id = session.plans.create_plan(template, plan_id=plan_id, **definition, **author)
        session.changed("created", "plan", name, plan_id)
        return plan_id
    if not _is_as(session, stored, definition):
        session.plans.update_plan(stored.id, template, **definition, **author)
        session.changed("updated", "plan", name, stored.id)
    return stored.id


def _stored_plan(session: Session, template: JobTemplate, node: Node) -> tuple[JobPlan | None, str]:
    plan_id = node.identifier()
    name = node.text("name", rule=lambda value: rules.label(value, _MAX_NAME))
    named = session.plans.plan_named(template.id, name)
    stored = named if plan_id is None else session.plans.get(plan_id)
    if stored is not None and stored.template_id != template.id:
        node.fail("id", f"plan {stored.id} belongs to {described(session, stored.template_id)}")
    if named is not None and (stored is None or named.id != stored.id):
        node.fail("name", f"[{name}] is the plan of id {named.id} in this template")
    return stored, name


def _is_as(session: Session, stored: JobPlan, definition: dict[str, Any]) -> bool:
    return not stored.need_update and definition == {
        "name": stored.name,
        "steps": session.plans.selection(stored.id),
        "variables": stored.variables,
    }


def _selection(template: JobTemplate, node: Node) -> frozenset[int] | None:
    """The ids of `steps`, which are ids or names of the template's; None, all of them, if it is left out."""
    if node.raw("steps") is None:
        return None
    by_key: dict[object, int] = {}
    for step in template.steps:
        by_key[step.id] = by_key[step.name] = step.id
    selected = set()
    for index, item in enumerate(node.items("steps")):
        if not isinstance(item, (int, str)) or isinstance(item, bool) or item not in by_key:
            node.fail(f"steps[{index}]", f"no step of id or name [{item}] in template [{template.name}]")
        selected.add(by_key[item])
    if not selected:
        node.fail("steps", "needs at least one step; leave it out for all steps")
    return frozenset(selected)


def _variables(template: JobTemplate, node: Node) -> tuple[GlobalVariable, ...]:
    """The template's, with the values that `variables` gives some of them."""
    nodes = node.children("variables")
    known = {item.name: item for item in template.variables}
    own = [_own_variable(known, item, template.name) for item in nodes]
    refuse_repeated(nodes, "name", [item.name for item in own])
    values = {item.name: item for item in own}
    return tuple(values.get(item.name, item) for item in template.variables)


def _own_variable(known: dict[str, GlobalVariable], node: Node, template: str) -> GlobalVariable:
    name = node.text("name")
    if name not in known:
        node.fail("name", f"no variable [{name}] in template [{template}]")
    variable = known[name]
    if variable.type == VariableType.HOSTS:
        variable = replace(variable, server=read_server(node.child("server"), None))
    else:
        rule = lambda text: rules.variable_value(text, variable.type)  # noqa: E731
        variable = replace(variable, value=node.text("value", rule=rule))
    node.finish()
    return variable


def described(session: Session, template_id: int) -> str:
    """A template as a complaint names it."""
    template = session.plans.template(template_id)
    return f"template [{template.name}] of {template.scope}" if template else f"template {template_id}"
