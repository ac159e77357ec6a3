"""Accounts: whom steps run as. Keys and passwords are encrypted, and come back only by credential()."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, TypedDict, Unpack

import sqlalchemy as sa

from adapter import errors
from adapter.job.model import Account, Scope
from adapter.store import tables
from adapter.store.references import refuse_used_account
from adapter.store.secrets import SecretBox
from adapter.store.transactions import Bind, exclusive, insert_row, is_id, is_storable, transaction

_table = tables.account
_SECRETS = ("private_key", "password")

# Of every launch: built once, because building one takes longer than running it.
_BY_ID = sa.select(_table).where(_table.c.id == sa.bindparam("account"))
_BY_ALIAS = sa.select(_table).where(
    _table.c.scope_type == sa.bindparam("type"),
    _table.c.scope_id == sa.bindparam("scope"),
    _table.c.alias == sa.bindparam("alias"),
)


@dataclass(frozen=True, kw_only=True)
class AccountCredential:
    """How to log in as an account. For whoever starts Ansible, and for nobody else."""

    login_user: str | None
    private_key: str | None = field(default=None, repr=False)
    password: str | None = field(default=None, repr=False)


class AccountFields(TypedDict, total=False):
    """What can be said of an account; what is absent keeps its value or its default."""

    alias: str
    account: str
    category: int
    type: int
    description: str
    login_user: str | None
    private_key: str | None
    password: str | None
    db_port: int | None
    db_system_account_id: int | None


class AccountStore:
    """The table `account`."""

    def __init__(self, bind: Bind, box: SecretBox) -> None:
        self._bind = bind
        self._box = box

    def get(self, account_id: int) -> Account | None:
        """The account of any scope, None if there is none of that id."""
        return self._one(_BY_ID, account=account_id) if is_id(account_id) else None

    def by_alias(self, scope: Scope, alias: str) -> Account | None:
        """The scope's account of exactly that alias."""
        if not is_storable(alias):
            return None
        return self._one(_BY_ALIAS, type=scope.type, scope=scope.id, alias=alias)

    def list(
        self,
        scope: Scope,
        *,
        category: int | None = None,
        account: str | None = None,
        alias: str | None = None,
        start: int = 0,
        length: int = 20,
    ) -> tuple[int, tuple[Account, ...]]:
        """How many there are, and those from `start` on, last changed first. Texts are parts of the value."""
        conditions = [_in(scope)]
        if category is not None:
            conditions.append(_table.c.category == category)
        if account:
            conditions.append(_table.c.account.icontains(account, autoescape=True))
        if alias:
            conditions.append(_table.c.alias.icontains(alias, autoescape=True))
        statement = (
            sa.select(_table)
            .where(*conditions)
            .order_by(_table.c.last_modify_time.desc(), _table.c.id.desc())
            .offset(start)
            .limit(length)
        )
        count = sa.select(sa.func.count()).select_from(_table).where(*conditions)
        with transaction(self._bind) as connection:
            total = connection.execute(count).scalar_one()
            return total, tuple(_account(row) for row in connection.execute(statement))

    def create(
        self,
        scope: Scope,
        *,
        operator: str,
        now_ms: int,
        account_id: int | None = None,
        **fields: Unpack[AccountFields],
    ) -> Account:
        """Store an account; `alias` and `account` are needed. Raises AccountExists if the alias is taken."""
        values = {
            "category": 1,
            "type": 1,
            **self._columns(fields),
            "scope_type": scope.type,
            "scope_id": scope.id,
            "creator": operator,
            "create_time": now_ms,
            "last_modify_user": operator,
            "last_modify_time": now_ms,
        }
        if account_id is not None:
            values["id"] = account_id
        try:
            with transaction(self._bind) as connection:
                account_id = insert_row(connection, _table, values)
        except sa.exc.IntegrityError as error:
            raise errors.AccountExists(fields["alias"]) from error
        return self._stored(account_id)

    def update(
        self, account_id: int, *, operator: str, now_ms: int, **fields: Unpack[AccountFields]
    ) -> Account:
        """Change what is given. Raises AccountExists for an alias that is taken, AccountUnknown if it is gone."""
        values = {**self._columns(fields), "last_modify_user": operator, "last_modify_time": now_ms}
        try:
            with transaction(self._bind) as connection:
                connection.execute(sa.update(_table).where(_table.c.id == account_id).values(values))
        except sa.exc.IntegrityError as error:
            raise errors.AccountExists(fields["alias"]) from error
        return self._stored(account_id)

    def delete(self, account_id: int) -> None:
        """Remove an account. Raises AccountUnknown, and AccountInUse naming what names it."""
        with exclusive(self._bind, _table, tables.job_template, tables.job_plan) as connection:
            found = connection.execute(_BY_ID, {"account": account_id}).one_or_none()
            if found is None:
                raise errors.AccountUnknown(f"ID={account_id}")
            refuse_used_account(connection, _account(found))
            connection.execute(sa.delete(_table).where(_table.c.id == account_id))

    def credential(self, account_id: int) -> AccountCredential:
        """The account's secrets in clear. Raises AccountUnknown; ValueError if the key file is another."""
        with transaction(self._bind) as connection:
            found = connection.execute(_BY_ID, {"account": account_id}) if is_id(account_id) else None
            row = None if found is None else found.one_or_none()
        if row is None:
            raise errors.AccountUnknown(f"ID={account_id}")
        return AccountCredential(
            login_user=row.login_user,
            private_key=self._open(row.private_key_secret),
            password=self._open(row.password_secret),
        )

    def _columns(self, fields: AccountFields) -> dict[str, Any]:
        values: dict[str, Any] = dict(fields)
        for name in _SECRETS:
            if name in values:
                secret = values.pop(name)
                values[f"{name}_secret"] = None if secret is None else self._box.encrypt(secret)
        return values

    def _open(self, sealed: str | None) -> str | None:
        return None if sealed is None else self._box.decrypt(sealed)

    def _stored(self, account_id: int) -> Account:
        account = self.get(account_id)
        if account is None:
            raise errors.AccountUnknown(f"ID={account_id}")
        return account

    def _one(self, statement: sa.Select[Any], **wanted: Any) -> Account | None:
        with transaction(self._bind) as connection:
            row = connection.execute(statement, wanted).one_or_none()
        return _account(row) if row else None


def _in(scope: Scope) -> sa.ColumnElement[bool]:
    return sa.and_(_table.c.scope_type == scope.type, _table.c.scope_id == scope.id)


def _account(row: sa.Row[Any]) -> Account:
    return Account(
        id=row.id,
        scope=Scope(row.scope_type, row.scope_id),
        alias=row.alias,
        account=row.account,
        category=row.category,
        type=row.type,
        login_user=row.login_user,
        has_private_key=row.private_key_secret is not None,
        has_password=row.password_secret is not None,
        db_port=row.db_port,
        db_system_account_id=row.db_system_account_id,
        description=row.description,
        creator=row.creator,
        create_time=row.create_time,
        last_modify_user=row.last_modify_user,
        last_modify_time=row.last_modify_time,
    )
