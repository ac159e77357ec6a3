"""A part of a list, as the management APIs ask for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")

_DEFAULT_LENGTH = 20
MAX_LENGTH = 1000
_MAX_START = 2**31 - 1  # nobody has so many; a larger number would only make the driver stumble


@dataclass(frozen=True, kw_only=True)
class Page(Generic[T]):
    """`items` from `start` on, of `total`."""

    start: int
    length: int
    total: int
    items: tuple[T, ...]


def first_of(start: int | None) -> int:
    """Where a list begins, moved into what it can be."""
    return min(max(start or 0, 0), _MAX_START)


def page_of(
    read: Callable[[int, int], tuple[int, tuple[T, ...]]], start: int | None, length: int | None
) -> Page[T]:
    """The page that read(start, length) gives, with JOB's leniency: what is out of range is moved into it."""
    start = first_of(start)
    length = min(length, MAX_LENGTH) if length and length > 0 else _DEFAULT_LENGTH
    total, items = read(start, length)
    return Page(start=start, length=length, total=total, items=items)


def whole_or_page_of(
    read: Callable[[int, int], tuple[int, tuple[T, ...]]],
    start: int | None,
    length: int | None,
    at_most: int | None = None,
) -> Page[T]:
    """The same as v2 has it: without a length, or with 0, everything from `start` on."""
    start = first_of(start)
    most = min(length if length and length > 0 else _MAX_START, at_most or _MAX_START)
    total, items = read(start, most)
    return Page(start=start, length=most if length and length > 0 else len(items), total=total, items=items)
