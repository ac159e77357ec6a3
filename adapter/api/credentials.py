"""Who says they are asking (contract a, b1); whether it is true is service.authentication's to decide."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping
from enum import Enum, auto
from typing import Any

from adapter.api import json_text
from adapter.api.json_text import shown
from adapter.api.request import Incoming
from adapter.errors import BadRequest, EsbParametersError, JwtMissing
from adapter.messages import say
from adapter.service.authentication import Credentials

_HEADER = "x-bkapi-authorization"
_NAMES = {
    "app_code": ("bk_app_code", "app_code"),
    "app_secret": ("bk_app_secret", "app_secret"),
    "access_token": ("access_token", "bk_access_token"),
    "bk_token": ("bk_token",),
    "username": ("bk_username", "username"),
}
#: Keys of a request's query or body that say who asks; JOB's own also take the two that are not read here.
CREDENTIAL_KEYS = frozenset({key for keys in _NAMES.values() for key in keys} | {"bk_signature", "bk_ticket"})


class AskedBy(Enum):
    """Whom the paths of a surface expect."""

    USER = auto()  #: an application for a user: ESB, and BlueKing's API gateway
    SYSTEM = (
        auto()
    )  #: an application that answers for the user in X-Bk-Username: `/system/` of the API gateway
    GATEWAY = auto()  #: a gateway with its X-Bkapi-JWT: the paths of JOB's own gateway
    INTERNAL = auto()  #: JOB's own gateway, with X-AppCode and X-Username: `/esb/api`


class CredentialsReader:
    """Reads credentials. `networks` are those whose word on `/esb/api` is believed; normally there are none."""

    def __init__(self, networks: Iterable[str]) -> None:
        self._networks = [ipaddress.ip_network(network) for network in networks]

    def read(self, incoming: Incoming, fields: Mapping[str, Any], asked_by: AskedBy) -> Credentials:
        """The header alone if it is there, else the keys in query or body; and what gateways say beside them.

        Raises EsbParametersError (1306406) for a header that is no JSON object, JwtMissing where a gateway
        is expected and there is nothing at all.
        """
        headers = incoming.headers
        if asked_by is AskedBy.INTERNAL and self._is_believed(incoming.peer):
            return _vouched(headers)
        raw = _of_header(headers[_HEADER]) if _HEADER in headers else fields
        found = {name: _first(raw, keys) for name, keys in _NAMES.items()}
        jwt = headers.get("x-bkapi-jwt") or None
        if asked_by is AskedBy.GATEWAY and jwt is None and not any(found.values()):
            raise JwtMissing(say("X-Bkapi-JWT is missing"))
        is_system = asked_by is AskedBy.SYSTEM
        user = _named(headers, "X-Bk-Username") if is_system else None
        return Credentials(
            app_code=found["app_code"],
            app_secret=found["app_secret"],
            access_token=found["access_token"],
            bk_token=found["bk_token"],
            username=found["username"],
            jwt=jwt,
            system=is_system,
            system_user=user,
        )

    def _is_believed(self, peer: str) -> bool:
        if not self._networks or not peer:
            return False
        try:
            address = ipaddress.ip_address(peer)
        except ValueError:
            return False
        if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
            address = address.ipv4_mapped
        return any(address in network for network in self._networks)


def _vouched(headers: Mapping[str, str]) -> Credentials:
    """The two headers, which such a caller must send."""
    app_code, user = _named(headers, "X-AppCode"), _named(headers, "X-Username")
    for name, value in (("X-AppCode", app_code), ("X-Username", user)):
        if not value:
            raise BadRequest(say("The header {name} is required on /esb/api", name=name))
    return Credentials(app_code=app_code, username=user, vouched=True)


def _named(headers: Mapping[str, str], name: str) -> str | None:
    value = headers.get(name.lower())
    json_text.check_strings({name: value}, say("the headers"))
    return value


def _of_header(text: str) -> dict[str, Any]:
    try:
        value = json_text.parse(text, "X-Bkapi-Authorization")
    except BadRequest:
        raise EsbParametersError(say("X-Bkapi-Authorization is not JSON; send a JSON object")) from None
    if not isinstance(value, dict):
        raise EsbParametersError(say("X-Bkapi-Authorization must be a JSON object"))
    return value


def _first(raw: Mapping[str, Any], keys: tuple[str, ...]) -> str | None:
    for key in keys:
        value = raw.get(key)
        if isinstance(value, (dict, list, bool, float)):
            raise BadRequest(say("{name} must be a string, not {value}", name=key, value=_kind(value)))
        if value not in (None, ""):
            return str(value).strip() or None
    return None


def _kind(value: Any) -> str:
    return shown(value) if isinstance(value, (dict, list)) else say("a boolean or a fraction")
