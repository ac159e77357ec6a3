"""v3 requests about dangerous rules (contract d): of no business, and for who has all of them."""

from __future__ import annotations

from adapter.api import checks
from adapter.api.call import Call
from adapter.job.dangerous import DangerousRule, Finding
from adapter.job.script_check import SyntaxProblem
from adapter.service import access, iam
from adapter.service.dangerous_scripts import DangerousScripts


def create(call: Call) -> DangerousRule:
    """create_dangerous_rule."""
    return _of(call).create(
        user=call.caller.user,
        expression=call["expression"],
        languages=call["script_language_list"],
        action=call["action"],
        description=call["description"],
    )


def update(call: Call) -> DangerousRule:
    """update_dangerous_rule."""
    return _of(call).update(
        call["id"],
        user=call.caller.user,
        expression=call["expression"],
        languages=call["script_language_list"],
        action=call["action"],
        description=call["description"],
    )


def enable(call: Call) -> DangerousRule:
    """enable_dangerous_rule."""
    return _of(call).enable(call["id"], user=call.caller.user, enabled=True)


def disable(call: Call) -> DangerousRule:
    """disable_dangerous_rule."""
    return _of(call).enable(call["id"], user=call.caller.user, enabled=False)


def delete(call: Call) -> None:
    """delete_dangerous_rule."""
    _of(call).delete(call["id"])


def rules(call: Call) -> tuple[DangerousRule, ...]:
    """get_dangerous_rule_list."""
    return _of(call).list(
        expression=call["expression"],
        languages=call["script_language_list"],
        description=call["description"],
        action=call["action"],
    )


def check(call: Call) -> tuple[Finding | SyntaxProblem, ...]:
    """check_script, for everybody."""
    checks.check_language("script_language", call["script_language"])
    return call.services.script_check.check(call["script_language"], call["content"])


def _of(call: Call) -> DangerousScripts:
    access.require_everything(call.caller, iam.DANGEROUS_RULES)
    return call.services.dangerous
