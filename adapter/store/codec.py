"""Frozen dataclasses to JSON text and back, by their type hints.

Used for the `definition` columns only: values that are always read and written whole.
"""

from __future__ import annotations

import dataclasses
import json
import types
import typing
from enum import IntEnum
from functools import cache
from typing import Any, TypeVar

T = TypeVar("T")


def dumps(value: Any) -> str:
    """JSON text of a dataclass, a tuple or list of them, or a plain value."""
    return json.dumps(_plain(value), ensure_ascii=False, separators=(",", ":"))


def loads(kind: type[T], text: str) -> T:
    """The dataclass `kind` that dumps() made `text` of; unknown keys are ignored (a newer version wrote them)."""
    value: T = build(kind, json.loads(text))
    return value


def loads_many(kind: type[T], text: str) -> tuple[T, ...]:
    """A tuple of `kind`."""
    return tuple(build(kind, item) for item in json.loads(text))


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: _plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, (tuple, list)):
        return [_plain(item) for item in value]
    if isinstance(value, frozenset):
        return sorted(_plain(item) for item in value)
    if isinstance(value, IntEnum):
        return int(value)
    return value


def build(kind: Any, value: Any) -> Any:
    """What dumps() had, out of the plain values that its JSON text stands for."""
    origin = typing.get_origin(kind)
    if origin in (typing.Union, types.UnionType):
        if value is None:
            return None
        inner = next(arg for arg in typing.get_args(kind) if arg is not type(None))
        return build(inner, value)
    if origin in (tuple, frozenset):
        return origin(build(typing.get_args(kind)[0], item) for item in value)
    if dataclasses.is_dataclass(kind) and isinstance(kind, type):
        hints = _hints(kind)
        return kind(**{name: build(hints[name], item) for name, item in value.items() if name in hints})
    if isinstance(kind, type) and issubclass(kind, IntEnum):
        return kind(value)
    return value


@cache
def _hints(kind: type) -> dict[str, Any]:
    return typing.get_type_hints(kind)
