"""Who says they are asking (contract b1); whether it is true is service.access's to decide."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from adapter.api import json_text
from adapter.api.json_text import shown
from adapter.api.request import Incoming
from adapter.errors import BadRequest, EsbError, EsbParametersError
from adapter.service.access import Credentials

_HEADER = "x-bkapi-authorization"
_NAMES = {
    "app_code": ("bk_app_code", "app_code"),
    "app_secret": ("bk_app_secret", "app_secret"),
    "access_token": ("access_token", "bk_access_token"),
    "bk_token": ("bk_token",),
    "username": ("bk_username", "username"),
}


def read(incoming: Incoming, fields: Mapping[str, Any], *, system: bool) -> Credentials:
    """The header alone if it is there, else the keys in query or body; `system` paths name the user apart.

    Raises EsbParametersError (1306406) for a header that is no JSON object, EsbError for a lone JWT.
    """
    raw = _of_header(incoming.headers[_HEADER]) if _HEADER in incoming.headers else fields
    found = {name: _first(raw, keys) for name, keys in _NAMES.items()}
    if not any(found.values()) and incoming.headers.get("x-bkapi-jwt"):
        raise EsbError("X-Bkapi-JWT is not supported yet; send X-Bkapi-Authorization")
    user = incoming.headers.get("x-bk-username") if system else None
    json_text.check_strings({"X-Bk-Username": user}, "the headers")
    return Credentials(**found, system=system, system_user=user)


def _of_header(text: str) -> dict[str, Any]:
    try:
        value = json_text.parse(text, "X-Bkapi-Authorization")
    except BadRequest:
        raise EsbParametersError("X-Bkapi-Authorization is not JSON; send a JSON object") from None
    if not isinstance(value, dict):
        raise EsbParametersError("X-Bkapi-Authorization must be a JSON object")
    return value


def _first(raw: Mapping[str, Any], keys: tuple[str, ...]) -> str | None:
    for key in keys:
        value = raw.get(key)
        if isinstance(value, (dict, list, bool, float)):
            raise BadRequest(f"{key} must be a string, not {_kind(value)}")
        if value not in (None, ""):
            return str(value).strip() or None
    return None


def _kind(value: Any) -> str:
    return shown(value) if isinstance(value, (dict, list)) else "a boolean or a fraction"
