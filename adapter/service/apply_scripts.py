"""The `scripts` of a definition file."""

from __future__ import annotations

import re
from typing import Any

from adapter.job.model import Script, ScriptVersion
from adapter.job.status import VersionStatus
from adapter.service import rules
from adapter.service.apply_file import Node, refuse_repeated
from adapter.service.apply_session import Session


def apply_scripts(session: Session, nodes: list[Node]) -> None:
    """Create or update each, and its versions. What a node leaves out keeps its value."""
    seen = []
    for node in nodes:
        script_id = node.text("id", None, _script_id)
        values: dict[str, Any] = {"name": node.text("name", rule=rules.script_name)}
        if node.has("language"):
            values["language"] = node.number("language", rule=rules.language)
        if node.has("description"):
            values["description"] = node.text("description", "")
        versions = node.children("versions")
        script = _save(session, node, script_id, values, has_versions=bool(versions))
        ids = [_apply_version(session, script, version) for version in versions]
        refuse_repeated(versions, "id", ids)
        if sum(version.raw("online") is True for version in versions) > 1:
            node.fail("versions", "only one version can be online")
        node.finish()
        seen.append(script.id)
    refuse_repeated(nodes, "id", seen)


def _script_id(value: str) -> str | None:
    is_id = re.fullmatch(r"[A-Za-z0-9_-]{1,32}", value, re.ASCII)
    return None if is_id else "must be at most 32 letters, digits, _ and -"


def _save(
    session: Session, node: Node, script_id: str | None, values: dict[str, Any], *, has_versions: bool
) -> Script:
    name = values["name"]
    named = session.scripts.by_name(session.scope, name)
    stored = named if script_id is None else session.scripts.get(script_id)
    author: dict[str, Any] = {"operator": session.operator, "now_ms": session.now_ms}
    if stored is not None and stored.scope != session.scope:
        node.fail("id", f"script {stored.id} belongs to {stored.scope}, not to {session.scope}")
    if named is not None and (stored is None or named.id != stored.id):
        node.fail("name", f"[{name}] is the script of id {named.id} in {session.scope}")
    if stored is None:
        for key in ("language", "versions"):
            if not (has_versions if key == "versions" else key in values):
                node.fail(key, f"is missing: script [{name}] is new in {session.scope}")
        script_id = session.scripts.create(session.scope, script_id=script_id, **author, **values)
        session.changed("created", "script", name, script_id)
    else:
        script_id = stored.id
        if any(getattr(stored, key) != value for key, value in values.items()):
            session.scripts.update(script_id, **author, **values)
            session.changed("updated", "script", name, script_id)
    script = session.scripts.get(script_id)
    assert script is not None
    return script


def _apply_version(session: Session, script: Script, node: Node) -> int:
    version_id = node.identifier()
    values: dict[str, Any] = {"version": node.text("version", rule=rules.version)}
    if node.has("content"):
        values["content"] = node.text("content", rule=rules.content)
    if node.has("version_desc"):
        values["version_desc"] = node.text("version_desc", "")
    online = node.flag("online", None)
    node.finish()
    stored = _stored_version(session, script, node, version_id, values["version"])
    author: dict[str, Any] = {"operator": session.operator, "now_ms": session.now_ms}
    label = f"{script.name} {values['version']}"
    if stored is None:
        if "content" not in values:
            node.fail("content", f"is missing: version [{values['version']}] is new")
        stored = session.scripts.create_version(script.id, version_id=version_id, **author, **values)
        _set_online(session, node, stored, online)
        session.changed("created", "script version", label, stored.id)
        return stored.id
    is_changed = any(getattr(stored, key) != value for key, value in values.items())
    if is_changed:
        session.scripts.update_version(stored.id, **author, **values)
    if _set_online(session, node, stored, online) or is_changed:
        session.changed("updated", "script version", label, stored.id)
    return stored.id


def _stored_version(
    session: Session, script: Script, node: Node, version_id: int | None, name: str
) -> ScriptVersion | None:
    named = session.scripts.version_named(script.id, name)
    if version_id is None:
        return named
    stored = session.scripts.version(version_id)
    if stored is not None and stored.script_id != script.id:
        node.fail("id", f"version {version_id} belongs to script [{stored.name}] of {stored.scope}")
    if named is not None and named.id != version_id:
        node.fail("version", f"[{name}] is the version of id {named.id}")
    return stored


def _set_online(session: Session, node: Node, version: ScriptVersion, online: bool | None) -> bool:
    """Publish or take offline as the file says; True if that changed something."""
    is_online = version.status == VersionStatus.ONLINE
    if online is None or online == is_online:
        return False
    author: dict[str, Any] = {"operator": session.operator, "now_ms": session.now_ms}
    if not online:
        session.scripts.take_offline(version.script_id, version.id, **author)
    elif not session.scripts.publish(version.script_id, version.id, **author):
        node.fail("online", f"version [{version.version}] is disabled and cannot be published")
    return True
