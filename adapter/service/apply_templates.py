"""The `templates` of a definition file, with their plans."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from adapter.job.plan import GlobalVariable, PlanStep
from adapter.service import rules
from adapter.service.apply_file import Node, refuse_repeated
from adapter.service.apply_session import Session
from adapter.service.apply_steps import read_step, read_variable
from adapter.store.plan_rows import JobTemplate

_MAX_NAME = 255


def apply_templates(session: Session, nodes: list[Node]) -> None:
    """Create or update each. A template's steps and variables are replaced as a whole; other plans stay."""
    seen = []
    for node in nodes:
        template = _apply_template(session, node)
        plans = node.children("plans")
        refuse_repeated(plans, "id", [_apply_plan(session, template, plan) for plan in plans])
        node.finish()
        seen.append(template.id)
    refuse_repeated(nodes, "id", seen)


def _apply_template(session: Session, node: Node) -> JobTemplate:
    name = node.text("name", rule=lambda value: rules.label(value, _MAX_NAME))
    stored = _stored_template(session, node, name)
    variables = _variables(node, stored)
    steps = _steps(session, node, stored, variables)
    author: dict[str, Any] = {"operator": session.operator, "now_ms": session.now_ms}
    definition: dict[str, Any] = {"name": name, "steps": steps, "variables": variables}
    if stored is None:
        template_id = node.identifier()
        stored = session.plans.create_template(session.scope, template_id=template_id, **definition, **author)
        session.changed("created", "template", name, stored.id)
    elif any(getattr(stored, key) != value for key, value in definition.items()):
        stored = session.plans.update_template(stored.id, **definition, **author)
        session.changed("updated", "template", name, stored.id)
    return stored


def _stored_template(session: Session, node: Node, name: str) -> JobTemplate | None:
    template_id = node.identifier()
    named = session.plans.template_named(session.scope, name)
    stored = named if template_id is None else session.plans.template(template_id)
    if stored is not None and stored.scope != session.scope:
        node.fail("id", f"template {stored.id} belongs to {stored.scope}, not to {session.scope}")
    if named is not None and (stored is None or named.id != stored.id):
        node.fail("name", f"[{name}] is the template of id {named.id} in {session.scope}")
    return stored


def _variables(node: Node, stored: JobTemplate | None) -> tuple[GlobalVariable, ...]:
    """A variable without an id keeps the id it has by its name."""
    nodes = node.children("variables")
    variables = [read_variable(item) for item in nodes]
    refuse_repeated(nodes, "name", [item.name for item in variables])
    taken = {item.id for item in variables}
    known = {item.name: item.id for item in (stored.variables if stored else ()) if item.id not in taken}
    variables = [item if item.id else replace(item, id=known.get(item.name, 0)) for item in variables]
    refuse_repeated(nodes, "id", [item.id or None for item in variables])
    return tuple(variables)


def _steps(
    session: Session, node: Node, stored: JobTemplate | None, variables: tuple[GlobalVariable, ...]
) -> tuple[PlanStep, ...]:
    """A step without an id keeps the id it has by its name, so that plans and clients still mean it."""
    nodes = node.children("steps")
    if not nodes:
        node.fail("steps", "needs at least one step")
    types = {item.name: item.type for item in variables}
    steps = [read_step(session, item, types) for item in nodes]
    refuse_repeated(nodes, "name", [step.name for step in steps])
    for item, step in zip(nodes, steps, strict=True):
        owner = session.plans.step_owner(step.id)
        if owner is not None and (stored is None or owner != stored.id):
            item.fail("id", f"step {step.id} belongs to {_described(session, owner)}")
    taken = {step.id for step in steps}
    known = {step.name: step.id for step in (stored.steps if stored else ()) if step.id not in taken}
    steps = [step if step.id else replace(step, id=known.get(step.name, 0)) for step in steps]
    refuse_repeated(nodes, "id", [step.id or None for step in steps])
    return tuple(steps)


def _apply_plan(session: Session, template: JobTemplate, node: Node) -> int:
    plan_id = node.identifier()
    name = node.text("name", rule=lambda value: rules.label(value, _MAX_NAME))
    selection = _selection(template, node)
    node.finish()
    named = session.plans.plan_named(template.id, name)
    stored = named if plan_id is None else session.plans.get(plan_id)
    author: dict[str, Any] = {"operator": session.operator, "now_ms": session.now_ms}
    if stored is not None and stored.template_id != template.id:
        node.fail("id", f"plan {stored.id} belongs to {_described(session, stored.template_id)}")
    if named is not None and (stored is None or named.id != stored.id):
        node.fail("name", f"[{name}] is the plan of id {named.id} in this template")
    if stored is None:
        plan_id = session.plans.create_plan(
            template.id, name=name, steps=selection, plan_id=plan_id, **author
        )
        session.changed("created", "plan", name, plan_id)
        return plan_id
    if stored.name != name or session.plans.selection(stored.id) != selection:
        session.plans.update_plan(stored.id, name=name, steps=selection, **author)
        session.changed("updated", "plan", name, stored.id)
    return stored.id


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


def _described(session: Session, template_id: int) -> str:
    template = session.plans.template(template_id)
    return f"template [{template.name}] of {template.scope}" if template else f"template {template_id}"
