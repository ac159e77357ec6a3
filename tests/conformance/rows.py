"""The table: rows/*.yml, one file for each section of the contract."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.conformance.values import load

ROWS = Path(__file__).parent / "rows"
RULES = Path(__file__).parents[1] / "contract" / "rows.yml"
_NOT_OVER_HTTP = Path(__file__).parent / "not_over_http.yml"
#: What is no step of its own.
_OF_ROW = {"name", "section", "rule", "also", "says", "needs", "slow", "steps"}

Rule = tuple[str, str]  #: a section of tests/contract/rows.yml, and one of its rules


@dataclass(frozen=True, kw_only=True)
class Row:
    """One thing that the contract says, and the requests that show it."""

    file: str
    name: str
    section: str  #: a section of tests/contract/rows.yml
    rules: tuple[Rule, ...]  #: which it shows something of
    says: str  #: what the contract says
    needs: tuple[str, ...]  #: values that the profile must have
    slow: bool  #: left out of the short form
    steps: tuple[Mapping[str, Any], ...]


def rows() -> list[Row]:
    """All of them."""
    return [row for path in sorted(ROWS.glob("*.yml")) for row in _of(path)]


def _of(path: Path) -> Iterator[Row]:
    loaded = load(path)
    bodies = loaded.get("bodies", {})
    for section, items in loaded["rows"].items():
        for item in items:
            plain = {key: value for key, value in item.items() if key not in _OF_ROW}
            steps = item.get("steps") or [plain]
            shown = [(section, item.get("rule", ())), *item.get("also", {}).items()]
            yield Row(
                file=path.name,
                name=item["name"],
                section=section,
                rules=tuple((of, rule) for of, named in shown for rule in _list(named)),
                says=item.get("says", item["name"]),
                needs=tuple(item.get("needs", ())),
                slow=bool(item.get("slow", False)),
                steps=tuple({**step, "body": _body(step, bodies)} for step in steps),
            )


def _body(step: Mapping[str, Any], bodies: Mapping[str, Any]) -> dict[str, Any]:
    """A named body with changes; null takes a member away."""
    if "from" not in step:
        return dict(step.get("body", {}))
    changed = {**bodies[step["from"]], **step.get("with", {})}
    return {name: value for name, value in changed.items() if value is not None}


def _list(named: str | Sequence[str]) -> Sequence[str]:
    return [named] if isinstance(named, str) else named


def not_over_http() -> dict[Rule, str]:
    """Rules that no request shows, and in a word why."""
    loaded: dict[str, dict[str, str]] = load(_NOT_OVER_HTTP)
    return {(section, rule): why for section, rules in loaded.items() for rule, why in rules.items()}


def contract() -> dict[str, list[str]]:
    """Sections and rules of tests/contract/rows.yml."""
    loaded: dict[str, dict[str, Any]] = load(RULES)
    return {section: list(rules) for section, rules in loaded.items()}
