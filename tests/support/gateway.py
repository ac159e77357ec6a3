"""A BlueKing gateway: it signs who is asking, as X-Bkapi-JWT."""

from __future__ import annotations

import base64
import json
from functools import cache
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

NOW = 1_700_000_000  #: what the clock of the tests says, in seconds
_HASHES = {"RS256": hashes.SHA256(), "RS384": hashes.SHA384(), "RS512": hashes.SHA512()}


class Gateway:
    """One with a key of its own."""

    def __init__(self) -> None:
        self._key = rsa.generate_private_key(65537, 2048)

    @property
    def public_key(self) -> bytes:
        """In PEM form."""
        return self._key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)

    def jwt(
        self,
        app: str | dict[str, Any] | None = "esb_test",
        user: str | dict[str, Any] | None = "ann",
        *,
        app_verified: bool = True,
        user_verified: bool = True,
        algorithm: str = "RS512",
        **changes: Any,
    ) -> str:
        """A token as the gateway makes it; `changes` of the payload, None takes a key away."""
        payload: dict[str, Any] = {
            "iss": "APIGW",
            "iat": NOW,
            "nbf": NOW - 300,
            "exp": NOW + 900,
            "app": {"app_code": app, "verified": app_verified} if isinstance(app, str) else app,
            "user": {"username": user, "verified": user_verified} if isinstance(user, str) else user,
            **changes,
        }
        head = {"typ": "JWT", "kid": "bk-job", "alg": algorithm}
        signed = f"{_part(head)}.{_part({k: v for k, v in payload.items() if v is not None})}"
        signature = self._key.sign(signed.encode(), PKCS1v15(), _HASHES.get(algorithm, hashes.SHA512()))
        return f"{signed}.{_encoded(signature)}"


@cache
def gateway() -> Gateway:
    """One for all tests: making a key takes its time."""
    return Gateway()


def _part(value: dict[str, Any]) -> str:
    return _encoded(json.dumps(value).encode())


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
