"""Rows of scripts and their versions as values."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from adapter.job.model import Scope, Script, ScriptVersion
from adapter.store.tables import script, script_version

_WITHOUT_CONTENT = [column for column in script_version.c if column.name != "content"]


def select_versions(*conditions: sa.ColumnElement[bool], with_content: bool = True) -> sa.Select[Any]:
    """Versions with what they have of their script. The content may be long; without it, it is ""."""
    columns = script_version.c if with_content else [*_WITHOUT_CONTENT, sa.literal("").label("content")]
    return (
        sa.select(
            *columns,
            script.c.scope_type,
            script.c.scope_id,
            script.c.name,
            script.c.language,
            script.c.description,
        )
        .join(script, script.c.id == script_version.c.script_id)
        .where(*conditions)
    )


def to_script(row: sa.Row[Any]) -> Script:
    """A row of `script`."""
    return Script(
        id=row.id,
        scope=Scope(row.scope_type, row.scope_id),
        name=row.name,
        language=row.language,
        description=row.description,
        online_version_id=row.online_version_id,
        creator=row.creator,
        create_time=row.create_time,
        last_modify_user=row.last_modify_user,
        last_modify_time=row.last_modify_time,
    )


def to_version(row: sa.Row[Any]) -> ScriptVersion:
    """A row of select_versions()."""
    return ScriptVersion(
        id=row.id,
        script_id=row.script_id,
        scope=Scope(row.scope_type, row.scope_id),
        name=row.name,
        version=row.version,
        content=row.content,
        language=row.language,
        status=row.status,
        description=row.description,
        version_desc=row.version_desc,
        creator=row.creator,
        create_time=row.create_time,
        last_modify_user=row.last_modify_user,
        last_modify_time=row.last_modify_time,
    )
