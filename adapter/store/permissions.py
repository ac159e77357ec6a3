"""What users of applications may do: the table `permission`."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from adapter.job.actions import Action
from adapter.job.model import Scope
from adapter.job.permissions import ANY_USER, Permission
from adapter.store.tables_access import permission as _table
from adapter.store.transactions import Bind, transaction

_EVERYWHERE = "*"

_ACTIONS = _table.c.actions.label("user_actions")
_ACCOUNTS = _table.c.accounts.label("user_accounts")
#: What a permission says, beside an application's columns of the same names.
COLUMNS = (_ACTIONS, _ACCOUNTS)


@dataclass(frozen=True, kw_only=True)
class UserPermission:
    """What a user of an application may in a business, or with `scope` None in all."""

    app_code: str
    user: str
    scope: Scope | None
    actions: frozenset[Action] | None
    accounts: frozenset[str] | None


class PermissionStore:
    """The table, row by row."""

    def __init__(self, bind: Bind) -> None:
        self._bind = bind

    def get(self, app_code: str, user: str, scope: Scope | None) -> UserPermission | None:
        """What is registered, None if nothing is."""
        with transaction(self._bind) as connection:
            row = connection.execute(sa.select(_table).where(*_key(app_code, user, scope))).one_or_none()
        return _of(row) if row else None

    def set(self, wanted: UserPermission) -> None:
        """Register it in place of what was, for an application that exists."""
        key = _key(wanted.app_code, wanted.user, wanted.scope)
        values = {"actions": dump_names(wanted.actions), "accounts": dump_names(wanted.accounts)}
        with transaction(self._bind) as connection:
            if not connection.execute(sa.update(_table).where(*key).values(**values)).rowcount:
                connection.execute(
                    sa.insert(_table).values(
                        app_code=wanted.app_code, user=wanted.user, scope=_scope_text(wanted.scope), **values
                    )
                )

    def remove(self, app_code: str, user: str, scope: Scope | None) -> bool:
        """Forget one; False if there was none."""
        with transaction(self._bind) as connection:
            return connection.execute(sa.delete(_table).where(*_key(app_code, user, scope))).rowcount > 0

    def list(self, app_code: str | None = None) -> tuple[UserPermission, ...]:
        """All of an application, or all there are."""
        found = sa.select(_table).order_by(_table.c.app_code, _table.c.user, _table.c.scope)
        if app_code is not None:
            found = found.where(_table.c.app_code == app_code)
        with transaction(self._bind) as connection:
            return tuple(map(_of, connection.execute(found)))


def of_user(rows: Iterable[sa.Row[Any]]) -> tuple[Permission, ...]:
    """What the user's own rows allow, or if there is none, those of every user."""
    found: dict[str, list[Permission]] = {}
    for row in rows:
        if row.scope is not None:
            allowed = Permission(
                scopes=None if row.scope == _EVERYWHERE else frozenset({Scope.of(row.scope)}),
                actions=load_actions(row.user_actions),
                accounts=load_names(row.user_accounts),
            )
            found.setdefault(row.user, []).append(allowed)
    own = [permissions for user, permissions in found.items() if user != ANY_USER]
    return tuple(own[0] if own else found.get(ANY_USER, ()))


def dump_names(names: Collection[object] | None) -> str:
    """A column's text: null for everything, or the names."""
    return json.dumps(None if names is None else sorted(map(str, names)), ensure_ascii=False)


def load_names(text: str) -> frozenset[str] | None:
    """The reverse; None is everything."""
    names = json.loads(text)
    return None if names is None else frozenset(names)


def load_actions(text: str) -> frozenset[Action] | None:
    """The same of actions."""
    names = load_names(text)
    return None if names is None else frozenset(map(Action, names))


def _key(app_code: str, user: str, scope: Scope | None) -> tuple[sa.ColumnElement[bool], ...]:
    return (_table.c.app_code == app_code, _table.c.user == user, _table.c.scope == _scope_text(scope))


def _scope_text(scope: Scope | None) -> str:
    return _EVERYWHERE if scope is None else scope.text


def _of(row: sa.Row[Any]) -> UserPermission:
    return UserPermission(
        app_code=row.app_code,
        user=row.user,
        scope=None if row.scope == _EVERYWHERE else Scope.of(row.scope),
        actions=load_actions(row.actions),
        accounts=load_names(row.accounts),
    )
