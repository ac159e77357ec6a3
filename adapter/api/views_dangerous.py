"""What v3 answers about dangerous rules (contract d)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from adapter.api.views_catalog import authorship
from adapter.job.dangerous import DangerousRule, Finding
from adapter.job.script_check import SyntaxProblem

_ERROR, _FATAL = 2, 3  #: JOB's levels of what the shell cannot read, and of whatever a rule has found


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


def findings(values: Iterable[Finding | SyntaxProblem]) -> list[dict[str, Any]]:
    """check_script."""
    return [_finding(value) for value in values]


def _finding(value: Finding | SyntaxProblem) -> dict[str, Any]:
    if isinstance(value, SyntaxProblem):
        line, match, level, description = None, None, _ERROR, value.description
    else:
        line, match, level = value.line_content, value.match_content, _FATAL
        description = value.rule.description
    return {
        "line": value.line,
        "line_content": line,
        "match_content": match,
        "level": level,
        "description": description,
    }
