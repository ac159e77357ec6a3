"""Names of applications and users: what is one, and how a stranger's is shown."""

from __future__ import annotations

_MAX_NAME = 128


def is_name(text: str) -> bool:
    """1 to 128 printable characters without spaces."""
    return 0 < len(text) <= _MAX_NAME and text.isprintable() and " " not in text


def shown(text: str) -> str:
    """A text from outside, short and printable, for a message."""
    return "".join(c if c.isprintable() else "?" for c in text[:_MAX_NAME])
