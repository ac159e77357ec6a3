"""Applications that may call, and the tokens of their users. Only hashes of secrets are stored."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from adapter.job.model import Scope
from adapter.store import tables
from adapter.store.secrets import hash_secret
from adapter.store.transactions import Bind, is_storable, transaction

# Of every request: built once, because building one takes longer than running it.
_APP = sa.select(tables.app).where(tables.app.c.code == sa.bindparam("code"))
_TOKEN = (
    sa.select(tables.app, tables.token.c.user)
    .join(tables.token, tables.token.c.app_code == tables.app.c.code)
    .where(tables.token.c.hashed_token == sa.bindparam("hashed"))
)


@dataclass(frozen=True, kw_only=True)
class App:
    """An application. `scopes` None means every scope."""

    code: str
    scopes: frozenset[Scope] | None
    act_as_any_user: bool
    hashed_secret: str = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class Token:
    """What a token stands for: a user of an application."""

    app: App
    user: str


class AppStore:
    """The tables `app` and `token`."""

    def __init__(self, bind: Bind) -> None:
        self._bind = bind

    def get(self, code: str) -> App | None:
        """The application, None if it is not registered."""
        if not is_storable(code):
            return None
        with transaction(self._bind) as connection:
            row = connection.execute(_APP, {"code": code}).one_or_none()
        return _app(row) if row else None

    def create(
        self, *, code: str, secret: str, scopes: frozenset[Scope] | None, act_as_any_user: bool, now_ms: int
    ) -> bool:
        """Register an application; False, and nothing is done, if its code is taken."""
        try:
            with transaction(self._bind) as connection:
                connection.execute(
                    sa.insert(tables.app).values(
                        code=code,
                        hashed_secret=hash_secret(secret),
                        scopes=_dump_scopes(scopes),
                        act_as_any_user=act_as_any_user,
                        create_time=now_ms,
                    )
                )
        except sa.exc.IntegrityError:
            return False
        return True

    def update(
        self,
        code: str,
        *,
        secret: str | None = None,
        scopes: frozenset[Scope] | None = None,
        act_as_any_user: bool | None = None,
    ) -> bool:
        """Change what is not None; False if there is no such application."""
        values: dict[str, Any] = {}
        if secret is not None:
            values["hashed_secret"] = hash_secret(secret)
        if scopes is not None:
            values["scopes"] = _dump_scopes(scopes)
        if act_as_any_user is not None:
            values["act_as_any_user"] = act_as_any_user
        if not values:
            return self.get(code) is not None
        with transaction(self._bind) as connection:
            statement = sa.update(tables.app).where(tables.app.c.code == code).values(**values)
            return connection.execute(statement).rowcount > 0

    def create_token(self, *, token: str, app_code: str, user: str, now_ms: int) -> None:
        """Store a token of an application that exists."""
        with transaction(self._bind) as connection:
            connection.execute(
                sa.insert(tables.token).values(
                    hashed_token=hash_secret(token), app_code=app_code, user=user, create_time=now_ms
                )
            )

    def find_token(self, token: str) -> Token | None:
        """What the token stands for, None if it is unknown. Looked up by its hash, so no time tells of it."""
        if not is_storable(token):
            return None
        with transaction(self._bind) as connection:
            row = connection.execute(_TOKEN, {"hashed": hash_secret(token)}).one_or_none()
        return Token(app=_app(row), user=row.user) if row else None


def _app(row: sa.Row[Any]) -> App:
    scopes = json.loads(row.scopes)
    return App(
        code=row.code,
        scopes=None if scopes is None else frozenset(Scope(*text.split(":", 1)) for text in scopes),
        act_as_any_user=row.act_as_any_user,
        hashed_secret=row.hashed_secret,
    )


def _dump_scopes(scopes: frozenset[Scope] | None) -> str:
    return json.dumps(None if scopes is None else sorted(f"{scope.type}:{scope.id}" for scope in scopes))
