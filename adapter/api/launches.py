"""What every launch may be sent with beside its own fields: plan_only, and what its callbacks are signed with."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from adapter.api import loading
from adapter.api.fields import BaseSchema, Flag
from adapter.api.request import Incoming
from adapter.errors import FieldInvalid
from adapter.job.commands import Caller, Once
from adapter.job.egress import EgressRule
from adapter.messages import say

SIGNED_WITH = "X-Callback-Secret"
#: Printable, without blanks, so that every proxy passes it on unchanged; too long to be tried out.
_SECRET = re.compile(r"[!-~]{16,255}")


class PlanOnly(BaseSchema):
    """In the query or in the body."""

    plan_only = Flag(load_default=False)


def launching(
    caller: Caller, once: Once | None, incoming: Incoming, fields: Mapping[str, Any], raw: Mapping[str, Any]
) -> Caller:
    """The caller with what the request says of a launch. One that only wants to know uses no key up."""
    is_plan_only = loading.load(PlanOnly, raw)["plan_only"]
    return replace(
        caller,
        once=None if is_plan_only else once,
        plan_only=is_plan_only,
        callback_secret=_callback_secret(incoming, fields),
    )


def _callback_secret(incoming: Incoming, fields: Mapping[str, Any]) -> str | None:
    """What the request's callbacks are to be signed with, if with anything. Raises FieldInvalid."""
    secret = incoming.headers.get(SIGNED_WITH.lower())
    if secret is None:
        return None
    if not _SECRET.fullmatch(secret):
        raise FieldInvalid(SIGNED_WITH, say("must be 16 to 255 printable ASCII characters without blanks"))
    if not _urls(fields):
        raise FieldInvalid(SIGNED_WITH, say("signs callbacks, and the request has no URL for one"))
    return secret


def check_callback_url(fields: Mapping[str, Any], rule: EgressRule) -> None:
    """Raises FieldInvalid for a URL that certainly leads where callbacks may not go. No name is looked up here."""
    for name, url in _urls(fields).items():
        reason = rule.refusal_of_name(urlsplit(url).hostname or "")
        if reason is not None:
            raise FieldInvalid(
                name,
                say(
                    "leads to {where}, where no callback may go; an operator can name it in ADAPTER_CALLBACK_ALLOW",
                    where=reason,
                ),
            )


def _urls(fields: Mapping[str, Any]) -> dict[str, str]:
    """Where the request wants to be called back, by the field that says so."""
    named = {name: fields.get(name) for name in ("callback_url", "bk_callback_url")}
    named["callback.url"] = (fields.get("callback") or {}).get("url")
    return {name: url for name, url in named.items() if url}
