"""Credentials: their values are encrypted, and come back only by value()."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from adapter import errors
from adapter.job.credential import Credential, CredentialType
from adapter.job.model import Scope
from adapter.store.secrets import SecretBox
from adapter.store.tables_credentials import credential as _table
from adapter.store.transactions import Bind, is_storable, transaction


class CredentialStore:
    """The table `credential`."""

    def __init__(self, bind: Bind, box: SecretBox) -> None:
        self._bind = bind
        self._box = box

    def get(self, scope: Scope, credential_id: str) -> Credential:
        """The scope's credential, without its value. Raises CredentialUnknown."""
        return _to_credential(self._row(scope, credential_id))

    def value(self, scope: Scope, credential_id: str) -> dict[str, str]:
        """Its parts in clear. Raises CredentialUnknown; ValueError if the key file is another."""
        opened = self._box.decrypt(self._row(scope, credential_id).value_secret)
        return {str(part): str(text) for part, text in json.loads(opened).items()}

    def create(
        self,
        scope: Scope,
        *,
        name: str,
        type: CredentialType,
        description: str,
        value: Mapping[str, str],
        operator: str,
        now_ms: int,
    ) -> Credential:
        """Store one. Raises CredentialExists if the scope has one of that name."""
        credential_id = uuid.uuid4().hex
        row = {
            **self._columns(name, type, description, value, operator, now_ms),
            "id": credential_id,
            "scope_type": scope.type,
            "scope_id": scope.id,
            "creator": operator,
            "create_time": now_ms,
        }
        self._write(name, sa.insert(_table).values(row))
        return self.get(scope, credential_id)

    def update(
        self,
        scope: Scope,
        credential_id: str,
        *,
        name: str,
        type: CredentialType,
        description: str,
        value: Mapping[str, str],
        operator: str,
        now_ms: int,
    ) -> Credential:
        """Make all of it new. Raises CredentialUnknown, CredentialExists."""
        statement = sa.update(_table).where(*_is(scope, credential_id))
        self._write(name, statement.values(self._columns(name, type, description, value, operator, now_ms)))
        return self.get(scope, credential_id)

    def _columns(
        self,
        name: str,
        type: CredentialType,
        description: str,
        value: Mapping[str, str],
        operator: str,
        now_ms: int,
    ) -> dict[str, Any]:
        return {
            "name": name,
            "type": str(type),
            "description": description,
            "value_secret": self._box.encrypt(json.dumps(dict(value))),
            "last_modify_user": operator,
            "last_modify_time": now_ms,
        }

    def _write(self, name: str, statement: sa.Insert | sa.Update) -> None:
        try:
            with transaction(self._bind) as connection:
                connection.execute(statement)
        except sa.exc.IntegrityError as error:
            raise errors.CredentialExists(name) from error

    def _row(self, scope: Scope, credential_id: str) -> sa.Row[Any]:
        found = None
        if is_storable(credential_id):
            with transaction(self._bind) as connection:
                wanted = sa.select(_table).where(*_is(scope, credential_id))
                found = connection.execute(wanted).one_or_none()
        if found is None:
            raise errors.CredentialUnknown(credential_id)
        return found


def _is(scope: Scope, credential_id: str) -> tuple[sa.ColumnElement[bool], ...]:
    return (
        _table.c.id == credential_id,
        _table.c.scope_type == scope.type,
        _table.c.scope_id == scope.id,
    )


def _to_credential(row: sa.Row[Any]) -> Credential:
    return Credential(
        id=row.id,
        scope=Scope(row.scope_type, row.scope_id),
        name=row.name,
        type=CredentialType(row.type),
        description=row.description,
        creator=row.creator,
        create_time=row.create_time,
        last_modify_user=row.last_modify_user,
        last_modify_time=row.last_modify_time,
    )
