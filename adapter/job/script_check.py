"""What a shell says of a script that it reads and does not run."""

from __future__ import annotations

import re
from dataclasses import dataclass

_MAX_SHOWN = 1_000  #: characters: bash repeats the line, which may be all of a script
_OF_LINE = re.compile(r".*?line (\d+): *(.*)")


@dataclass(frozen=True, kw_only=True)
class SyntaxProblem:
    """A line, from 1 on, and what is wrong there."""

    line: int
    description: str


class SyntaxUnknown(Exception):
    """The shell could not tell, and why."""


def syntax_problems(said: str) -> tuple[SyntaxProblem, ...]:
    """What bash said, by line; all that it says of one line is one problem, as in JOB."""
    found: dict[int, list[str]] = {}
    for text in said.splitlines():
        match = _OF_LINE.match(text)
        if match is not None:
            found.setdefault(int(match.group(1)), []).append(match.group(2))
    return tuple(
        SyntaxProblem(line=line, description="\n".join(texts)[:_MAX_SHOWN])
        for line, texts in sorted(found.items())
    )
