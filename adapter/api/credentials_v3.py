"""v3 requests about credentials (contract d): what they read, do and answer. Values only ever come in."""

from __future__ import annotations

from typing import Any

from adapter.api.call import Call
from adapter.api.fields import BaseSchema, Text
from adapter.api.views_catalog import authorship
from adapter.api.views_v3 import scope
from adapter.job.credential import Credential

_PARTS = ("access_key", "secret_key", "username", "password")


class CreateCredential(BaseSchema):
    """create_credential."""

    name = Text(required=True, strip=True)
    type = Text(required=True, strip=True)
    description = Text(keep_blank=True)
    credential_access_key = Text(secret=True)
    credential_secret_key = Text(secret=True)
    credential_username = Text(secret=True)
    credential_password = Text(secret=True)


class UpdateCredential(CreateCredential):
    """update_credential."""

    id = Text(required=True, strip=True)


class GetCredentialDetail(BaseSchema):
    """get_credential_detail."""

    id = Text(required=True, strip=True)


def create(call: Call) -> Credential:
    """create_credential."""
    return call.services.credentials.create(
        call.scope,
        user=call.caller.user,
        name=call["name"],
        type=call["type"],
        description=call["description"] or "",
        given=_given(call),
    )


def update(call: Call) -> Credential:
    """update_credential."""
    return call.services.credentials.update(
        call.scope,
        call["id"],
        user=call.caller.user,
        name=call["name"],
        type=call["type"],
        description=call["description"],
        given=_given(call),
    )


def get(call: Call) -> Credential:
    """get_credential_detail."""
    return call.services.credentials.get(call.scope, call["id"])


def saved(value: Credential) -> dict[str, Any]:
    """What is answered when one was made or changed."""
    return {"id": value.id, "name": value.name}


def detail(value: Credential) -> dict[str, Any]:
    """get_credential_detail."""
    return {
        "id": value.id,
        **scope(value.scope),
        "name": value.name,
        "type": value.type.value,
        "description": value.description,
        **authorship(value),
    }


def _given(call: Call) -> dict[str, str]:
    parts = {part: call[f"credential_{part}"] for part in _PARTS}
    return {part: text for part, text in parts.items() if text is not None}
