"""The kit itself: it knows nothing of the service's code, and tells what is not as the contract says."""

from __future__ import annotations

import ast
import re
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from tests.conformance import __main__ as command
from tests.conformance.matching import differences, known_matcher
from tests.conformance.own import own_service
from tests.conformance.playing import play_all
from tests.conformance.profile import of
from tests.conformance.report import has_failed, report
from tests.conformance.rows import Row, contract, not_over_http, rows
from tests.conformance.values import Base64, Unknown, at, filled

HERE = Path(__file__).parent
#: Parts of section b that tests/contract/rows.yml has no section for, and section d's.
OTHER_SECTIONS = {"b1 who asks", "b2 scopes", "b3 envelopes", "b4 envelopes of v4", "d management"}


def test_it_imports_nothing_of_the_service() -> None:
    """So it can be pointed at any service: httpx, YAML, click and pytest are all that it needs."""
    allowed = {"httpx", "yaml", "click", "pytest"} | set(sys.stdlib_module_names)
    for path in HERE.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            for name in names:
                own = name.startswith("tests.conformance") or (
                    path.stem == "own" and name.startswith("tests.")
                )
                assert own or name.split(".")[0] in allowed, f"{path.name} imports {name}"


def test_the_table_is_whole() -> None:
    """Names are there once, sections and rules are the contract's, matchers are known."""
    table, rules = rows(), contract()
    assert len(table) >= 370
    assert len({(row.section, row.name) for row in table}) == len(table)
    for row in table:
        assert row.section in rules or row.section in OTHER_SECTIONS, row
        assert [rule for rule in row.rules if rule[1] not in rules.get(rule[0], ())] == [], row.name
        assert row.steps
        for step in row.steps:
            assert {"call", "path", "run", "told"} & step.keys(), row.name
        for text in _texts([{key: step[key] for key in step if key != "body"} for step in row.steps]):
            if text.startswith("<") and text.endswith(">"):
                assert known_matcher(text), (row.name, text)


def test_what_no_request_shows() -> None:
    """Each is a rule of the contract, has a reason, and has no row after all."""
    rules = {(section, rule) for section, found in contract().items() for rule in found}
    shown = {rule for row in rows() for rule in row.rules}
    reasons = not_over_http()
    assert set(reasons) - rules == set()
    assert set(reasons) & shown == set()
    assert all(0 < len(why) <= 60 for why in reasons.values())


def _texts(value: object) -> list[str]:
    if isinstance(value, str):
        return [value]
    items = list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else []
    return [text for item in items for text in _texts(item)]


@pytest.mark.parametrize(
    ("expected", "found"),
    [
        ({"a": 1}, {"a": 1, "b": 2}),
        ({"a": "<absent>"}, {}),
        ({"a": None}, {"a": None}),
        ([{"a": "<id>"}], [{"a": 7}]),
        ({"t": "<ms>"}, {"t": 1_700_000_000_000}),
        ("<like ^a.c$>", "abc"),
        ("<of 1|2>", 2),
        ("<entry id=3>", [{"id": 1}, {"id": 3}]),
    ],
)
def test_what_fits(expected: object, found: object) -> None:
    """Objects may have more members."""
    assert differences(expected, found) == []


@pytest.mark.parametrize(
    ("expected", "found"),
    [
        ({"a": 1}, {"a": "1"}),
        ({"a": 1}, {"a": True}),
        ({"a": None}, {}),
        ({"a": "<absent>"}, {"a": None}),
        ({"a": "<int64>"}, {"a": 2**63}),
        ({"t": "<ms>"}, {"t": 1_700_000_000}),
        ({"t": "<ms>"}, {"t": 1_700_000_000_000.0}),
        ([], [1]),
        ("<text>", ""),
        ("<has x>", None),
        ("<entry id=3>", []),
    ],
)
def test_what_does_not_fit(expected: object, found: object) -> None:
    """Types count, and null is not absent."""
    assert differences(expected, found)


def test_values() -> None:
    """A name that stands alone keeps its type; one that nobody knows is no empty text."""
    known = {"host": 7, "name": "n"}
    assert filled({"a": ["${host}", "x ${name}", Base64("${name}")]}, known) == {"a": [7, "x n", "bg=="]}
    assert at({"a": [{"b": 1}]}, "a.0.b") == 1
    with pytest.raises(Unknown):
        filled("${nobody}", known)


def _row(**step: object) -> Row:
    return Row(
        file="x.yml",
        name="x",
        section="c logs",
        rules=(("c logs", "nothing printed is null"),),
        says="so",
        needs=("ip",) if step.pop("need", False) else (),
        slow=False,
        steps=({"body": {}, **step},),
    )


def test_what_fails_is_told() -> None:
    """A service that is not there fails each row; what the profile has not is not run; rules are listed."""
    profile = of("http://127.0.0.1:9", {})
    outcomes = play_all(profile, [_row(call="v3 get_account_list"), _row(call="v3 x", need=True)])
    assert [outcome.verdict for outcome in outcomes] == ["failed", "not run"]
    rules = ["nothing printed is null", "another rule", "what needs a kill"]
    text = report(outcomes, {"c logs": rules}, {("c logs", "what needs a kill"): "kill"})
    assert "rules of the contract with a row: 1 of 3" in text
    assert "which no request shows: 1\n  c logs\n    - what needs a kill (kill)" in text
    assert "without a row: 1\n  c logs\n    - another rule" in text
    assert "2 rows: 0 passed, 1 failed, 1 not run" in text
    assert has_failed(outcomes)


def test_the_exit_code_tells() -> None:
    """1 if a row failed, as each does where nothing listens."""
    arguments = ["--base-url", "http://127.0.0.1:9", "--section", "b4"]
    done = CliRunner().invoke(command.main, arguments)
    assert done.exit_code == 1
    assert "failed" in done.output


@pytest.mark.timeout(180)
def test_this_service_conforms(tmp_path: Path) -> None:
    """The short form: every row but those that take long. All pass but what is served "not yet"."""
    table = [row for row in rows() if not row.slow]
    with own_service(tmp_path) as profile:
        outcomes = play_all(profile, table)
    not_yet = {f"not supported by the service: {dialect} {name}" for dialect, name in _not_yet()}
    failed = [outcome for outcome in outcomes if outcome.verdict != "passed"]
    assert [outcome for outcome in failed if not set(outcome.reasons) <= not_yet] == []


def _not_yet() -> list[tuple[str, str]]:
    """Dialects and names that docs/compatibility.md says so of."""
    text = (HERE.parents[1] / "docs" / "compatibility.md").read_text()
    found = []
    for dialect in ("v2", "v3", "v4"):
        section = text.split(f"\n## {dialect}\n")[1].split("\n## ")[0]
        found += [
            (dialect, name) for name in re.findall(r"^\| `([a-z_]+)` \| not yet \|", section, re.MULTILINE)
        ]
    return found
