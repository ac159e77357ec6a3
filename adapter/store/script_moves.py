"""What becomes of the versions of scripts: draft, online, offline, disabled, gone (contract d).

Whatever moves a version first writes its script's row: of two that move versions of one script at once, the second
waits and sees what the first has done. A deletion also keeps templates and plans from being written meanwhile.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from adapter import errors
from adapter.job.model import Script
from adapter.job.plan import PlanScript
from adapter.job.status import VersionStatus
from adapter.store import tables
from adapter.store.references import refuse_used_script
from adapter.store.script_rows import to_script
from adapter.store.transactions import Bind, exclusive, transaction

_script = tables.script
_version = tables.script_version
_ALL = (_script, _version, tables.job_template, tables.job_plan)
_EXECUTABLE = (VersionStatus.ONLINE, VersionStatus.OFFLINE)


class ScriptMoves:
    """The status of rows of `script_version`, and the end of rows of both tables."""

    _bind: Bind

    def publish(self, script_id: str, version_id: int, *, operator: str, now_ms: int) -> bool:
        """Put a version online and the one that was online offline; False if it is disabled or not there."""
        author = _author(operator, now_ms)
        mine = _one(script_id, version_id)
        with transaction(self._bind) as connection:
            touch(connection, script_id, author)
            if not _set(connection, VersionStatus.ONLINE, author, mine, _version.c.status != _DISABLED):
                return False
            others = (_version.c.script_id == script_id, _version.c.id != version_id)
            _set(
                connection, VersionStatus.OFFLINE, author, *others, _version.c.status == VersionStatus.ONLINE
            )
            touch(connection, script_id, {"online_version_id": version_id})
        return True

    def disable(self, script_id: str, version_id: int, *, operator: str, now_ms: int) -> bool:
        """Take a version out of use for good; False if it is neither online nor offline."""
        return self._leave(script_id, version_id, _DISABLED, _author(operator, now_ms))

    def take_offline(self, script_id: str, version_id: int, *, operator: str, now_ms: int) -> bool:
        """Take a version offline without another in its place; False if it is neither online nor offline."""
        return self._leave(script_id, version_id, VersionStatus.OFFLINE, _author(operator, now_ms))

    def delete(self, script_id: str) -> None:
        """Remove a script with its versions. Raises ScriptUnknown, and ScriptInUse naming the templates."""
        with exclusive(self._bind, *_ALL) as connection:
            refuse_used_script(connection, _known(connection, script_id), lambda step: True)
            connection.execute(sa.delete(_version).where(_version.c.script_id == script_id))
            connection.execute(sa.delete(_script).where(_script.c.id == script_id))

    def delete_version(self, script_id: str, version_id: int) -> None:
        """Remove a version, and the script with its last one.

        A step without a version of its own runs what is online. Raises ScriptUnknown, ScriptVersionUnknown,
        ScriptInUse naming the templates.
        """
        with exclusive(self._bind, *_ALL) as connection:
            script = _known(connection, script_id)
            ids = set(connection.scalars(sa.select(_version.c.id).where(_version.c.script_id == script_id)))
            if version_id not in ids:
                raise errors.ScriptVersionUnknown(f"[{version_id}]")
            is_online = script.online_version_id == version_id

            def runs_it(step: PlanScript) -> bool:
                named = step.script_version_id
                return named == version_id or (named is None and is_online) or len(ids) == 1

            refuse_used_script(connection, script, runs_it)
            connection.execute(sa.delete(_version).where(_version.c.id == version_id))
            if len(ids) == 1:
                connection.execute(sa.delete(_script).where(_script.c.id == script_id))
            elif is_online:
                touch(connection, script_id, {"online_version_id": None})

    def _leave(self, script_id: str, version_id: int, status: VersionStatus, author: dict[str, Any]) -> bool:
        with transaction(self._bind) as connection:
            touch(connection, script_id, author)
            mine = _one(script_id, version_id)
            if not _set(connection, status, author, mine, _version.c.status.in_(_EXECUTABLE)):
                return False
            connection.execute(
                sa.update(_script)
                .where(_script.c.id == script_id, _script.c.online_version_id == version_id)
                .values(online_version_id=None)
            )
        return True


_DISABLED = VersionStatus.DISABLED


def touch(connection: sa.Connection, script_id: str, values: dict[str, Any]) -> bool:
    """Write a script's row, and so have the script to oneself until the transaction ends; False if it is gone."""
    return bool(
        connection.execute(sa.update(_script).where(_script.c.id == script_id).values(values)).rowcount
    )


def _author(operator: str, now_ms: int) -> dict[str, Any]:
    return {"last_modify_user": operator, "last_modify_time": now_ms}


def _one(script_id: str, version_id: int) -> sa.ColumnElement[bool]:
    return sa.and_(_version.c.script_id == script_id, _version.c.id == version_id)


def _set(
    connection: sa.Connection,
    status: VersionStatus,
    author: dict[str, Any],
    *where: sa.ColumnElement[bool],
) -> bool:
    changed = connection.execute(sa.update(_version).where(*where).values(status=status, **author))
    return bool(changed.rowcount)


def _known(connection: sa.Connection, script_id: str) -> Script:
    row = connection.execute(sa.select(_script).where(_script.c.id == script_id)).one_or_none()
    if row is None:
        raise errors.ScriptUnknown(f"[{script_id}]")
    return to_script(row)
