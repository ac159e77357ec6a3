"""Which business a request is about (contract b2)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from adapter.api.fields import BaseSchema, Flag, Number, Text
from adapter.api.json_text import shown
from adapter.api.loading import load
from adapter.errors import BadRequest
from adapter.job.model import Scope
from adapter.messages import say

_BIZ_SET_IDS = range(8_000_000, 10_000_000)  #: legacy ids that mean a business set


class _ScopeFields(BaseSchema):
    bk_scope_type = Text(strip=True)
    bk_scope_id = Text(strip=True, at_most=64)
    bk_biz_id = Number()


class _ExplicitFields(BaseSchema):
    bk_scope_type = Text(strip=True, required=True)
    bk_scope_id = Text(strip=True, required=True, at_most=64)


class _PlatformFields(BaseSchema):
    source_bk_biz_id = Number(required=True)
    target_bk_biz_id = Number(required=True)


class _PublicFields(BaseSchema):
    is_public = Flag()


def one(raw: Mapping[str, Any]) -> tuple[Scope, ...]:
    """The scope of most APIs: bk_scope_type and bk_scope_id win over bk_biz_id."""
    fields = load(_ScopeFields, raw)
    if fields["bk_scope_type"] is None and fields["bk_scope_id"] is None:
        return (_of_biz("bk_biz_id", fields["bk_biz_id"]),)
    return (_of_scope(fields),)


def none(_raw: Mapping[str, Any]) -> tuple[Scope, ...]:
    """Of the APIs that are about all businesses; one that is given is not looked at."""
    return ()


def at_most_one(raw: Mapping[str, Any]) -> tuple[Scope, ...]:
    """Of the APIs that tell what is public to who names no business."""
    fields = load(_ScopeFields, raw)
    return one(raw) if any(value is not None for value in fields.values()) else ()


def one_unless_public(raw: Mapping[str, Any]) -> tuple[Scope, ...]:
    """Of v2's list of scripts: with is_public one that is given is not looked at."""
    return () if load(_PublicFields, raw)["is_public"] else one(raw)


def explicit(raw: Mapping[str, Any]) -> tuple[Scope, ...]:
    """The scope of the APIs that know no bk_biz_id."""
    return (_of_scope(load(_ScopeFields, {**raw, "bk_biz_id": None})),)


def source_and_target(raw: Mapping[str, Any]) -> tuple[Scope, ...]:
    """The two businesses of execute_platform_job: where files come from, and where things happen."""
    fields = load(_PlatformFields, raw)
    return tuple(_of_biz(name, fields[name]) for name in ("source_bk_biz_id", "target_bk_biz_id"))


def _of_scope(fields: Mapping[str, Any]) -> Scope:
    if fields["bk_scope_type"] not in ("biz", "biz_set"):
        raise BadRequest(
            say(
                "Invalid bk_scope_type: must be biz or biz_set, not {value}",
                value=shown(fields["bk_scope_type"]),
            )
        )
    if fields["bk_scope_id"] is None:
        raise BadRequest(say("Invalid bk_scope_id: must not be blank"))
    return Scope(fields["bk_scope_type"], fields["bk_scope_id"])


def _of_biz(name: str, biz_id: int | None) -> Scope:
    if biz_id is None:
        raise BadRequest(say("Invalid {name}: give bk_scope_type and bk_scope_id, or bk_biz_id", name=name))
    if biz_id < 1:
        raise BadRequest(say("Invalid {name}: must be at least 1, not {value}", name=name, value=biz_id))
    return Scope("biz_set" if biz_id in _BIZ_SET_IDS else "biz", str(biz_id))


#: What each of them reads, for the document.
READS: Mapping[Callable[[Mapping[str, Any]], tuple[Scope, ...]], type[BaseSchema]] = {
    one: _ScopeFields,
    none: BaseSchema,
    at_most_one: _ScopeFields,
    one_unless_public: _ScopeFields,
    explicit: _ExplicitFields,
    source_and_target: _PlatformFields,
}
