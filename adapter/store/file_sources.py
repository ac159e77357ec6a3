"""File sources of businesses; a credential that one names stays as long as it does."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from adapter import errors
from adapter.job.file_source import FileSourceDefinition, FileSourceType
from adapter.job.model import Scope
from adapter.store.tables_file_sources import file_source as _table
from adapter.store.transactions import Bind, is_storable, transaction


class FileSourceStore:
    """The table `file_source`."""

    def __init__(self, bind: Bind) -> None:
        self._bind = bind

    def by_code(self, scope: Scope, code: str) -> FileSourceDefinition:
        """The scope's file source of that code. Raises FileSourceCodeUnknown (1260012)."""
        if is_storable(code):
            with transaction(self._bind) as connection:
                row = connection.execute(sa.select(_table).where(*_coded(scope, code))).one_or_none()
            if row is not None:
                return _to_definition(row)
        raise errors.FileSourceCodeUnknown(code)

    def get(self, file_source_id: int) -> FileSourceDefinition | None:
        """A file source of any scope."""
        with transaction(self._bind) as connection:
            row = connection.execute(sa.select(_table).where(_table.c.id == file_source_id)).one_or_none()
        return None if row is None else _to_definition(row)

    def named(self, scope: Scope, file_source_id: int | None, code: str | None) -> FileSourceDefinition:
        """The one that a step names: by id, else by code.

        Raises FileSourceUnknown (1260001), FileSourceOfAnotherScope (1260017), FileSourceCodeUnknown (1260012).
        """
        if file_source_id is None:
            return self.by_code(scope, code or "")
        found = self.get(file_source_id)
        if found is None:
            raise errors.FileSourceUnknown(file_source_id)
        if found.scope != scope:
            raise errors.FileSourceOfAnotherScope(file_source_id)
        return found

    def create(self, new: FileSourceDefinition) -> FileSourceDefinition:
        """Store one. Raises FileSourceCodeExists (1260015), FileSourceAliasExists (1260004)."""
        row = {
            **_columns(new),
            "scope_type": new.scope.type,
            "scope_id": new.scope.id,
            "code": new.code,
            "creator": new.last_modify_user,
            "create_time": new.last_modify_time,
        }
        self._write(new, sa.insert(_table).values(row))
        return self.by_code(new.scope, new.code)

    def update(self, changed: FileSourceDefinition) -> FileSourceDefinition:
        """Make all but its code new. Raises FileSourceCodeUnknown, FileSourceAliasExists."""
        statement = sa.update(_table).where(*_coded(changed.scope, changed.code))
        self._write(changed, statement.values(_columns(changed)))
        return self.by_code(changed.scope, changed.code)

    def _write(self, value: FileSourceDefinition, statement: sa.Insert | sa.Update) -> None:
        try:
            with transaction(self._bind) as connection:
                connection.execute(statement)
        except sa.exc.IntegrityError as error:
            if statement.is_insert and self._has(value.scope, _table.c.code == value.code):
                raise errors.FileSourceCodeExists(value.code) from error
            if self._has(value.scope, _table.c.alias == value.alias):
                raise errors.FileSourceAliasExists(value.alias) from error
            raise

    def _has(self, scope: Scope, condition: sa.ColumnElement[bool]) -> bool:
        wanted = sa.select(_table.c.id).where(*_of(scope), condition)
        with transaction(self._bind) as connection:
            return connection.execute(wanted).first() is not None


def _of(scope: Scope) -> tuple[sa.ColumnElement[bool], ...]:
    return (_table.c.scope_type == scope.type, _table.c.scope_id == scope.id)


def _coded(scope: Scope, code: str) -> tuple[sa.ColumnElement[bool], ...]:
    return (*_of(scope), _table.c.code == code)


def _columns(value: FileSourceDefinition) -> dict[str, Any]:
    return {
        "alias": value.alias,
        "type": str(value.type),
        "base_url": value.base_url,
        "region": value.region,
        "credential_id": value.credential_id,
        "file_prefix": value.file_prefix,
        "last_modify_user": value.last_modify_user,
        "last_modify_time": value.last_modify_time,
    }


def _to_definition(row: sa.Row[Any]) -> FileSourceDefinition:
    return FileSourceDefinition(
        id=row.id,
        scope=Scope(row.scope_type, row.scope_id),
        code=row.code,
        alias=row.alias,
        type=FileSourceType(row.type),
        base_url=row.base_url,
        region=row.region,
        credential_id=row.credential_id,
        file_prefix=row.file_prefix,
        creator=row.creator,
        create_time=row.create_time,
        last_modify_user=row.last_modify_user,
        last_modify_time=row.last_modify_time,
    )
