"""The `templates` of a definition file; their plans are in adapter.service.apply_plans."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from adapter.job.plan import GlobalVariable, JobTemplate, PlanStep
from adapter.service import rules
from adapter.service.apply_file import Node, refuse_repeated
from adapter.service.apply_plans import apply_plans, described
from adapter.service.apply_session import Session
from adapter.service.apply_steps import read_step, read_variable

_MAX_NAME = 255


def apply_templates(session: Session, nodes: list[Node]) -> None:
    """Create, update or delete each. A template's steps and variables are replaced as a whole; other plans stay."""
    refuse_repeated(nodes, "id", [_apply_one(session, node) for node in nodes])


def _apply_one(session: Session, node: Node) -> int | None:
    is_absent = node.is_absent()
    name = node.text("name", rule=lambda value: rules.label(value, _MAX_NAME))
    stored = _stored_template(session, node, name)
    if is_absent:
        node.finish()
        if stored is not None and stored.name != name:
            node.fail("name", f"[{name}] is not the name of template {stored.id}, which is [{stored.name}]")
        if stored is not None:
            session.plans.delete_template(stored.id)
            session.changed("deleted", "template", stored.name, stored.id)
        return stored.id if stored else None
    template = _apply_template(session, node, name, stored)
    apply_plans(session, template, node.children("plans"))
    node.finish()
    return template.id


def _apply_template(session: Session, node: Node, name: str, stored: JobTemplate | None) -> JobTemplate:
    variables = _variables(node, stored)
    steps = _steps(session, node, stored, variables)
    author: dict[str, Any] = {"operator": session.operator, "now_ms": session.now_ms}
    definition: dict[str, Any] = {
        "name": name,
        "description": node.text("description", ""),
        "steps": steps,
        "variables": variables,
    }
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
            item.fail("id", f"step {step.id} belongs to {described(session, owner)}")
    taken = {step.id for step in steps}
    known = {step.name: step.id for step in (stored.steps if stored else ()) if step.id not in taken}
    steps = [step if step.id else replace(step, id=known.get(step.name, 0)) for step in steps]
    refuse_repeated(nodes, "id", [step.id or None for step in steps])
    return tuple(steps)
