"""The script library: scripts, their versions, and which version is online."""

from __future__ import annotations

import uuid
from typing import Any

import sqlalchemy as sa

from adapter import errors
from adapter.job.model import Scope, Script, ScriptVersion
from adapter.job.status import VersionStatus
from adapter.store import tables
from adapter.store.script_rows import select_versions, to_script, to_version
from adapter.store.transactions import Bind, insert_row, is_id, is_storable, transaction

_script = tables.script
_version = tables.script_version

_online = (
    sa.select(sa.func.max(_version.c.id))
    .where(_version.c.script_id == _script.c.id, _version.c.status == VersionStatus.ONLINE)
    .correlate(_script)
    .scalar_subquery()
)


class ScriptStore:
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
        conditions = [_in(scope), _online.is_not(None)]
        if name:
            conditions.append(_script.c.name.icontains(name, autoescape=True))
        if language is not None:
            conditions.append(_script.c.language == language)
        count = sa.select(sa.func.count()).select_from(_script).where(*conditions)
        statement = (
            sa.select(_script, _online.label("online_version_id"))
            .where(*conditions)
            .order_by(_script.c.last_modify_time.desc(), _script.c.id)
            .offset(start)
            .limit(length)
        )
        with transaction(self._bind) as connection:
            total = connection.execute(count).scalar_one()
            return total, tuple(to_script(row) for row in connection.execute(statement))

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
        return self._one_version(_version.c.script_id == script_id, _version.c.status == VersionStatus.ONLINE)

    def versions(
        self, script_id: str, *, start: int = 0, length: int = 1000
    ) -> tuple[int, tuple[ScriptVersion, ...]]:
        """How many versions the script has, and those from `start` on, newest first."""
        condition = _version.c.script_id == script_id
        count = sa.select(sa.func.count()).select_from(_version).where(condition)
        statement = select_versions(condition).order_by(_version.c.id.desc()).offset(start).limit(length)
        with transaction(self._bind) as connection:
            total = connection.execute(count).scalar_one()
            return total, tuple(to_version(row) for row in connection.execute(statement))

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
                _touch(connection, script_id, operator, now_ms)
                version_id = insert_row(connection, _version, values)
        except sa.exc.IntegrityError as error:
            raise errors.VersionExists(version) from error
        return self._stored(version_id)

    def update(self, script_id: str, *, operator: str, now_ms: int, **values: str | int) -> None:
        """Change `name`, `language` or `description`. Raises ScriptExists for a name that is taken."""
        try:
            with transaction(self._bind) as connection:
                _touch(connection, script_id, operator, now_ms, **values)
        except sa.exc.IntegrityError as error:
            raise errors.ScriptExists(str(values.get("name"))) from error

    def update_version(self, version_id: int, *, operator: str, now_ms: int, **values: str | int) -> None:
        """Change `version`, `content`, `version_desc` or `status`. Raises VersionExists."""
        try:
            with transaction(self._bind) as connection:
                connection.execute(
                    sa.update(_version)
                    .where(_version.c.id == version_id)
                    .values(**values, last_modify_user=operator, last_modify_time=now_ms)
                )
        except sa.exc.IntegrityError as error:
            raise errors.VersionExists(str(values.get("version"))) from error

    def publish(self, script_id: str, version_id: int, *, operator: str, now_ms: int) -> bool:
        """Put a version online and the one that was online offline; False if it is disabled or not there.

        The script's row is written first: of two that publish at once, the second waits and sees the first.
        """
        changed = {"last_modify_user": operator, "last_modify_time": now_ms}
        with transaction(self._bind) as connection:
            _touch(connection, script_id, operator, now_ms)
            mine = sa.and_(_version.c.script_id == script_id, _version.c.id == version_id)
            published = connection.execute(
                sa.update(_version)
                .where(mine, _version.c.status != VersionStatus.DISABLED)
                .values(status=VersionStatus.ONLINE, **changed)
            )
            if not published.rowcount:
                return False
            connection.execute(
                sa.update(_version)
                .where(
                    _version.c.script_id == script_id,
                    _version.c.status == VersionStatus.ONLINE,
                    _version.c.id != version_id,
                )
                .values(status=VersionStatus.OFFLINE, **changed)
            )
        return True

    def _stored(self, version_id: int) -> ScriptVersion:
        version = self.version(version_id)
        if version is None:
            raise errors.ScriptVersionUnknown(str(version_id))
        return version

    def _script(self, *conditions: sa.ColumnElement[bool]) -> Script | None:
        statement = sa.select(_script, _online.label("online_version_id")).where(*conditions)
        with transaction(self._bind) as connection:
            row = connection.execute(statement).one_or_none()
        return to_script(row) if row else None

    def _one_version(self, *conditions: sa.ColumnElement[bool]) -> ScriptVersion | None:
        with transaction(self._bind) as connection:
            row = connection.execute(select_versions(*conditions)).one_or_none()
        return to_version(row) if row else None


def _touch(
    connection: sa.Connection, script_id: str, operator: str, now_ms: int, **values: str | int
) -> None:
    connection.execute(
        sa.update(_script)
        .where(_script.c.id == script_id)
        .values(**values, last_modify_user=operator, last_modify_time=now_ms)
    )


def _authored(operator: str, now_ms: int) -> dict[str, Any]:
    return {
        "creator": operator,
        "create_time": now_ms,
        "last_modify_user": operator,
        "last_modify_time": now_ms,
    }


def _in(scope: Scope) -> sa.ColumnElement[bool]:
    return sa.and_(_script.c.scope_type == scope.type, _script.c.scope_id == scope.id)
