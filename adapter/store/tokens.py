"""The tokens that there are, for people: what they are called, whose they are, and until when."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from adapter.store.apps import TOKEN_ID_DIGITS
from adapter.store.tables import token as _token
from adapter.store.transactions import Bind, is_storable, transaction

_id = sa.func.substr(_token.c.hashed_token, 1, TOKEN_ID_DIGITS)


@dataclass(frozen=True, kw_only=True)
class StoredToken:
    """A token without what makes it one."""

    id: str
    app_code: str
    user: str
    create_time: int | None
    expire_time: int | None
    withdraw_time: int | None

    def state(self, now_ms: int) -> str:
        """valid, expired or withdrawn."""
        if self.withdraw_time is not None:
            return "withdrawn"
        return "expired" if self.expire_time is not None and now_ms >= self.expire_time else "valid"


class TokenStore:
    """The table `token`; service.authentication looks tokens up elsewhere."""

    def __init__(self, bind: Bind) -> None:
        self._bind = bind

    def of(self, app_code: str | None = None, user: str | None = None) -> tuple[StoredToken, ...]:
        """All tokens, or those of an application or user, the oldest first."""
        found = sa.select(_token, _id.label("id")).where(*_whose(app_code, user))
        with transaction(self._bind) as connection:
            rows = connection.execute(found.order_by(_token.c.create_time, _token.c.hashed_token)).all()
        return tuple(map(_of, rows))

    def has(self, token_id: str) -> bool:
        """True if there is one of that id."""
        if not is_storable(token_id):
            return False
        with transaction(self._bind) as connection:
            return connection.execute(sa.select(_id).where(_is(token_id))).first() is not None

    def withdraw(
        self,
        now_ms: int,
        *,
        token_id: str | None = None,
        app_code: str | None = None,
        user: str | None = None,
    ) -> list[str]:
        """Withdraw what is named and not withdrawn yet; answers the ids."""
        if token_id is None and app_code is None:
            raise ValueError("neither a token nor an application is named")
        which = [_token.c.withdraw_time.is_(None), *_whose(app_code, user)]
        if token_id is not None:
            which.append(_is(token_id))
        statement = sa.update(_token).where(*which).values(withdraw_time=now_ms).returning(_id)
        with transaction(self._bind) as connection:
            return sorted(connection.scalars(statement))


def _is(token_id: str) -> sa.ColumnElement[bool]:
    return _id == token_id


def _whose(app_code: str | None, user: str | None) -> list[sa.ColumnElement[bool]]:
    named = ((_token.c.app_code, app_code), (_token.c.user, user))
    return [column == value for column, value in named if value is not None]


def _of(row: sa.Row[Any]) -> StoredToken:
    return StoredToken(
        id=row.id,
        app_code=row.app_code,
        user=row.user,
        create_time=row.create_time,
        expire_time=row.expire_time,
        withdraw_time=row.withdraw_time,
    )
