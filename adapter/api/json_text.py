"""JSON from strangers: everything that would hurt further in is refused here, with the reason."""

from __future__ import annotations

import json
import re
from typing import Any, NoReturn

from adapter.errors import Unreadable
from adapter.messages import say

MAX_DEPTH = 64  #: levels of nesting; JOB's own requests have six

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_TO_CHECK = (str, dict, list)


def parse(text: str, what: str) -> Any:
    """The value of a JSON text; `what` names it in messages.

    Raises Unreadable for malformed JSON, NaN and Infinity, numbers of thousands of digits, nesting beyond
    MAX_DEPTH, and strings with NUL characters or lone surrogates (no database stores them).
    """
    try:
        value = json.loads(text, parse_constant=_refuse_constant)
    except RecursionError:
        raise _too_deep(what) from None
    except ValueError as error:
        raise Unreadable(
            say("{what} is not valid JSON: {reason}; send one JSON object", what=what, reason=error)
        ) from None
    check_strings(value, what)
    return value


def check_strings(value: Any, what: str) -> None:
    """Raise Unreadable for nesting beyond MAX_DEPTH and for strings that cannot be stored."""
    _check(value, what, what, 0)


def shown(value: Any) -> str:
    """A value as messages quote it: short, in plain ASCII."""
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, list):
        return f"a list of {len(value)}"
    if isinstance(value, int) and not isinstance(value, bool) and value.bit_length() > 128:
        return "a number of more than 38 digits"
    text = json.dumps(value[:61] if isinstance(value, str) else value)
    return text if len(text) <= 64 else f"{text[:60]}…"


def _check(value: Any, name: str, what: str, depth: int) -> None:
    """Goes down one branch after the other: a body of millions of empty lists takes no memory here."""
    if isinstance(value, str):
        if found := _UNSTORABLE.search(value):
            raise _unstorable(name, found)
        return
    if depth > MAX_DEPTH:
        raise _too_deep(what)
    if isinstance(value, dict):
        for key, item in value.items():
            if isinstance(item, _TO_CHECK):
                _check(item, key[:64], what, depth + 1)
    elif isinstance(value, list):
        for item in value:
            if isinstance(item, _TO_CHECK):
                _check(item, name, what, depth + 1)


def _unstorable(name: str, found: re.Match[str]) -> Unreadable:
    return Unreadable(
        say(
            "{name} has the character U+{character} at position {position}, which cannot be stored; remove it",
            name=name,
            character=f"{ord(found.group()):04X}",
            position=found.start(),
        )
    )


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON number")


def _too_deep(what: str) -> Unreadable:
    return Unreadable(
        say("{what} is nested deeper than {limit} levels; flatten it", what=what, limit=MAX_DEPTH)
    )
