"""Use cases of the script library."""

from __future__ import annotations

from adapter import errors
from adapter.job.commands import ScriptRef
from adapter.job.model import Scope, Script, ScriptVersion
from adapter.job.status import VersionStatus
from adapter.messages import say
from adapter.ports import Clock
from adapter.service import rules
from adapter.service.pages import Page, page_of
from adapter.store.scripts import ScriptStore

_EXECUTABLE = (VersionStatus.ONLINE, VersionStatus.OFFLINE)


class ScriptCatalog:
    """What the API says of scripts, and the version that a launch executes."""

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

    def publish_script_version(
        self, scope: Scope, *, user: str, script_id: str, script_version_id: int
    ) -> ScriptVersion:
        """Put a version online; the one that was online goes offline. Answers the version as it is now.

        Raises ScriptUnknown (1243001), ScriptVersionUnknown (1243047), UnsupportedOperation (1241003) for
        a disabled version.
        """
        script = self._script_of(scope, script_id)
        version = self._scripts.version(script_version_id)
        if version is None or version.script_id != script.id:
            raise errors.ScriptVersionUnknown(
                say("[{version}] of script [{script}]", version=script_version_id, script=script_id)
            )
        if not self._scripts.publish(
            script.id, version.id, operator=user, now_ms=self._script_clock.now_ms()
        ):
            raise errors.UnsupportedOperation(say("script version [{id}] is disabled", id=version.id))
        return self._scripts.version(version.id) or version

    def get_script_list(
        self,
        scope: Scope,
        *,
        name: str | None = None,
        language: int | None = None,
        start: int | None = None,
        length: int | None = None,
    ) -> Page[Script]:
        """The scope's scripts that have an online version; `name` is a part of it, language 0 is any."""
        rules.require("name", rules.text(name or ""))
        return page_of(
            lambda first, most: self._scripts.list_online(
                scope, name=name, language=language or None, start=first, length=most
            ),
            start,
            length,
        )

    def get_script_version_list(
        self, scope: Scope, *, script_id: str, start: int | None = None, length: int | None = None
    ) -> Page[ScriptVersion]:
        """All versions of a script, newest first. Raises ScriptUnknown (1243001)."""
        script = self._script_of(scope, script_id)
        return page_of(
            lambda first, most: self._scripts.versions(script.id, start=first, length=most), start, length
        )

    def get_script_version_detail(
        self,
        scope: Scope,
        *,
        version_id: int | None = None,
        script_id: str | None = None,
        version: str | None = None,
    ) -> ScriptVersion:
        """A version by its id, which wins, or by script and version name.

        Raises InvalidParameter (1241005) if neither is given, ScriptVersionUnknown (1243047), ScriptUnknown
        (1243001) also for another business's.
        """
        if version_id is not None:
            found = self._scripts.version(version_id)
            if found is not None and found.scope != scope:
                raise errors.ScriptUnknown(
                    say("version [{id}] is not in [{scope}]", id=version_id, scope=scope)
                )
            what = f"[{version_id}]"
        elif script_id and version:
            found = self._scripts.version_named(self._script_of(scope, script_id).id, version)
            what = f"[{version}] of script [{script_id}]"
        else:
            raise errors.InvalidParameter("id|script_id+version", say("give id, or script_id and version"))
        if found is None:
            raise errors.ScriptVersionUnknown(what)
        return found

    def script_version(self, scope: Scope, ref: ScriptRef) -> ScriptVersion:
        """The version that a launch executes: by version id, else the script's online version.

        Raises ScriptUnknown (1243001) also for another business's, ScriptNotExecutable (1244018) for a draft
        or disabled version and for a script without an online one, MissingParameter (1241004) if neither
        is given. A ref's `content` is not looked at.
        """
        if ref.version_id is not None:
            version = self._scripts.version(ref.version_id)
            if version is None or version.scope != scope:
                raise errors.ScriptUnknown(
                    say("no version [{id}] in [{scope}]", id=ref.version_id, scope=scope)
                )
            if version.status not in _EXECUTABLE:
                status = VersionStatus(version.status).name.lower()
                raise errors.ScriptNotExecutable(
                    say(
                        "version [{id}] of script [{name}] is {status}; publish it with publish_script_version",
                        id=version.id,
                        name=version.name,
                        status=status,
                    )
                )
            return version
        if not ref.script_id:
            raise errors.MissingParameter("script_version_id|script_id|script_content")
        script = self._script_of(scope, ref.script_id)
        online = self._scripts.online_version(script.id)
        if online is None:
            raise errors.ScriptNotExecutable(
                say(
                    "script [{name}] has no online version; publish one with publish_script_version",
                    name=script.name,
                )
            )
        return online

    def _script_of(self, scope: Scope, script_id: str) -> Script:
        script = self._scripts.get(script_id)
        if script is None or script.scope != scope:
            raise errors.ScriptUnknown(say("no script [{id}] in [{scope}]", id=script_id, scope=scope))
        return script


def _require_version(version: str, content: str, version_desc: str) -> None:
    rules.require("version", rules.version(version))
    rules.require("content", rules.content(content))
    rules.require("version_desc", rules.text(version_desc))
