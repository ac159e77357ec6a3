"""Use cases of dangerous rules: managing them, and holding scripts to them before they run."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection

import structlog

from adapter import errors
from adapter.job.dangerous import (
    DangerousRule,
    Finding,
    RuleAction,
    TooSlow,
    expression_problem,
    findings,
)
from adapter.messages import say
from adapter.ports import Clock
from adapter.service import rules
from adapter.store.dangerous import DangerousRuleStore, RuleFields

MAX_DESCRIPTION = 1_000
SECONDS = 5  #: for one script, as in JOB
_MAX_TOLD = 10  #: lines that a refusal names
_MAX_LINE_TOLD = 200

_log = structlog.get_logger(__name__)


class DangerousScripts:
    """The rules of the installation: they know no business."""

    def __init__(
        self, store: DangerousRuleStore, clock: Clock, steady: Callable[[], float] = time.monotonic
    ) -> None:
        self._store = store
        self._clock = clock
        self._steady = steady

    def create(
        self, *, user: str, expression: str, languages: Collection[int], action: int, description: str
    ) -> DangerousRule:
        """A rule, which is disabled at first, as JOB's. Raises BadRequest (1240003), DangerousRuleExists."""
        fields = _fields(expression, languages, action, description)
        fields["enabled"] = False
        return self._store.create(fields, operator=user, now_ms=self._clock.now_ms())

    def update(
        self,
        rule_id: int,
        *,
        user: str,
        expression: str,
        languages: Collection[int],
        action: int,
        description: str,
    ) -> DangerousRule:
        """The rule, all of it new but whether it is enabled. Raises what create() raises, DangerousRuleUnknown."""
        fields = _fields(expression, languages, action, description)
        return self._store.update(rule_id, fields, operator=user, now_ms=self._clock.now_ms())

    def enable(self, rule_id: int, *, user: str, enabled: bool) -> DangerousRule:
        """The rule, from now on looked for or not. Raises DangerousRuleUnknown."""
        return self._store.update(rule_id, {"enabled": enabled}, operator=user, now_ms=self._clock.now_ms())

    def delete(self, rule_id: int) -> None:
        """Nothing happens if there is no such rule, as in JOB."""
        self._store.delete(rule_id)

    def list(
        self,
        *,
        expression: str | None,
        languages: Collection[int] | None,
        description: str | None,
        action: int | None,
    ) -> tuple[DangerousRule, ...]:
        """Those that meet all that is given."""
        return self._store.list(
            expression=expression, languages=languages, description=description, action=action
        )

    def check(self, language: int, content: str) -> tuple[Finding, ...]:
        """What enabled rules match in a script. Raises Internal (1240002) if that takes too long, as JOB's does."""
        enabled = self._store.enabled()
        if not enabled:
            return ()
        end = self._steady() + SECONDS
        try:
            return tuple(findings(enabled, language, content, lambda: self._steady() > end))
        except TooSlow:
            raise errors.Internal(
                say(
                    "the script could not be looked through for dangerous statements in {limit} seconds; "
                    "split it",
                    limit=SECONDS,
                )
            ) from None

    def screen(self, step_name: str, language: int, content: str) -> tuple[Finding, ...]:
        """What is to be noted of a script that may run. Raises DangerousScript if it may not."""
        found = self.check(language, content)
        refused = [finding for finding in found if finding.rule.action == RuleAction.INTERCEPT]
        for finding in found:
            _log.warning(
                "dangerous_script",
                refused=bool(refused),
                step=step_name,
                rule=finding.rule.id,
                line=finding.line,
            )
        if refused:
            raise errors.DangerousScript("||".join(_told(step_name, one) for one in refused[:_MAX_TOLD]))
        return found


def _fields(expression: str, languages: Collection[int], action: int, description: str) -> RuleFields:
    rules.require("expression", rules.text(expression) or expression_problem(expression))
    rules.require("script_language_list", language_list(languages))
    rules.require("action", rules.one_of(action, tuple(RuleAction)))
    rules.require("description", rules.text(description) or rules.characters(description, MAX_DESCRIPTION))
    return {
        "expression": expression,
        "languages": tuple(languages),
        "action": action,
        "description": description,
    }


def language_list(languages: Collection[int]) -> str | None:
    """At least one of JOB's languages, and nothing else."""
    if not languages:
        return "must name at least one language"
    return next(filter(None, map(rules.language, languages)), None)


def _told(step_name: str, finding: Finding) -> str:
    """As JOB words it."""
    content = finding.line_content[:_MAX_LINE_TOLD]
    description = finding.rule.description or finding.rule.expression
    return f"[step:{step_name}][line:{finding.line}][content:{content}] - {description}"
