"""v4's get_user_authorized_scopes: the businesses where the user may do something."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from adapter.api.call import Call
from adapter.api.fields import BaseSchema, Number
from adapter.job.actions import Action
from adapter.job.model import Scope


class GetUserAuthorizedScopes(BaseSchema):
    """get_user_authorized_scopes; JOB's defaults and limits."""

    offset = Number(at_least=0, load_default=0)
    length = Number(at_least=1, at_most=200, load_default=10)


@dataclass(frozen=True, kw_only=True)
class ScopePage:
    """Some of them, and how many there are."""

    total: int
    offset: int
    length: int
    scopes: list[Scope]


def authorized_scopes(call: Call) -> ScopePage:
    """Those that there are and that the caller may look into: businesses, then sets, by id."""
    may = call.caller.limits
    found = sorted((one for one in call.services.hosts.scopes() if may.allow(Action.VIEW, one)), key=_order)
    offset, length = call["offset"], call["length"]
    return ScopePage(total=len(found), offset=offset, length=length, scopes=found[offset : offset + length])


def view(page: ScopePage) -> dict[str, Any]:
    """JOB's reply. Nobody has favourites here, and businesses have no time zone of their own."""
    return {
        "total": page.total,
        "offset": page.offset,
        "length": page.length,
        "scope_list": [
            {"bk_scope_type": one.type, "bk_scope_id": one.id, "name": str(one), "favor": False}
            for one in page.scopes
        ],
    }


def _order(scope: Scope) -> tuple[str, int, str]:
    return (scope.type, scope.biz_id or 0, scope.id)
