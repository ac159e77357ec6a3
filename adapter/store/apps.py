"""Applications that may call, and the tokens of their users. Only hashes of secrets are stored."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, TypedDict, Unpack

import sqlalchemy as sa

from adapter.job.actions import Action
from adapter.job.model import Scope
from adapter.job.permissions import ANY_USER, Permission
from adapter.store import permissions, tables
from adapter.store.permissions import dump_names, load_actions, load_names
from adapter.store.secrets import hash_secret
from adapter.store.tables_access import permission
from adapter.store.transactions import Bind, is_storable, transaction

TOKEN_ID_DIGITS = 12  #: hexadecimal digits of a token's hash that people call it by

# Of every request: built once, because building one takes longer than running it. With the application come the
# permissions of its user, so that there is one look-up for all of it.
_OF_USER = (permission.c.user, permission.c.scope, *permissions.COLUMNS)


def _whose(user: sa.ColumnElement[str]) -> sa.ColumnElement[bool]:
    is_of_user = permission.c.user.in_([user, sa.literal(ANY_USER)])
    return sa.and_(permission.c.app_code == tables.app.c.code, is_of_user)


_APP = (
    sa.select(tables.app, *_OF_USER)
    .join(permission, _whose(sa.bindparam("user", type_=sa.String)), isouter=True)
    .where(tables.app.c.code == sa.bindparam("code"))
)
_TOKEN = (
    sa.select(
        tables.app,
        *_OF_USER,
        tables.token.c.user.label("token_user"),
        tables.token.c.hashed_token,
        tables.token.c.expire_time,
        tables.token.c.withdraw_time,
    )
    .join(tables.token, tables.token.c.app_code == tables.app.c.code)
    .join(permission, _whose(tables.token.c.user), isouter=True)
    .where(tables.token.c.hashed_token == sa.bindparam("hashed"))
)


@dataclass(frozen=True, kw_only=True)
class App:
    """An application: what it may do, and what the user may that it was looked up for."""

    code: str
    may: Permission
    users: tuple[Permission, ...] = ()  #: of that user; none: no limits of their own
    act_as_any_user: bool
    hashed_secret: str = field(repr=False)
    old_hashed_secret: str | None = field(default=None, repr=False)  #: good until `old_secret_expire_time`
    old_secret_expire_time: int = 0

    @property
    def scopes(self) -> frozenset[Scope] | None:
        """The businesses that the application may use; None for all."""
        return self.may.scopes


class AppFields(TypedDict, total=False):
    """What can be changed of an application; what is not given stays. Of a permission, None is everything."""

    scopes: frozenset[Scope] | None
    actions: frozenset[Action] | None
    accounts: frozenset[str] | None
    act_as_any_user: bool


@dataclass(frozen=True, kw_only=True)
class Token:
    """What a token stands for: a user of an application."""

    id: str  #: what people call it by
    app: App
    user: str
    expire_time: int | None = None
    withdraw_time: int | None = None


class AppStore:
    """The tables `app` and `token`."""

    def __init__(self, bind: Bind) -> None:
        self._bind = bind

    def get(self, code: str, user: str = "") -> App | None:
        """The application with what that user of it may do; None if it is not registered."""
        if not is_storable(code):
            return None
        of = {"code": code, "user": user if is_storable(user) else ""}  # which is nobody's name
        with transaction(self._bind) as connection:
            rows = connection.execute(_APP, of).all()
        return _app(rows) if rows else None

    def create(self, *, code: str, secret: str, now_ms: int, **fields: Unpack[AppFields]) -> bool:
        """Register an application; False, and nothing is done, if its code is taken."""
        new: AppFields = {"scopes": None, "actions": None, "accounts": None, "act_as_any_user": False}
        values = _columns({**new, **fields})
        try:
            with transaction(self._bind) as connection:
                connection.execute(
                    sa.insert(tables.app).values(
                        code=code, hashed_secret=hash_secret(secret), create_time=now_ms, **values
                    )
                )
        except sa.exc.IntegrityError:
            return False
        return True

    def update(self, code: str, **fields: Unpack[AppFields]) -> bool:
        """Change what is given; False if there is no such application."""
        return self._set(code, _columns(fields))

    def rotate(
        self, code: str, *, secret: str, old_until: int | None = None, **fields: Unpack[AppFields]
    ) -> bool:
        """Another secret, and what else is given; the one it had is good until `old_until`, if that is given."""
        old = None if old_until is None else tables.app.c.hashed_secret
        values = {"hashed_secret": hash_secret(secret), "old_hashed_secret": old}
        return self._set(code, {**values, "old_secret_expire_time": old_until, **_columns(fields)})

    def _set(self, code: str, values: dict[str, Any]) -> bool:
        if not values:
            return self.get(code) is not None
        with transaction(self._bind) as connection:
            statement = sa.update(tables.app).where(tables.app.c.code == code).values(**values)
            return connection.execute(statement).rowcount > 0

    def create_token(
        self, *, token: str, app_code: str, user: str, now_ms: int, expire_time: int | None = None
    ) -> str:
        """Store a token of an application that exists; answers its id."""
        hashed = hash_secret(token)
        values = {"app_code": app_code, "user": user, "create_time": now_ms, "expire_time": expire_time}
        with transaction(self._bind) as connection:
            connection.execute(sa.insert(tables.token).values(hashed_token=hashed, **values))
        return token_id(hashed)

    def find_token(self, token: str) -> Token | None:
        """What the token stands for, also if it has expired or was withdrawn; None if it is unknown.

        Looked up by its hash, so no time tells of it.
        """
        if not is_storable(token):
            return None
        with transaction(self._bind) as connection:
            rows = connection.execute(_TOKEN, {"hashed": hash_secret(token)}).all()
        if not rows:
            return None
        first = rows[0]
        return Token(
            id=token_id(first.hashed_token),
            app=_app(rows),
            user=first.token_user,
            expire_time=first.expire_time,
            withdraw_time=first.withdraw_time,
        )


def token_id(hashed: str) -> str:
    """What people call a token by: enough of its hash to tell it from others, and of no use to anyone."""
    return hashed[:TOKEN_ID_DIGITS]


def _app(rows: Sequence[sa.Row[Any]]) -> App:
    row = rows[0]
    return App(
        code=row.code,
        may=Permission(
            scopes=_load_scopes(row.scopes),
            actions=load_actions(row.actions),
            accounts=load_names(row.accounts),
        ),
        users=permissions.of_user(rows),
        act_as_any_user=row.act_as_any_user,
        hashed_secret=row.hashed_secret,
        old_hashed_secret=row.old_hashed_secret,
        old_secret_expire_time=row.old_secret_expire_time or 0,
    )


def _load_scopes(text: str) -> frozenset[Scope] | None:
    names = load_names(text)
    return None if names is None else frozenset(map(Scope.of, names))


def _columns(fields: AppFields) -> dict[str, Any]:
    values: dict[str, Any] = {**fields}
    if "scopes" in fields:
        scopes = fields["scopes"]
        values["scopes"] = dump_names(None if scopes is None else [scope.text for scope in scopes])
    for name in ("actions", "accounts"):
        if name in values:
            values[name] = dump_names(values[name])
    return values
