"""Values of array variables as JOB writes them, `("a" "b")` or `(["k"]="v")`: read as data, never by a shell.

Words may be bare, in single or in double quotes, or of such parts. What a shell would expand ($, `, globs, braces)
is not taken: it would run on the hosts, or mean another thing there; within single quotes it is text.
"""

from __future__ import annotations

from collections.abc import Iterable

from adapter.job.status import VariableType
from adapter.messages import Phrase, say

Items = tuple[tuple[str, str], ...]  #: key and value; an index array's keys are numbers

#: What a bare word cannot have: a shell would make something else of it.
_SPECIAL = frozenset("$`();&|<>*?{}[]~!#")
_EXPANDED = frozenset("$`")
_MAX_INDEX = 2**31


class NotAnArray(ValueError):
    """The text is no array; `reason` says why, with the place."""

    def __init__(self, reason: Phrase) -> None:
        super().__init__(reason)
        self.reason = reason


def parse(text: str, kind: VariableType) -> Items:
    """The array's keys and values in order; of a key that is there twice the last value. Raises NotAnArray."""
    text = text.strip()
    if not text:
        return ()
    if not (text.startswith("(") and text.endswith(")") and len(text) > 1):
        raise NotAnArray(say('must be written as ("value" …) or (["key"]="value" …)'))
    reader = _Reader(text[1:-1])
    items: dict[str, str] = {}
    while not reader.is_at_end():
        key = reader.key()
        if kind == VariableType.ASSOC_ARRAY:
            if not key:
                raise NotAnArray(say('each value of an associative array must have a key, ["key"]="value"'))
        else:
            key = str(_index(key, items))
        items.pop(key, None)  # the last that was said is the last
        items[key] = reader.word()
    return tuple(items.items())


def literal(items: Iterable[tuple[str, str]]) -> str:
    """The text that parse() reads as these keys and values."""
    return "(" + " ".join(f"[{quoted(key)}]={quoted(value)}" for key, value in items) + ")"


def quoted(value: str) -> str:
    """As a POSIX shell reads it back: between single quotes nothing is special but the quote itself."""
    return "'" + value.replace("'", "'\\''") + "'"


def _index(key: str | None, items: dict[str, str]) -> int:
    """The place of a value: what is said, else the one after the last."""
    if key is None:
        return int(next(reversed(items), "-1")) + 1
    if not (key.isascii() and key.isdigit()) or int(key) >= _MAX_INDEX:
        raise NotAnArray(say("[{key}] is no index, a whole number from 0", key=key))
    return int(key)


class _Reader:
    """Reads words from left to right."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0

    def is_at_end(self) -> bool:
        """True if nothing but white space is left, which is passed over."""
        while self._peek().isspace():
            self._at += 1
        return not self._peek()

    def key(self) -> str | None:
        """The key before the next value, None if it has none."""
        if self._peek() != "[":
            return None
        self._at += 1
        key = self._parts("]")
        if self._text[self._at : self._at + 2] != "]=":
            raise NotAnArray(say("]= is missing at character {place}", place=self._place()))
        self._at += 2
        return key

    def word(self) -> str:
        """One word, up to white space or the end."""
        return self._parts("")

    def _parts(self, end: str) -> str:
        parts: list[str] = []
        while (char := self._peek()) and char != end and not (char.isspace() and not end):
            if char == "'":
                parts.append(self._single())
            elif char == '"':
                parts.append(self._double())
            elif char == "\\":
                parts.append(self._text[self._at + 1 : self._at + 2])
                self._at += 2
            elif char in _SPECIAL:
                raise self._special(char)
            else:
                parts.append(char)
                self._at += 1
        return "".join(parts)

    def _single(self) -> str:
        end = self._text.find("'", self._at + 1)
        if end < 0:
            raise NotAnArray(say("a quote is not closed at character {place}", place=self._place()))
        inner = self._text[self._at + 1 : end]
        self._at = end + 1
        return inner

    def _double(self) -> str:
        parts: list[str] = []
        start = self._place()
        self._at += 1
        while (char := self._peek()) != '"':
            if not char:
                raise NotAnArray(say("a quote is not closed at character {place}", place=start))
            if char in _EXPANDED:
                raise self._special(char)
            if char == "\\" and self._text[self._at + 1 : self._at + 2] in ("$", "`", '"', "\\"):
                self._at += 1
            parts.append(self._peek())
            self._at += 1
        self._at += 1
        return "".join(parts)

    def _peek(self) -> str:
        return self._text[self._at : self._at + 1]

    def _special(self, char: str) -> NotAnArray:
        return NotAnArray(
            say("{char} must stand in single quotes at character {place}", char=char, place=self._place())
        )

    def _place(self) -> int:
        """The number of the character, counted with the bracket before it, from 1."""
        return self._at + 2
