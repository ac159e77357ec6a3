"""Use cases of credentials (contract d)."""

from __future__ import annotations

from collections.abc import Mapping

from adapter import errors
from adapter.job.credential import Credential, CredentialType, type_of
from adapter.job.model import Scope
from adapter.messages import say
from adapter.ports import Clock
from adapter.service import rules
from adapter.store.credentials import CredentialStore

MAX_NAME = 255
MAX_DESCRIPTION = 1_000
MAX_PART = 4_096  #: characters


class Credentials:
    """What a business keeps here to log in elsewhere."""

    def __init__(self, store: CredentialStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def create(
        self, scope: Scope, *, user: str, name: str, type: str, description: str, given: Mapping[str, str]
    ) -> Credential:
        """Store one; `given` has parts by their names, and those that the type has not are left out.

        Raises BadRequest (1240003), InvalidParameter for a type that is none, MissingParameter for a part that
        is not given, CredentialExists (1243060).
        """
        kind = _checked(name, type, description)
        return self._store.create(
            scope,
            name=name,
            type=kind,
            description=description,
            value=_value(kind, given),
            operator=user,
            now_ms=self._clock.now_ms(),
        )

    def update(
        self,
        scope: Scope,
        credential_id: str,
        *,
        user: str,
        name: str,
        type: str,
        description: str | None,
        given: Mapping[str, str],
    ) -> Credential:
        """Change one: a description and parts that are not given stay; a new type needs all of its parts.

        Raises what create() raises, and CredentialUnknown (1243048).
        """
        found = self._store.get(scope, credential_id)
        text = found.description if description is None else description
        kind = _checked(name, type, text)
        kept = self._store.value(scope, credential_id) if kind == found.type else {}
        return self._store.update(
            scope,
            credential_id,
            name=name,
            type=kind,
            description=text,
            value=_value(kind, {**kept, **given}),
            operator=user,
            now_ms=self._clock.now_ms(),
        )

    def get(self, scope: Scope, credential_id: str) -> Credential:
        """All of it that may be told. Raises CredentialUnknown (1243048)."""
        return self._store.get(scope, credential_id)


def _checked(name: str, type: str, description: str) -> CredentialType:
    rules.require("name", rules.label(name, MAX_NAME))
    rules.require("description", rules.text(description) or rules.characters(description, MAX_DESCRIPTION))
    kind = type_of(type)
    if kind is None:
        allowed = ", ".join(CredentialType)
        raise errors.InvalidParameter(
            "type",
            say("{name} must be one of {allowed}, not {value}", name="type", allowed=allowed, value=type),
        )
    return kind


def _value(kind: CredentialType, given: Mapping[str, str]) -> dict[str, str]:
    value = {}
    for part in kind.parts:
        if not given.get(part):
            raise errors.MissingParameter(f"credential_{part}")
        rules.require(
            f"credential_{part}", rules.text(given[part]) or rules.characters(given[part], MAX_PART)
        )
        value[part] = given[part]
    return value
