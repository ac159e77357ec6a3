"""Use case of check_script: what a script has in it that should be looked at before it runs."""

from __future__ import annotations

from collections.abc import Callable

from adapter import errors
from adapter.job.dangerous import Finding
from adapter.job.script_check import SyntaxProblem, SyntaxUnknown
from adapter.job.status import ScriptLanguage
from adapter.messages import say
from adapter.service.dangerous_scripts import DangerousScripts


class ScriptCheck:
    """Holds scripts to dangerous rules, and shell scripts to `syntax`. Nothing of them is run."""

    def __init__(
        self, dangerous: DangerousScripts, syntax: Callable[[str], tuple[SyntaxProblem, ...]]
    ) -> None:
        self._dangerous = dangerous
        self._syntax = syntax

    def check(self, language: int, content: str) -> tuple[Finding | SyntaxProblem, ...]:
        """What was found, by line; nothing in a blank script.

        Raises Internal (1240002) if that takes too long, or the shell cannot tell.
        """
        if not content.strip():
            return ()
        found: list[Finding | SyntaxProblem] = list(self._dangerous.check(language, content))
        if language == ScriptLanguage.SHELL:
            try:
                found += self._syntax(content)
            except SyntaxUnknown as error:
                raise errors.Internal(
                    say("the script's grammar could not be checked: {reason}", reason=error)
                ) from error
        return tuple(sorted(found, key=lambda one: one.line))
