"""Rolling: the hosts of a step in batches, and what comes after a batch (contract e, rolling_config).

An expression is parts with blanks between them: part k makes batch k, the last part makes all that follow. `N` is
so many hosts, `N%` of all of them (rounded up), `+N` as many as before and N more, `*N` N times as many as before.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, IntEnum
from typing import TypeVar

MAX_BATCHES = 500
MAX_PARALLEL_BATCHES = 200

T = TypeVar("T")

_PART = re.compile(r"(?P<sign>[+*]?)(?P<number>[0-9]{1,9})(?P<percent>%?)", re.ASCII)


class RollingType(IntEnum):
    """What comes in batches."""

    TARGETS = 1
    FILE_SOURCES = 2


class RollingMode(IntEnum):
    """What a batch in which a host failed means for the next one."""

    PAUSE_ON_FAIL = 1
    IGNORE_FAILURES = 2
    MANUAL = 3  #: every batch but the first waits for an operator


class ExecutionMode(IntEnum):
    """When the next batch begins: after the one before, or by the clock."""

    SERIAL = 1
    PARALLEL = 2


class Following(Enum):
    """What comes after a batch that has ended."""

    NEXT_BATCH = "next batch"
    AN_OPERATOR = "an operator"
    NOTHING = "nothing"


class InvalidExpression(ValueError):
    """The expression is none: `part` is no part of one, or one with a number that cannot be (`has_form`)."""

    def __init__(self, part: str, *, has_form: bool) -> None:
        super().__init__(part)
        self.part, self.has_form = part[:32], has_form


class TooManyBatches(ValueError):
    """The expression makes more than `limit` batches of these hosts."""

    def __init__(self, limit: int) -> None:
        super().__init__(limit)
        self.limit = limit


@dataclass(frozen=True, kw_only=True)
class Rolling:
    """How one step rolls. `sizes` are the hosts of each batch, in order of the targets; times are milliseconds.

    By file sources every target is in each batch, and the batches are job.file_batches' parts of the sources.
    """

    type: RollingType = RollingType.TARGETS
    mode: RollingMode = RollingMode.PAUSE_ON_FAIL
    execution_mode: ExecutionMode = ExecutionMode.SERIAL
    expression: str = ""
    wait_fixed_ms: int = 0
    wait_random_min_ms: int = 0
    wait_random_max_ms: int = 0
    sizes: tuple[int, ...] = ()
    max_source_hosts: int | None = None  #: in one batch of file sources; None: any number
    max_files: int | None = None  #: of one source host in one batch; None: any number

    @property
    def batches(self) -> int:
        """How many there are."""
        return len(self.sizes)

    @property
    def is_parallel(self) -> bool:
        """True if batches begin by the clock. One that waits for an operator does not."""
        return self.execution_mode is ExecutionMode.PARALLEL and self.mode is not RollingMode.MANUAL

    @property
    def is_of_sources(self) -> bool:
        """True if it is the file sources that come in batches."""
        return self.type is RollingType.FILE_SOURCES

    @property
    def ignores_failures(self) -> bool:
        """True if a batch begins whatever became of the one before, and the last alone decides."""
        return self.mode is RollingMode.IGNORE_FAILURES

    def turns(self, targets: Sequence[T]) -> list[tuple[T, int]]:
        """Each target with the batch that it is in, or with each of them; the first batch is 1."""
        numbers = [number for number, size in enumerate(self.sizes, start=1) for _ in range(size)]
        each = list(targets) * self.batches if self.is_of_sources else targets
        return list(zip(each, numbers, strict=True))

    def after(self, batch: int, *, has_failed: bool) -> Following:
        """What comes after `batch`."""
        if batch >= self.batches or (has_failed and not self.ignores_failures):
            return Following.NOTHING
        return Following.AN_OPERATOR if self.mode is RollingMode.MANUAL else Following.NEXT_BATCH


def check_expression(expression: str) -> None:
    """Raises InvalidExpression."""
    _parts(expression)


def batch_sizes(expression: str, hosts: int, limit: int = MAX_BATCHES) -> tuple[int, ...]:
    """How many hosts each batch has. Raises InvalidExpression, TooManyBatches."""
    parts = _parts(expression)
    sizes: list[int] = []
    left = hosts
    while left > 0:
        if len(sizes) == limit:
            raise TooManyBatches(limit)
        sign, number = parts[min(len(sizes), len(parts) - 1)]
        size = min(left, _size(sign, number, sizes[-1] if sizes else None, hosts))
        sizes.append(size)
        left -= size
    return tuple(sizes)


def _parts(expression: str) -> list[tuple[str, int]]:
    parts = [_part(text) for text in expression.split()]
    if not parts:
        raise InvalidExpression("", has_form=False)
    return parts


def _part(text: str) -> tuple[str, int]:
    found = _PART.fullmatch(text)
    if found is None or (found["sign"] and found["percent"]):
        raise InvalidExpression(text, has_form=False)
    number = int(found["number"])
    if number < 1 or (found["percent"] and number > 100):
        raise InvalidExpression(text, has_form=True)
    return found["percent"] or found["sign"], number


def _size(sign: str, number: int, before: int | None, hosts: int) -> int:
    if sign == "%":
        return -(-hosts * number // 100)
    if sign == "+":
        return number if before is None else before + number
    if sign == "*":
        return number if before is None else before * number
    return number
