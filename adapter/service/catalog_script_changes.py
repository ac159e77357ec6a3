"""Use cases that change the script library: each script is of a business, or of PUBLIC for all of them."""

from __future__ import annotations

from adapter import errors
from adapter.job.model import Scope, Script, ScriptVersion
from adapter.job.status import VersionStatus
from adapter.messages import say
from adapter.ports import Clock
from adapter.service import rules
from adapter.store.scripts import ScriptStore


class ScriptChanges:
    """What the API does to scripts and their versions."""

    def __init__(self, scripts: ScriptStore, clock: Clock) -> None:
        self._scripts = scripts
        self._script_clock = clock

    def create_script(
        self,
        scope: Scope,
        *,
        user: str,
        name: str,
        language: int,
        content: str,
        version: str,
        description: str = "",
        version_desc: str = "",
    ) -> ScriptVersion:
        """Store a script and its first version, a draft. `content` is the decoded text.

        Raises BadRequest (1240003) for a value out of its range, ScriptExists (1243002).
        """
        name = name.strip()
        rules.require("name", rules.script_name(name))
        rules.require("script_language", rules.language(language))
        rules.require("description", rules.text(description))
        _require_version(version, content, version_desc)
        return self._scripts.create_with_version(
            scope,
            name=name,
            language=language,
            content=content,
            version=version,
            description=description,
            version_desc=version_desc,
            operator=user,
            now_ms=self._script_clock.now_ms(),
        )

    def create_script_version(
        self,
        scope: Scope,
        *,
        user: str,
        script_id: str,
        content: str,
        version: str,
        version_desc: str = "",
    ) -> ScriptVersion:
        """Store another version of a script, a draft. `content` is the decoded text.

        Raises BadRequest (1240003), ScriptUnknown (1243001), VersionExists (1243036).
        """
        _require_version(version, content, version_desc)
        script = self._script_of(scope, script_id)
        return self._scripts.create_version(
            script.id,
            version=version,
            content=content,
            version_desc=version_desc,
            operator=user,
            now_ms=self._script_clock.now_ms(),
        )

    def update_script_basic(
        self, scope: Scope, *, user: str, script_id: str, name: str, description: str | None = None
    ) -> Script:
        """Change a script's name and description; without a description it keeps the one it has.

        Raises BadRequest (1240003), ScriptUnknown (1243001), ScriptExists (1243002).
        """
        name = name.strip()
        rules.require("name", rules.script_name(name))
        values = {"name": name}
        if description is not None:
            rules.require("description", rules.text(description))
            values["description"] = description
        script = self._script_of(scope, script_id)
        self._scripts.update(script.id, operator=user, now_ms=self._script_clock.now_ms(), **values)
        return self._script_of(scope, script_id)

    def update_script_version(
        self,
        scope: Scope,
        *,
        user: str,
        script_id: str,
        script_version_id: int,
        content: str,
        version_desc: str | None = None,
    ) -> ScriptVersion:
        """Change a draft's text, and its description if one is given.

        Raises BadRequest (1240003), ScriptUnknown (1243001), ScriptVersionUnknown (1243047),
        UnsupportedOperation (1241003) for what is no draft.
        """
        rules.require("content", rules.content(content))
        values = {"content": content}
        if version_desc is not None:
            rules.require("version_desc", rules.text(version_desc))
            values["version_desc"] = version_desc
        found = self._version_of(scope, script_id, script_version_id)
        is_changed = self._scripts.update_version(
            found.id, operator=user, now_ms=self._script_clock.now_ms(), only_draft=True, **values
        )
        return self._moved(scope, found, is_changed)

    def publish_script_version(
        self, scope: Scope, *, user: str, script_id: str, script_version_id: int
    ) -> ScriptVersion:
        """Put a version online; the one that was online goes offline. Answers the version as it is now.

        Raises ScriptUnknown (1243001), ScriptVersionUnknown (1243047), UnsupportedOperation (1241003) for
        a disabled version.
        """
        found = self._version_of(scope, script_id, script_version_id)
        is_published = self._scripts.publish(
            found.script_id, found.id, operator=user, now_ms=self._script_clock.now_ms()
        )
        return self._moved(scope, found, is_published)

    def disable_script_version(
        self, scope: Scope, *, user: str, script_id: str, script_version_id: int
    ) -> ScriptVersion:
        """Take a version out of use for good: it runs no more. Answers the version as it is now.

        Raises ScriptUnknown (1243001), ScriptVersionUnknown (1243047), UnsupportedOperation (1241003) for
        one that is neither online nor offline.
        """
        found = self._version_of(scope, script_id, script_version_id)
        is_disabled = self._scripts.disable(
            found.script_id, found.id, operator=user, now_ms=self._script_clock.now_ms()
        )
        return self._moved(scope, found, is_disabled)

    def delete_script(self, scope: Scope, *, script_id: str) -> None:
        """Remove a script with all its versions. Raises ScriptUnknown (1243001), ScriptInUse (1243054)."""
        self._scripts.delete(self._script_of(scope, script_id).id)

    def delete_script_version(self, scope: Scope, *, script_id: str, script_version_id: int) -> None:
        """Remove a version, and with the last one the script.

        Raises ScriptUnknown (1243001), ScriptVersionUnknown (1243047), ScriptInUse (1243054).
        """
        found = self._version_of(scope, script_id, script_version_id)
        self._scripts.delete_version(found.script_id, found.id)

    def _moved(self, scope: Scope, found: ScriptVersion, is_done: bool) -> ScriptVersion:
        """The version as it is now. Raises what kept it from being moved."""
        version = self._version_of(scope, found.script_id, found.id)
        if not is_done:
            status = VersionStatus(version.status).name.lower()
            raise errors.UnsupportedOperation(
                say("script version [{id}] is {status}", id=version.id, status=status)
            )
        return version

    def _version_of(self, scope: Scope, script_id: str, version_id: int) -> ScriptVersion:
        script = self._script_of(scope, script_id)
        version = self._scripts.version(version_id)
        if version is None or version.script_id != script.id:
            raise errors.ScriptVersionUnknown(
                say("[{version}] of script [{script}]", version=version_id, script=script_id)
            )
        return version

    def _script_of(self, scope: Scope, script_id: str) -> Script:
        script = self._scripts.get(script_id)
        if script is None or script.scope != scope:
            raise errors.ScriptUnknown(say("no script [{id}] in [{scope}]", id=script_id, scope=scope))
        return script


def _require_version(version: str, content: str, version_desc: str) -> None:
    rules.require("version", rules.version(version))
    rules.require("content", rules.content(content))
    rules.require("version_desc", rules.text(version_desc))
