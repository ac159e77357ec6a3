"""The members of replies: other than a request's fields, there unless `absent`, and null only if `null`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from marshmallow import EXCLUDE, Schema
from marshmallow import fields as plain

Member = plain.Field[Any]


class Shape(Schema):
    """An object in a reply."""

    class Meta:
        unknown = EXCLUDE  # a client is to take no offence at members that come later


@dataclass(frozen=True)
class ListOf:
    """A plain list."""

    entry: type[Shape]


@dataclass(frozen=True)
class PageOf:
    """A page of a list, as most lists of v3 are answered."""

    entry: type[Shape]


#: What `data` is; None: always null.
Reply = type[Shape] | ListOf | PageOf | None


def whole(*, null: bool = False, absent: bool = False) -> Member:
    """A whole number of 64 bits."""
    return plain.Integer(required=not absent, allow_none=null)


def real(*, null: bool = False, absent: bool = False) -> Member:
    """A number with fractions."""
    return plain.Float(required=not absent, allow_none=null)


def text(*, null: bool = False, absent: bool = False) -> Member:
    """A string."""
    return plain.String(required=not absent, allow_none=null)


def flag(*, null: bool = False, absent: bool = False) -> Member:
    """A boolean."""
    return plain.Boolean(required=not absent, allow_none=null)


def one(shape: type[Shape], *, null: bool = False, absent: bool = False) -> Member:
    """An object."""
    return plain.Nested(shape, required=not absent, allow_none=null)


def many(shape: type[Shape] | Member, *, null: bool = False, absent: bool = False) -> Member:
    """A list."""
    entry = shape if isinstance(shape, plain.Field) else plain.Nested(shape)
    return plain.List(entry, required=not absent, allow_none=null)


def table(*, of: Member | None = None, null: bool = False, absent: bool = False) -> Member:
    """An object whose keys are data."""
    return plain.Dict(values=of, required=not absent, allow_none=null)
