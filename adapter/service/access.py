"""What a caller may do (design D11); service.authentication says who it is."""

from __future__ import annotations

from collections.abc import Sequence

from adapter import errors
from adapter.job.actions import Action
from adapter.job.commands import Caller
from adapter.job.model import Scope
from adapter.messages import say
from adapter.service import iam


def require(caller: Caller, action: Action, scopes: Sequence[Scope], api: str) -> None:
    """Raises PermissionDenied, with JOB's permission object, if the caller may not do that in the scopes.

    `api` is the name of what is asked for; without scopes it is something of no business, or of all.
    """
    for scope in scopes:
        require_scope(caller, scope)
    for place in scopes or (None,):
        if not caller.limits.allow(action, place):
            raise errors.PermissionDenied(
                say(
                    "user [{user}] of APP [{code}] may not {action} in [{scope}]; allow it with "
                    "`adapter permission set` or `adapter app update`",
                    user=caller.user,
                    code=caller.app_code,
                    action=str(action),
                    scope="*" if place is None else place,
                ),
                iam.lacking(iam.action_of(api, action), [] if place is None else [place]),
            )


def require_scope(caller: Caller, scope: Scope) -> None:
    """Raises PermissionDenied, with JOB's permission object, if the caller may not use the scope."""
    if caller.scopes is not None and scope not in caller.scopes:
        raise errors.PermissionDenied(
            say(
                "user [{user}] of APP [{code}] may not access [{scope}]; allow it with "
                "`adapter app update {code} --scope …`, or `adapter permission set` "
                "if the user has permissions",
                user=caller.user,
                code=caller.app_code,
                scope=scope,
            ),
            iam.lacking(iam.ACCESS_BUSINESS, [scope]),
        )


def require_everything(caller: Caller, lacking: str) -> None:
    """Raises PermissionDenied, of the action `lacking`, if the caller may not use every scope there is."""
    if caller.scopes is not None:
        raise errors.PermissionDenied(
            say(
                "APP [{code}] may change or see what holds for every business only if it has all scopes; "
                "register it without --scope",
                code=caller.app_code,
            ),
            iam.lacking(lacking),
        )


def require_naming(caller: Caller, scope: Scope, api: str) -> None:
    """Raises PermissionDenied if some accounts alone may be used: who may then give root an alias may be root."""
    if caller.limits.name_accounts:
        raise errors.PermissionDenied(
            say(
                "user [{user}] of APP [{code}] may use the accounts that are named for it alone, "
                "and so may not say which account has a name",
                user=caller.user,
                code=caller.app_code,
            ),
            iam.lacking(iam.action_of(api, Action.MANAGE), [scope]),
        )
