"""The `dangerous_rules` of a definition file: of every business, whatever the file's scope."""

from __future__ import annotations

from adapter.job.dangerous import RuleAction, expression_problem
from adapter.service import rules
from adapter.service.apply_file import Node, refuse_repeated
from adapter.service.apply_session import Session
from adapter.service.dangerous_scripts import MAX_DESCRIPTION, language_list
from adapter.store.dangerous import RuleFields


def apply_dangerous_rules(session: Session, nodes: list[Node]) -> None:
    """Create or update each, found by expression and languages. What is left out keeps its value."""
    seen = []
    for node in nodes:
        expression = node.text(
            "expression", rule=lambda value: rules.text(value) or expression_problem(value)
        )
        languages = node.numbers("script_language_list")
        node.checked("script_language_list", languages, language_list)
        fields: RuleFields = {
            "action": node.number("action", rule=lambda value: rules.one_of(value, tuple(RuleAction)))
        }
        if node.has("description"):
            fields["description"] = node.text("description", "", _description)
        if node.has("enabled"):
            fields["enabled"] = node.flag("enabled", True)
        node.finish()
        seen.append(_save(session, expression, tuple(sorted(set(languages))), fields))
    refuse_repeated(nodes, "expression", seen)


def _description(value: str) -> str | None:
    return rules.text(value) or rules.characters(value, MAX_DESCRIPTION)


def _save(session: Session, expression: str, languages: tuple[int, ...], fields: RuleFields) -> int:
    stored = session.dangerous.of(expression, languages)
    if stored is None:
        new: RuleFields = {"enabled": True, **fields, "expression": expression, "languages": languages}
        rule = session.dangerous.create(new, operator=session.operator, now_ms=session.now_ms)
        session.changed("created", "dangerous rule", expression, rule.id)
        return rule.id
    if any(getattr(stored, name) != value for name, value in fields.items()):
        session.dangerous.update(stored.id, fields, operator=session.operator, now_ms=session.now_ms)
        session.changed("updated", "dangerous rule", expression, stored.id)
    return stored.id
