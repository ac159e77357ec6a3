"""tests/contract/rows.yml names tests and words that there are."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import pytest
import yaml

from adapter import errors
from adapter.api.apis import V2, V3

TESTS = Path(__file__).parents[1]
ROWS: dict[str, dict[str, str | list[str]]] = yaml.safe_load((TESTS / "contract" / "rows.yml").read_text())
TEXT = (TESTS / "contract" / "rows.yml").read_text()
DOCUMENT = " ".join((TESTS.parent / "docs" / "compatibility.md").read_text().split())
EVIDENCE = [
    (f"{section}: {rule}", what)
    for section, rules in ROWS.items()
    for rule, found in rules.items()
    for what in ([found] if isinstance(found, str) else found)
]


@cache
def _tests_of(file: str) -> set[str]:
    """The names of a file's tests, at its top or in a class."""
    tree = ast.parse((TESTS / f"{file}.py").read_text())
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}


def test_what_shows_each_row_is_there() -> None:
    """A test in its file, or words in docs/compatibility.md."""
    gone = []
    for row, what in EVIDENCE:
        file, _, name = what.partition("::")
        if name:
            is_there = (TESTS / f"{file}.py").is_file() and name in _tests_of(file)
        else:
            is_there = len(what) > 10 and what in DOCUMENT
        if not is_there:
            gone.append(f"{row}: {what}")
    assert gone == []


def test_every_section_has_rows() -> None:
    """Each rule stands there once: of two of the same words YAML would keep one."""
    sections = {section.split()[0] for section in ROWS}
    assert sections == {"b5", "c", "d", "e", "f", "g", "h", "i", "bad"}
    assert len(re.findall("^  [^ #]", TEXT, re.MULTILINE)) == sum(map(len, ROWS.values()))
    assert len(re.findall("^[^ #\n]", TEXT, re.MULTILINE)) == len(ROWS)


def _codes(root: type[errors.JobError] = errors.JobError) -> set[int]:
    return {root.code}.union(*map(_codes, root.__subclasses__()))


def test_every_error_code_has_a_row() -> None:
    """Of all that the service can answer."""
    rules = " ".join(ROWS["b5 error codes"])
    assert {code for code in _codes() if str(code) not in rules} == set()


@pytest.mark.parametrize("served", [V2, V3], ids=["v2", "v3"])
def test_every_launch_has_rows(served: Mapping[str, object]) -> None:
    """By its name, in a section or a rule."""
    text = " ".join(f"{section} {rule}" for section, rules in ROWS.items() for rule in rules)
    names = {name for name in served if name.startswith(("fast_", "execute_", "push_config"))}
    assert {name for name in names if name not in text} == set()
