"""The script library: scripts, their versions, and which version is online."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any, TypeVar

import sqlalchemy as sa

from adapter import errors
from adapter.job.model import Scope, Script, ScriptVersion
from adapter.job.status import VersionStatus
from adapter.store import tables
from adapter.store.script_moves import ScriptMoves, touch
from adapter.store.script_rows import select_versions, to_script, to_version
from adapter.store.transactions import Bind, insert_row, is_id, is_storable, transaction

T = TypeVar("T")

_script = tables.script
_version = tables.script_version
_LAST_CHANGED_FIRST = (_script.c.last_modify_time.desc(), _script.c.id.desc())


class ScriptStore(ScriptMoves):
    """The tables `script` and `script_version`."""

    def __init__(self, bind: Bind) -> None:
        self._bind = bind

    def get(self, script_id: str) -> Script | None:
        """The script of any scope, None if there is none of that id."""
        return self._script(_script.c.id == script_id) if is_storable(script_id) else None

    def by_name(self, scope: Scope, name: str) -> Script | None:
        """The scope's script of exactly that name."""
        return self._script(_in(scope), _script.c.name == name) if is_storable(name) else None

    def list_online(
        self, scope: Scope, *, name: str | None = None, language: int | None = None, start: int, length: int
    ) -> tuple[int, tuple[Script, ...]]:
        """The scope's scripts that have an online version, last changed first; `name` is a part of it."""
        total, ids = _online(scope, name, language)
        page = ids.offset(start).limit(length).subquery()
        statement = sa.select(_script).join(page, page.c.id == _script.c.id).order_by(*_LAST_CHANGED_FIRST)
        return self._page(total, statement, start, to_script)

    def list_online_versions(
        self,
        scope: Scope,
        *,
        name: str | None = None,
        language: int | None = None,
        start: int,
        length: int,
        with_content: bool,
    ) -> tuple[int, tuple[ScriptVersion, ...]]:
        """The online versions of the same scripts in the same order; without its content a version has ""."""
        total, ids = _online(scope, name, language)
        page = ids.offset(start).limit(length).subquery()
        statement = (
            select_versions(_version.c.id == _script.c.online_version_id, with_content=with_content)
            .join(page, page.c.id == _script.c.id)
            .order_by(*_LAST_CHANGED_FIRST)
        )
        return self._page(total, statement, start, to_version)

    def version(self, version_id: int) -> ScriptVersion | None:
        """The version of any scope, None if there is none of that id."""
        return self._one_version(_version.c.id == version_id) if is_id(version_id) else None

    def version_named(self, script_id: str, version: str) -> ScriptVersion | None:
        """The script's version of exactly that name."""
        if not (is_storable(script_id) and is_storable(version)):
            return None
        return self._one_version(_version.c.script_id == script_id, _version.c.version == version)

    def online_version(self, script_id: str) -> ScriptVersion | None:
        """The version that runs when a script is named without one."""
        if not is_storable(script_id):
            return None
        return self._one_version(_script.c.id == script_id, _version.c.id == _script.c.online_version_id)

    def versions(
        self, script_id: str, *, start: int = 0, length: int = 1000, with_content: bool = True
    ) -> tuple[int, tuple[ScriptVersion, ...]]:
        """How many versions the script has, and those from `start` on, newest first; without content it is ""."""
        condition = _version.c.script_id == script_id
        count = sa.select(sa.func.count()).select_from(_version).where(condition)
        newest = sa.select(_version.c.id).where(condition).order_by(_version.c.id.desc())
        page = newest.offset(start).limit(length).subquery()
        statement = (
            select_versions(with_content=with_content)
            .join(page, page.c.id == _version.c.id)
            .order_by(_version.c.id.desc())
        )
        return self._page(count, statement, start, to_version)

    def create(
        self,
        scope: Scope,
        *,
        name: str,
        language: int,
        description: str = "",
        operator: str,
        now_ms: int,
        script_id: str | None = None,
    ) -> str:
        """Store a script without versions; answers its id. Raises ScriptExists for a name that is taken."""
        script_id = script_id or uuid.uuid4().hex
        try:
            with transaction(self._bind) as connection:
                connection.execute(
                    sa.insert(_script).values(
                        id=script_id,
                        scope_type=scope.type,
                        scope_id=scope.id,
                        name=name,
                        language=language,
                        description=description,
                        **_authored(operator, now_ms),
                    )
                )
        except sa.exc.IntegrityError as error:
            raise errors.ScriptExists(name) from error
        return script_id

    def create_with_version(
        self,
        scope: Scope,
        *,
        name: str,
        language: int,
        content: str,
        version: str,
        description: str = "",
        version_desc: str = "",
        operator: str,
        now_ms: int,
    ) -> ScriptVersion:
        """Store a script and its first version, a draft, or neither. Raises ScriptExists."""
        with transaction(self._bind) as connection:
            store = ScriptStore(connection)
            script_id = store.create(
                scope, name=name, language=language, description=description, operator=operator, now_ms=now_ms
            )
            return store.create_version(
                script_id,
                version=version,
                content=content,
                version_desc=version_desc,
                operator=operator,
                now_ms=now_ms,
            )

    def create_version(
        self,
        script_id: str,
        *,
        version: str,
        content: str,
        version_desc: str = "",
        operator: str,
        now_ms: int,
        version_id: int | None = None,
    ) -> ScriptVersion:
        """Store a draft. Raises VersionExists for a version that is taken."""
        values = {
            "script_id": script_id,
            "version": version,
            "content": content,
            "status": VersionStatus.DRAFT,
            "version_desc": version_desc,
            **_authored(operator, now_ms),
        }
        if version_id is not None:
            values["id"] = version_id
        try:
            with transaction(self._bind) as connection:
                if not touch(connection, script_id, _changed(operator, now_ms)):
                    raise errors.ScriptUnknown(script_id)
                version_id = insert_row(connection, _version, values)
        except sa.exc.IntegrityError as error:
            raise errors.VersionExists(version) from error
        return self._stored(version_id)

    def update(self, script_id: str, *, operator: str, now_ms: int, **values: str | int) -> None:
        """Change `name`, `language` or `description`. Raises ScriptExists for a name that is taken."""
        try:
            with transaction(self._bind) as connection:
                if not touch(connection, script_id, {**values, **_changed(operator, now_ms)}):
                    raise errors.ScriptUnknown(script_id)
        except sa.exc.IntegrityError as error:
            raise errors.ScriptExists(str(values.get("name"))) from error

    def update_version(
        self, version_id: int, *, operator: str, now_ms: int, only_draft: bool = False, **values: str
    ) -> bool:
        """Change `version`, `content` or `version_desc`; False if there is none, or no draft where only one may be.

        Raises VersionExists for a version that is taken.
        """
        changed = _changed(operator, now_ms)
        mine = [_version.c.id == version_id]
        if only_draft:
            mine.append(_version.c.status == VersionStatus.DRAFT)
        script_id = sa.select(_version.c.script_id).where(_version.c.id == version_id).scalar_subquery()
        try:
            with transaction(self._bind) as connection:
                connection.execute(sa.update(_script).where(_script.c.id == script_id).values(changed))
                updated = connection.execute(sa.update(_version).where(*mine).values(**values, **changed))
        except sa.exc.IntegrityError as error:
            raise errors.VersionExists(str(values.get("version"))) from error
        return bool(updated.rowcount)

    def _page(
        self, count: sa.Select[Any], page: sa.Select[Any], start: int, to_value: Callable[[sa.Row[Any]], T]
    ) -> tuple[int, tuple[T, ...]]:
        """How many there are, and a page of them; behind the last one nothing is looked for."""
        with transaction(self._bind) as connection:
            total = connection.execute(count).scalar_one()
            rows = connection.execute(page) if start < total else ()
            return total, tuple(to_value(row) for row in rows)

    def _stored(self, version_id: int) -> ScriptVersion:
        version = self.version(version_id)
        if version is None:
            raise errors.ScriptVersionUnknown(str(version_id))
        return version

    def _script(self, *conditions: sa.ColumnElement[bool]) -> Script | None:
        statement = sa.select(_script).where(*conditions)
        with transaction(self._bind) as connection:
            row = connection.execute(statement).one_or_none()
        return to_script(row) if row else None

    def _one_version(self, *conditions: sa.ColumnElement[bool]) -> ScriptVersion | None:
        with transaction(self._bind) as connection:
            row = connection.execute(select_versions(*conditions)).one_or_none()
        return to_version(row) if row else None


def _online(scope: Scope, name: str | None, language: int | None) -> tuple[sa.Select[Any], sa.Select[Any]]:
    """How many of the scope's scripts are online, and their ids in order: both read an index alone."""
    conditions = [_in(scope), _script.c.online_version_id.is_not(None)]
    if name:
        conditions.append(_script.c.name.icontains(name, autoescape=True))
    if language is not None:
        conditions.append(_script.c.language == language)
    count = sa.select(sa.func.count()).select_from(_script).where(*conditions)
    return count, sa.select(_script.c.id).where(*conditions).order_by(*_LAST_CHANGED_FIRST)


def _changed(operator: str, now_ms: int) -> dict[str, Any]:
    return {"last_modify_user": operator, "last_modify_time": now_ms}


def _authored(operator: str, now_ms: int) -> dict[str, Any]:
    return {"creator": operator, "create_time": now_ms, **_changed(operator, now_ms)}


def _in(scope: Scope) -> sa.ColumnElement[bool]:
    return sa.and_(_script.c.scope_type == scope.type, _script.c.scope_id == scope.id)
