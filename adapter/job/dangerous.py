"""Dangerous rules: expressions that scripts are looked through for, line by line (contract section h).

The expressions are RE2's, whose time grows with the text and never explodes. What Java, and so JOB, has beyond
that is refused when a rule is made: an expression must not mean something else here, or nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache
from typing import Any

import re2

MAX_EXPRESSION = 250  #: characters
MAX_FINDINGS = 100  #: of one rule in one script; more would tell nobody more
_MAX_PROGRAM = 1_500  #: instructions: what one byte of a script may cost
_PIECE = 64 * 1024  #: bytes of whole lines that are looked through without a look at the clock
_MAX_SHOWN = 1_000  #: characters of a line that are kept

_COMMENT = {1: "#", 2: "REM", 3: "#", 4: "#", 5: "#"}  #: what a line that is never looked at begins with


class RuleAction(IntEnum):
    """What happens to a script that a rule matches."""

    SCAN = 1  #: it runs, and that is noted
    INTERCEPT = 2  #: it is refused


class TooSlow(Exception):
    """A script was not looked through in time."""


@dataclass(frozen=True, kw_only=True)
class DangerousRule:
    """One rule. A disabled one is only kept."""

    id: int
    expression: str
    languages: tuple[int, ...]
    action: RuleAction
    description: str = ""
    enabled: bool = False
    creator: str = ""
    create_time: int | None = None
    last_modify_user: str = ""
    last_modify_time: int | None = None


@dataclass(frozen=True, kw_only=True)
class Finding:
    """A line of a script that a rule matches."""

    rule: DangerousRule
    line: int  #: from 1
    line_content: str
    match_content: str


def expression_problem(expression: str) -> str | None:
    """Why an expression can be none of a rule; None if it can."""
    if not 0 < len(expression) <= MAX_EXPRESSION:
        return f"must have 1 to {MAX_EXPRESSION} characters"
    if re.search(r"(?<!\\)(?:\\\\)*\\[Az]", expression):
        return "is matched with single lines: use ^ and $ for \\A and \\z"
    if re.search(r"\(\?[a-zA-Z]*-[a-zA-Z]*m", expression):
        return "is matched with single lines: (?-m) cannot be"
    if _has_nested_class(expression):
        return "must not have a [ within [ ], nor && there; write \\[ for the character"
    try:
        size = _compiled(expression).programsize
    except re2.error as error:
        words = error.args[0].decode("utf-8", "replace") if error.args else str(error)
        return f"is no regular expression that can be used ({words}); look-around and back-references cannot"
    return None if size <= _MAX_PROGRAM else "would take too long: use smaller counts in { }"


def findings(
    rules: Iterable[DangerousRule], language: int, content: str, is_late: Callable[[], bool]
) -> list[Finding]:
    """The lines that enabled rules of the language match, by line; comments and blank lines are left out.

    Raises TooSlow when `is_late` says so.
    """
    pieces = list(_pieces(content.replace("\r\n", "\n").encode("utf-8", "replace")))
    found: list[Finding] = []
    for rule in rules:
        if rule.enabled and language in rule.languages:
            found += _of_rule(rule, language, pieces, is_late)
    return sorted(found, key=lambda finding: finding.line)


def _of_rule(
    rule: DangerousRule, language: int, pieces: list[tuple[int, bytes]], is_late: Callable[[], bool]
) -> list[Finding]:
    pattern, found = _compiled(rule.expression), []
    for first_line, piece in pieces:
        if is_late():
            raise TooSlow
        for line, text, match in _matching_lines(pattern, piece):
            if text.strip() and not _is_comment(language, text):
                found.append(
                    Finding(
                        rule=rule,
                        line=first_line + line,
                        line_content=text[:_MAX_SHOWN],
                        match_content=match[:_MAX_SHOWN],
                    )
                )
                if len(found) == MAX_FINDINGS:
                    return found
    return found


def _matching_lines(pattern: Any, piece: bytes) -> Iterator[tuple[int, str, str]]:
    """Number from 0, text and first match of each line that has one."""
    start, line = 0, 0
    while start <= len(piece):
        match = pattern.search(piece, start)
        if match is None:
            return
        at = match.start()
        begin = piece.rfind(b"\n", 0, at) + 1
        end = piece.find(b"\n", at)
        end = len(piece) if end < 0 else end
        line += piece.count(b"\n", start, begin)
        yield line, piece[begin:end].decode("utf-8", "replace"), match.group().decode("utf-8", "replace")
        start, line = end + 1, line + 1


def _pieces(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Whole lines together, each with the number of its first."""
    start, line = 0, 1
    while start < len(data):
        end = data.find(b"\n", start + _PIECE)
        end = len(data) if end < 0 else end
        yield line, data[start:end]
        line += data.count(b"\n", start, end) + 1
        start = end + 1


def _is_comment(language: int, text: str) -> bool:
    mark = _COMMENT.get(language)
    return mark is not None and text.strip().startswith(mark)


def _has_nested_class(expression: str) -> bool:
    """True for what Java reads as a class in a class, and RE2 as the character [."""
    is_inside, escaped, first = False, False, 0
    for at, character in enumerate(expression):
        if escaped:
            escaped = False
        elif character == "\\":
            escaped = True
        elif not is_inside and character == "[":
            is_inside, first = True, at + 1
            first += expression.startswith("^", first)
        elif is_inside and (character == "[" or expression.startswith("&&", at)):
            return True
        elif is_inside and character == "]" and at != first:
            is_inside = False
    return False


@lru_cache(maxsize=1024)
def _compiled(expression: str) -> Any:
    options = re2.Options()
    options.log_errors = False
    options.never_nl = True  # no match goes over the end of a line
    return re2.compile(f"(?m){expression}".encode(), options)
