"""What v3 answers about dangerous rules (contract d)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from adapter.api.views_catalog import authorship
from adapter.job.dangerous import DangerousRule, Finding

_FATAL = 3  #: the level of whatever a rule has found


def rule(value: DangerousRule) -> dict[str, Any]:
    """A rule."""
    return {
        "id": value.id,
        "expression": value.expression,
        "script_language_list": list(value.languages),
        "description": value.description,
        "action": int(value.action),
        "status": int(value.enabled),
        **authorship(value),
    }


def rules(values: Iterable[DangerousRule]) -> list[dict[str, Any]]:
    """get_dangerous_rule_list, which has no pages."""
    return [rule(value) for value in values]


def status(value: DangerousRule) -> dict[str, Any]:
    """enable_dangerous_rule, disable_dangerous_rule."""
    return {"id": value.id, "status": int(value.enabled)}


def findings(values: Iterable[Finding]) -> list[dict[str, Any]]:
    """check_script."""
    return [
        {
            "line": value.line,
            "line_content": value.line_content,
            "match_content": value.match_content,
            "level": _FATAL,
            "description": value.rule.description,
        }
        for value in values
    ]
