"""GET /api/ext/v1/audit_log: who did what in a business, for those who may manage it."""

from __future__ import annotations

from typing import Any

from adapter.api.call import Call
from adapter.api.fields import BaseSchema, Number, Text
from adapter.errors import MissingOrInvalid
from adapter.job.actions import Action
from adapter.job.audit_log import AuditEntry, AuditFilter
from adapter.messages import say
from adapter.service import access

_MOST, _DEFAULT = 1000, 20


class GetAuditLog(BaseSchema):
    """Which entries, by who asked, what for, how it ended and when (milliseconds); the newest first.

    `before` is the `next` of the page above.
    """

    of_app = Text(strip=True)
    of_user = Text(strip=True)
    of_api = Text(strip=True)
    of_code = Number()
    start_time = Number()
    end_time = Number()
    before = Number()
    length = Number()


def audit_log(call: Call) -> dict[str, Any]:
    """A page of the business's entries. Raises PermissionDenied, MissingOrInvalid."""
    access.require(call.caller, Action.MANAGE, call.scopes, "audit_log")
    length = _DEFAULT if call["length"] is None else call["length"]
    if not 1 <= length <= _MOST:
        raise MissingOrInvalid(
            "length", say("must be {expected}", expected=say("within {low}..{high}", low=1, high=_MOST))
        )
    found = call.services.audit_log.entries(
        AuditFilter(
            scope=call.scope.text,
            app_code=call["of_app"] or None,
            user=call["of_user"] or None,
            api=call["of_api"] or None,
            code=call["of_code"],
            since=call["start_time"],
            until=call["end_time"],
            before=call["before"],
            most=length,
        )
    )
    is_full = len(found) == length
    return {
        "length": length,
        "next": found[-1].id if is_full else None,
        "data": [shown(one) for one in found],
    }


def shown(entry: AuditEntry) -> dict[str, Any]:
    """An entry, for JSON."""
    return {
        "id": entry.id,
        "create_time": entry.create_time,
        "end_time": entry.end_time,
        "request_id": entry.request_id,
        "app_code": entry.app_code,
        "user": entry.user,
        "verified_by": entry.verified_by,
        "token_id": entry.token_id,
        "peer": entry.peer,
        "api": entry.api,
        "action": entry.action,
        "scope": entry.scope,
        "code": entry.code,
        "objects": dict(entry.objects),
    }
