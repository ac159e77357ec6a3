"""What a caller may do: which actions in which businesses, as which accounts (design D11)."""

from __future__ import annotations

from dataclasses import dataclass

from adapter.job.actions import Action
from adapter.job.model import Account, Scope

#: The name that stands for every user of an application who has no permission of their own.
ANY_USER = "*"


@dataclass(frozen=True, kw_only=True)
class Permission:
    """Something that is allowed. None is everything of its kind, an empty set nothing."""

    scopes: frozenset[Scope] | None = None
    actions: frozenset[Action] | None = None
    accounts: frozenset[str] | None = None  #: aliases, and `ID=12` for one account alone

    def allows(self, action: Action, scope: Scope | None) -> bool:
        """True for the action in the scope; without one, for what is of no business or of all of them.

        Who may do anything in a business may look at it: a launch that can't be followed is no use.
        """
        if scope is None:
            is_covered = self.scopes is None or action is Action.VIEW
        else:
            is_covered = self.scopes is None or scope in self.scopes
        if self.actions is None:
            return is_covered
        return is_covered and (action in self.actions or (action is Action.VIEW and bool(self.actions)))

    def allows_account(self, account: Account, scope: Scope) -> bool:
        """True if jobs may run as the account in the scope."""
        names = {account.alias, f"ID={account.id}"}
        return self.allows(Action.LAUNCH, scope) and (self.accounts is None or bool(self.accounts & names))


@dataclass(frozen=True)
class Limits:
    """What an application may, and then what its user may: each level has to allow it.

    A level is allowed what any of its permissions allows. No level at all is no limit.
    """

    levels: tuple[tuple[Permission, ...], ...] = ()

    @property
    def scopes(self) -> frozenset[Scope] | None:
        """The businesses that something is allowed in; None for every one."""
        found: frozenset[Scope] | None = None
        for level in self.levels:
            if any(permission.scopes is None for permission in level):
                continue
            of_level = frozenset[Scope]().union(*(permission.scopes or () for permission in level))
            found = of_level if found is None else found & of_level
        return found

    @property
    def name_accounts(self) -> bool:
        """True if any level names the accounts that jobs may run as."""
        return any(one.accounts is not None for level in self.levels for one in level)

    def allow(self, action: Action, scope: Scope | None) -> bool:
        """True if every level allows the action there; `scope` None: what is of no business, or of all."""
        return all(any(one.allows(action, scope) for one in level) for level in self.levels)

    def allow_account(self, account: Account, scope: Scope) -> bool:
        """True if jobs may run as the account in the scope.

        An alias is a name within a business: of a business that is not the caller's it says nothing.
        """
        if not self.levels:
            return True
        scopes = self.scopes
        is_known = scopes is None or account.scope in scopes or account.scope == scope
        levels = self.levels if is_known else [_by_id(level) for level in self.levels]
        return all(any(one.allows_account(account, scope) for one in level) for level in levels)


UNLIMITED = Limits()


def _by_id(level: tuple[Permission, ...]) -> tuple[Permission, ...]:
    """The same without aliases."""
    return tuple(
        Permission(
            scopes=one.scopes,
            actions=one.actions,
            accounts=one.accounts and frozenset(name for name in one.accounts if name.startswith("ID=")),
        )
        for one in level
    )
