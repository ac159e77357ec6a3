"""X-Bkapi-JWT: what a BlueKing gateway says of who is asking, signed with its RSA key (contract a, b1)."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from adapter import errors
from adapter.messages import say
from adapter.ports import Clock

_HASHES: dict[str, hashes.HashAlgorithm] = {
    "RS256": hashes.SHA256(),
    "RS384": hashes.SHA384(),
    "RS512": hashes.SHA512(),
}
_LEEWAY_SECONDS = 60  #: machines' clocks differ
_MAX_LENGTH = 16_384


class GatewayKeyError(Exception):
    """A file that should have a gateway's public key has none."""


@dataclass(frozen=True, kw_only=True)
class GatewayClaims:
    """What a gateway has vouched for. Without a verified application there is nothing."""

    app_code: str
    user: str | None
    is_user_verified: bool


class GatewayJwt:
    """Believes what is signed with one of these keys, and has not expired."""

    def __init__(
        self, public_keys: Mapping[str, bytes], clock: Clock, *, audience: str = "", issuer: str = ""
    ) -> None:
        """PEM texts by what they are called; whom tokens must be for and from, if that is not "".

        Raises GatewayKeyError for a text that is no RSA public key.
        """
        self._keys = [_rsa(name, pem) for name, pem in public_keys.items()]
        self._clock = clock
        self._audience = audience
        self._issuer = issuer

    def claims(self, token: str) -> GatewayClaims:
        """What the token says. Raises NotLoggedIn if it cannot be believed, AppMissing."""
        payload = self._verified(token)
        now = self._clock.now_ms() / 1000
        if not _number(payload, "exp") or now > payload["exp"] + _LEEWAY_SECONDS:
            raise errors.NotLoggedIn(say("X-Bkapi-JWT has expired, or does not say when it expires"))
        if _number(payload, "nbf") and now < payload["nbf"] - _LEEWAY_SECONDS:
            raise errors.NotLoggedIn(say("X-Bkapi-JWT is not valid yet; compare the clocks of both machines"))
        self._require_meant(payload)
        app, user = (_mapping(payload, name) for name in ("app", "user"))
        app_code = _text(app, "app_code", "bk_app_code")
        if app_code is None or app.get("verified") is not True:
            raise errors.AppMissing(say("X-Bkapi-JWT names no application that its gateway has verified"))
        return GatewayClaims(
            app_code=app_code,
            user=_text(user, "username", "bk_username"),
            is_user_verified=user.get("verified") is True,
        )

    def _require_meant(self, payload: Mapping[str, Any]) -> None:
        """Raises NotLoggedIn for a token that another service is meant by, or another gateway has made.

        As RFC 7519 has it: whoever is not named in an `aud` that is there must refuse the token.
        """
        audience = payload.get("aud")
        named = audience if isinstance(audience, list) else [] if audience is None else [audience]
        if (named or self._audience) and self._audience not in named:
            raise errors.NotLoggedIn(
                say("X-Bkapi-JWT is for another audience than ADAPTER_JWT_AUDIENCE names")
            )
        if self._issuer and payload.get("iss") != self._issuer:
            raise errors.NotLoggedIn(say("X-Bkapi-JWT is of another issuer than ADAPTER_JWT_ISSUER names"))

    def _verified(self, token: str) -> Mapping[str, Any]:
        """The payload, once the signature is known to be a gateway's."""
        parts = token.split(".") if len(token) <= _MAX_LENGTH else []
        if len(parts) != 3:
            raise errors.NotLoggedIn(say("X-Bkapi-JWT is no signed JWT"))
        algorithm = _HASHES.get(str(_object(parts[0]).get("alg")))
        if algorithm is None:
            raise errors.NotLoggedIn(say("X-Bkapi-JWT is not signed with RS256, RS384 or RS512"))
        signed, signature = f"{parts[0]}.{parts[1]}".encode("ascii", "replace"), _bytes(parts[2])
        if not any(_is_signed(key, algorithm, signed, signature) for key in self._keys):
            raise errors.NotLoggedIn(
                say("X-Bkapi-JWT is signed by nobody whose key is in ADAPTER_JWT_PUBLIC_KEYS")
            )
        return _object(parts[1])


def _rsa(name: str, pem: bytes) -> RSAPublicKey:
    try:
        key = load_pem_public_key(pem)
    except (ValueError, UnsupportedAlgorithm):
        raise GatewayKeyError(f"{name} has no public key in PEM form") from None
    if not isinstance(key, RSAPublicKey):
        raise GatewayKeyError(f"{name} has no RSA key")
    return key


def _is_signed(key: RSAPublicKey, algorithm: hashes.HashAlgorithm, signed: bytes, signature: bytes) -> bool:
    try:
        key.verify(signature, signed, PKCS1v15(), algorithm)
    except InvalidSignature:
        return False
    return True


def _bytes(part: str) -> bytes:
    try:
        return base64.b64decode(part + "=" * (-len(part) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise errors.NotLoggedIn(say("X-Bkapi-JWT is not in base64")) from None


def _object(part: str) -> Mapping[str, Any]:
    try:
        value = json.loads(_bytes(part))
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise errors.NotLoggedIn(say("X-Bkapi-JWT has a part that is no JSON object"))
    return value


def _number(payload: Mapping[str, Any], name: str) -> bool:
    value = payload.get(name)
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _mapping(payload: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = payload.get(name)
    return value if isinstance(value, dict) else {}


def _text(found: Mapping[str, Any], *names: str) -> str | None:
    return next((value for name in names if isinstance(value := found.get(name), str) and value), None)
