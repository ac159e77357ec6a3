"""Credentials: what a business logs in to other systems with (contract d)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from adapter.job.model import Scope


class CredentialType(StrEnum):
    """JOB's types, by the names that its code has."""

    APP_ID_SECRET_KEY = "APP_ID_SECRET_KEY"  # noqa: S105
    PASSWORD = "PASSWORD"  # noqa: S105
    USERNAME_PASSWORD = "USERNAME_PASSWORD"  # noqa: S105
    SECRET_KEY = "SECRET_KEY"  # noqa: S105

    @property
    def parts(self) -> tuple[str, ...]:
        """What such a credential consists of; a request has each as `credential_` and its name."""
        return _PARTS[self]


_PARTS: dict[CredentialType, tuple[str, ...]] = {
    CredentialType.APP_ID_SECRET_KEY: ("access_key", "secret_key"),
    CredentialType.PASSWORD: ("password",),
    CredentialType.USERNAME_PASSWORD: ("username", "password"),
    CredentialType.SECRET_KEY: ("secret_key",),
}

#: JOB's documentation calls the first one so.
_DOCUMENTED = {"ACCESS_KEY_SECRET_KEY": CredentialType.APP_ID_SECRET_KEY}


def type_of(name: str) -> CredentialType | None:
    """The type of that name, None if there is none."""
    return _DOCUMENTED.get(name) or (CredentialType(name) if name in set(CredentialType) else None)


@dataclass(frozen=True, kw_only=True)
class Credential:
    """All of a credential that may be told."""

    id: str
    scope: Scope
    name: str
    type: CredentialType
    description: str
    creator: str
    create_time: int
    last_modify_user: str
    last_modify_time: int
