"""Dangerous rules against scripts: lines, languages, and expressions that would take for ever."""

from __future__ import annotations

import threading
import time

import pytest

from adapter.job import dangerous
from adapter.job.dangerous import DangerousRule, RuleAction, TooSlow, expression_problem, findings


def rule(expression: str, *languages: int, enabled: bool = True) -> DangerousRule:
    return DangerousRule(
        id=1,
        expression=expression,
        languages=languages or (1,),
        action=RuleAction.SCAN,
        enabled=enabled,
    )


def found(expression: str, content: str, language: int = 1) -> list[tuple[int, str, str]]:
    """Line, its content, what matched."""
    return [
        (one.line, one.line_content, one.match_content)
        for one in findings([rule(expression, 1, 2, 3, 6)], language, content, lambda: False)
    ]


def test_each_line_that_matches_is_told() -> None:
    """Once, with the first match; blank lines and comments are never looked at, whatever ends a line."""
    content = "#!/bin/sh\n  # rm -rf /\n\n\trm -rf /; rm -rf /x\r\necho ok\n中 rm   -rf /\n"
    assert found(r"rm\s+-rf\s+/\w*", content) == [
        (4, "\trm -rf /; rm -rf /x", "rm -rf /"),
        (6, "中 rm   -rf /", "rm   -rf /"),
    ]


@pytest.mark.parametrize(
    ("expression", "lines"),
    [
        (r"^$", []),
        (r"^a$", [1, 4]),
        (r"x*", [1, 2, 4]),
        (r"b\s+a", []),
        (r"b[^q]a", []),
        (r"(?s)b.*a", []),
        (r"B", []),
        (r"(?i)B", [2]),
        (r"[\[]|b", [2]),
    ],
)
def test_an_expression_sees_one_line_at_a_time(expression: str, lines: list[int]) -> None:
    """^ and $ are a line's, and no match goes over its end."""
    assert [line for line, _, _ in found(expression, "a\r\nb\n\na")] == lines


@pytest.mark.parametrize(
    ("language", "comment"), [(1, " # x"), (2, "REM x"), (3, "#x"), (4, "# x"), (5, "# x"), (6, None)]
)
def test_comments_are_those_of_the_language(language: int, comment: str | None) -> None:
    """As JOB tells them; SQL has none."""
    rules = [rule("x", *range(1, 7))]
    assert len(findings(rules, language, comment or "", lambda: False)) == 0
    assert len(findings(rules, language, "x\n-- x\n", lambda: False)) == 2


def test_rules_are_of_languages_and_enabled_or_not() -> None:
    """Others are as if they were not there."""
    rules = [rule("a", 4), rule("a", 1, enabled=False), rule("b", 1)]
    assert [one.rule for one in findings(rules, 1, "a b", lambda: False)] == [rules[2]]


@pytest.mark.parametrize(
    "expression",
    [
        "", "x" * 251, "(", "a(?=b)", "a(?!b)", "(?<=a)b", r"(a)\1", "a++", r"\h", r"\Aa", r"a\z", r"a\Z",
        "(?-m)^a", "[a[bc]]", "[a-z&&[^b]]", "a{1000}{1000}", "((a?){40}){20}b$",
    ],
)  # fmt: skip
def test_expressions_that_cannot_be_kept_in_time_or_mean_something_else(expression: str) -> None:
    """They are refused when the rule is made."""
    assert expression_problem(expression)


@pytest.mark.parametrize(
    "expression", ["x" * 250, r"\\Aa", r"[\[\]]", "[]a]", "[^]a]", "(a+)+$", "(?<n>a)|中", r"\brm\b\s+-\w*r"]
)
def test_expressions_that_can(expression: str) -> None:
    """Also those that would run away elsewhere."""
    assert expression_problem(expression) is None


@pytest.mark.parametrize("expression", ["(a+)+$", "(a|aa)+$", "(.*)*(.*)*(.*)*!$", "^([a-zA-Z]+)*$"])
def test_no_expression_runs_away(expression: str) -> None:
    """Java's and Python's would take longer than the universe has; here it is far less than the bound."""
    began = time.monotonic()
    assert found(expression, "a" * 1_000_000 + "?") == []
    assert time.monotonic() - began < 5


def test_a_long_search_keeps_nobody_else_waiting() -> None:
    """The interpreter's lock is given up meanwhile: others get their turn."""
    slow = rule("((a?){40}){20}b$")  # more than expression_problem() lets through
    searching = threading.Thread(target=findings, args=([slow], 1, "a" * 15_000, lambda: False))
    began = time.monotonic()
    searching.start()
    turns = 0
    while searching.is_alive():
        time.sleep(0.005)
        turns += 1
    elapsed = time.monotonic() - began
    assert elapsed > 0.2
    assert turns > elapsed / 0.1


def test_whoever_has_no_time_left_is_told() -> None:
    """The clock is looked at between pieces of a script, so one without end in sight is given up."""
    looks: list[None] = []

    def is_late() -> bool:
        looks.append(None)
        return len(looks) > 3

    with pytest.raises(TooSlow):
        findings([rule("b")], 1, "a\n" * 1_000_000, is_late)
    assert len(looks) == 4


def test_lines_are_counted_over_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """However a script falls into them; a rule that matches everywhere is told a hundred times."""
    content = "\n".join(f"line {number}" for number in range(1, 400))
    for size in (1, 7, 100, 100_000):
        monkeypatch.setattr(dangerous, "_PIECE", size)
        assert [line for line, _, _ in found("line 3[0-9]?$", content)] == [3, *range(30, 40)]
        assert [line for line, _, _ in found("line", content)] == list(range(1, 101))
