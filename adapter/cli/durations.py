"""Lengths of time on the command line: 90s, 10m, 2h, 7d."""

from __future__ import annotations

import re
import time
from datetime import datetime

import click

_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def milliseconds(text: str) -> int | None:
    """Of a length of time; None if the text is none."""
    found = re.fullmatch(r"(\d{1,9})([smhd])", text)
    return int(found[1]) * _SECONDS[found[2]] * 1000 if found else None


def duration(_context: click.Context, _option: click.Parameter, text: str | None) -> int | None:
    """A click callback: milliseconds, None for "never" and for nothing."""
    if text is None or text == "never":
        return None
    found = milliseconds(text)
    if not found:
        raise click.BadParameter(f"{text!r} is no length of time such as 90s, 10m, 2h, 30d")
    return found


def since(_context: click.Context, _option: click.Parameter, text: str | None) -> int:
    """A click callback: milliseconds since the epoch of a time, or of so long ago; 0 for nothing."""
    if text is None:
        return 0
    ago = milliseconds(text)
    if ago is not None:
        return int(time.time() * 1000) - ago
    try:
        return int(datetime.fromisoformat(text).timestamp() * 1000)
    except (ValueError, OverflowError):
        raise click.BadParameter(
            f"{text!r} is neither 90s, 10m, 2h, 7d nor a time like 2024-07-04T12:30"
        ) from None
