"""Whether a reply has what a row expects: objects may have more members, lists exactly these entries.

A string `<word>` in an expectation is a matcher; every other value is compared as it is, and its type counts.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

_INT64 = 1 << 63
_ABSENT = object()
_MATCHERS: dict[str, Callable[[Any], bool]] = {
    "int": lambda value: type(value) is int,
    "int64": lambda value: type(value) is int and -_INT64 <= value < _INT64,
    "id": lambda value: type(value) is int and 0 < value < _INT64,
    "ms": lambda value: type(value) is int and 10**12 < value < 10**13,
    "seconds": lambda value: type(value) in (int, float) and value >= 0,
    "time": lambda value: isinstance(value, str) and bool(re.match(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", value)),
    "string": lambda value: isinstance(value, str),
    "text": lambda value: isinstance(value, str) and value != "",
    "bool": lambda value: isinstance(value, bool),
    "present": lambda value: value is not _ABSENT,
    "absent": lambda value: value is _ABSENT,
    "null or absent": lambda value: value is None or value is _ABSENT,
    "list": lambda value: isinstance(value, list),
    "object": lambda value: isinstance(value, dict),
    "some": lambda value: isinstance(value, (list, dict)) and len(value) > 0,
}


def differences(expected: Any, found: Any, path: str = "reply") -> list[str]:
    """What is not as expected, in words; empty if all is."""
    return list(_differences(expected, found, path))


def _differences(expected: Any, found: Any, path: str) -> Iterator[str]:
    if isinstance(expected, str) and expected.startswith("<") and expected.endswith(">"):
        if not _matches(expected[1:-1], found):
            yield f"{path}: {expected}, not {_shown(found)}"
    elif isinstance(expected, dict):
        if not isinstance(found, dict):
            yield f"{path}: an object, not {_shown(found)}"
            return
        for key, value in expected.items():
            yield from _differences(value, found.get(key, _ABSENT), f"{path}.{key}")
    elif isinstance(expected, list):
        if not isinstance(found, list) or len(found) != len(expected):
            yield f"{path}: a list of {len(expected)}, not {_shown(found)}"
            return
        for index, value in enumerate(expected):
            yield from _differences(value, found[index], f"{path}[{index}]")
    elif type(expected) is not type(found) or expected != found:
        yield f"{path}: {expected!r}, not {_shown(found)}"


def _matches(matcher: str, found: Any) -> bool:
    kind, _, rest = matcher.partition(" ")
    if matcher in _MATCHERS:
        return _MATCHERS[matcher](found)
    match kind:
        case "has":  # a text with these words, or a list with this text
            return rest in found if isinstance(found, (str, list)) else False
        case "like":
            return isinstance(found, str) and re.search(rest, found, re.DOTALL) is not None
        case "of":
            return str(found) in rest.split("|") and not isinstance(found, (dict, list))
        case "entry":  # a list, one of whose entries has a member like that: <entry name=value>
            name, _, value = rest.partition("=")
            return isinstance(found, list) and any(
                isinstance(item, dict) and str(item.get(name)) == value for item in found
            )
    raise ValueError(f"no matcher: <{matcher}>")


def known_matcher(text: str) -> bool:
    """True if a text that looks like a matcher is one."""
    word = text[1:-1]
    return word in _MATCHERS or word.partition(" ")[0] in ("has", "like", "of", "entry")


def _shown(value: Any) -> str:
    return "absent" if value is _ABSENT else repr(value)[:200]
