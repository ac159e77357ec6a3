"""Use cases of the script library."""

from __future__ import annotations

from collections.abc import Collection

from adapter import errors
from adapter.job.commands import ScriptRef
from adapter.job.model import PUBLIC, Scope, Script, ScriptVersion
from adapter.job.status import VersionStatus
from adapter.messages import say
from adapter.service import rules
from adapter.service.catalog_script_changes import ScriptChanges
from adapter.service.pages import MAX_LENGTH, Page, page_of, whole_or_page_of

_EXECUTABLE = (VersionStatus.ONLINE, VersionStatus.OFFLINE)


class ScriptCatalog(ScriptChanges):
    """What the API says of scripts, and the version that a launch executes."""

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

    def get_online_version_list(
        self,
        scope: Scope,
        *,
        name: str | None = None,
        language: int | None = None,
        start: int | None = None,
        length: int | None = None,
        with_content: bool = False,
    ) -> Page[ScriptVersion]:
        """The online versions of get_script_list's scripts, as v2 lists them: without a length all of them.

        With their content, which may be long, at most 1000.
        """
        rules.require("name", rules.text(name or ""))
        return whole_or_page_of(
            lambda first, most: self._scripts.list_online_versions(
                scope,
                name=name,
                language=language or None,
                start=first,
                length=most,
                with_content=with_content,
            ),
            start,
            length,
            at_most=MAX_LENGTH if with_content else None,
        )

    def get_script_version_of(self, scopes: Collection[Scope], version_id: int) -> ScriptVersion:
        """A version of one of these scopes' scripts.

        Raises ScriptVersionUnknown (1243047), ScriptUnknown (1243001) for another scope's.
        """
        found = self._scripts.version(version_id)
        if found is None:
            raise errors.ScriptVersionUnknown(f"[{version_id}]")
        if found.scope not in scopes:
            where = ", ".join(map(str, scopes))
            raise errors.ScriptUnknown(say("version [{id}] is not in [{scope}]", id=version_id, scope=where))
        return found

    def get_script_version_list(
        self,
        scope: Scope,
        *,
        script_id: str,
        start: int | None = None,
        length: int | None = None,
        with_content: bool = True,
    ) -> Page[ScriptVersion]:
        """All versions of a script, newest first; without content each has "". Raises ScriptUnknown (1243001)."""
        script = self._script_of(scope, script_id)
        return page_of(
            lambda first, most: self._scripts.versions(
                script.id, start=first, length=most, with_content=with_content
            ),
            start,
            length,
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
            return self.get_script_version_of((scope,), version_id)
        if script_id and version:
            found = self._scripts.version_named(self._script_of(scope, script_id).id, version)
            if found is None:
                raise errors.ScriptVersionUnknown(
                    say("[{version}] of script [{script}]", version=version, script=script_id)
                )
            return found
        raise errors.InvalidParameter("id|script_id+version", say("give id, or script_id and version"))

    def script_version(self, scope: Scope, ref: ScriptRef) -> ScriptVersion:
        """The version that a launch in `scope` executes: by version id, else the script's online version.

        It is one of the scope's, or a public one.

        Raises ScriptUnknown (1243001) also for another business's, ScriptNotExecutable (1244018) for a draft
        or disabled version and for a script without an online one, MissingParameter (1241004) if neither
        is given. A ref's `content` is not looked at.
        """
        if ref.version_id is not None:
            version = self._scripts.version(ref.version_id)
            if version is None or version.scope not in (scope, PUBLIC):
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
        script = self._scripts.get(ref.script_id)
        if script is None or script.scope not in (scope, PUBLIC):
            raise errors.ScriptUnknown(say("no script [{id}] in [{scope}]", id=ref.script_id, scope=scope))
        online = self._scripts.online_version(script.id)
        if online is None:
            raise errors.ScriptNotExecutable(
                say(
                    "script [{name}] has no online version; publish one with publish_script_version",
                    name=script.name,
                )
            )
        return online
