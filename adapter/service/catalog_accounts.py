"""Use cases of accounts."""

from __future__ import annotations

from adapter import errors
from adapter.job.commands import AccountRef
from adapter.job.model import Account, Scope
from adapter.job.status import AccountCategory
from adapter.messages import say
from adapter.ports import Clock
from adapter.service import rules
from adapter.service.pages import Page, page_of
from adapter.store.accounts import AccountFields, AccountStore
from adapter.store.password_key import ENCRYPTED_LENGTH, PasswordKey

_NO_DATABASE = say("Invalid db_port|db_system_account_id: only accounts of databases have them")


class AccountCatalog:
    """What the API says of accounts, and the account of a step that is launched."""

    def __init__(self, accounts: AccountStore, clock: Clock, passwords: PasswordKey) -> None:
        self._accounts = accounts
        self._passwords = passwords
        self._account_clock = clock

    def create_account(
        self,
        scope: Scope,
        *,
        user: str,
        account: str,
        category: int,
        type: int,
        alias: str | None = None,
        password: str | None = None,
        description: str = "",
        db_port: int | None = None,
        db_system_account_id: int | None = None,
    ) -> Account:
        """Store an account; its alias is its name if none is given. An empty password is none.

        A password may come in clear, as JOB's documents have it, or encrypted with the installation's key.

        The last two are of databases (JOB's API has no names for them): a port of 0 is none.
        Raises BadRequest (1240003) for a value out of its range, AccountExists (1243007), AccountUnknown for a
        system account that the scope has not.
        """
        account = account.strip()
        alias = (alias or "").strip() or account
        rules.require("account", rules.account_name(account))
        rules.require("category", rules.one_of(category, rules.ACCOUNT_CATEGORIES))
        rules.require("type", rules.one_of(type, rules.ACCOUNT_TYPES))
        rules.require("alias", rules.label(alias, rules.MAX_ALIAS))
        password = self._opened(password or "")
        rules.require("password", rules.password(password))
        rules.require("description", rules.text(description))
        if category == AccountCategory.DATABASE:
            self._require_database(scope, password, db_port, db_system_account_id)
        elif db_port or db_system_account_id:
            raise errors.BadRequest(_NO_DATABASE)
        return self._accounts.create(
            scope,
            alias=alias,
            account=account,
            category=category,
            type=type,
            password=password or None,
            description=description,
            db_port=db_port or None,
            db_system_account_id=db_system_account_id,
            operator=user,
            now_ms=self._account_clock.now_ms(),
        )

    def update_account(
        self,
        scope: Scope,
        *,
        user: str,
        id: int,
        alias: str | None = None,
        password: str | None = None,
        description: str | None = None,
        db_port: int | None = None,
        db_system_account_id: int | None = None,
    ) -> Account:
        """Change what is given; an empty password or alias keeps the one there is, a port of 0 is none.

        Raises BadRequest (1240003), AccountUnknown (1244003) also for another scope's, AccountExists (1243007).
        """
        found = self._of_scope(scope, id)
        fields: AccountFields = {}
        if alias:
            rules.require("alias", rules.label(alias, rules.MAX_ALIAS))
            fields["alias"] = alias
        if description is not None:
            rules.require("description", rules.text(description))
            fields["description"] = description
        if password:
            fields["password"] = self._opened(password)
            rules.require("password", rules.password(fields["password"] or ""))
        if found.category == AccountCategory.DATABASE:
            self._require_database(scope, fields.get("password") or "", db_port, db_system_account_id)
        elif db_port or db_system_account_id:
            raise errors.BadRequest(_NO_DATABASE)
        if db_port is not None:
            fields["db_port"] = db_port or None
        if db_system_account_id is not None:
            fields["db_system_account_id"] = db_system_account_id
        return self._accounts.update(found.id, operator=user, now_ms=self._account_clock.now_ms(), **fields)

    def delete_account(self, scope: Scope, *, id: int) -> None:
        """Remove an account.

        Raises AccountUnknown (1244003) also for another scope's, AccountInUse (1243014) while a template, an
        account of a database or a job that has not ended names it.
        """
        self._accounts.delete(self._of_scope(scope, id).id)

    def _of_scope(self, scope: Scope, account_id: int) -> Account:
        found = self._accounts.get(account_id)
        if found is None or found.scope != scope:
            raise errors.AccountUnknown(f"ID={account_id}")
        return found

    def _opened(self, password: str) -> str:
        """The password in clear. What has the length of an encrypted one can be no other: it would be too long."""
        if len(password) != ENCRYPTED_LENGTH:
            return password
        try:
            return self._passwords.opened(password)
        except ValueError:
            raise errors.BadRequest(
                say(
                    "Invalid password: must be encrypted as get_account_password_encryption_metadata says, "
                    "or in clear"
                )
            ) from None

    def _require_database(
        self, scope: Scope, password: str, port: int | None, system_account_id: int | None
    ) -> None:
        rules.require("password", rules.database_password(password))
        if port:
            rules.require("db_port", rules.port(port))
        if system_account_id is not None:
            found = self._accounts.get(system_account_id)
            if found is None or found.scope != scope or found.category != AccountCategory.SYSTEM:
                raise errors.AccountUnknown(f"ID={system_account_id}")

    def get_account_list(
        self,
        scope: Scope,
        *,
        category: int | None = None,
        account: str | None = None,
        alias: str | None = None,
        start: int | None = None,
        length: int | None = None,
    ) -> Page[Account]:
        """The scope's accounts, last changed first; `account` and `alias` are parts of the value."""
        rules.require("account", rules.text(account or ""))
        rules.require("alias", rules.text(alias or ""))
        return page_of(
            lambda first, most: self._accounts.list(
                scope, category=category, account=account, alias=alias, start=first, length=most
            ),
            start,
            length,
        )

    def accounts_of(self, scope: Scope, category: AccountCategory) -> tuple[Account, ...]:
        """All of the scope's accounts of systems, or of databases, last changed first."""
        return self._accounts.list(scope, category=category, start=0, length=2**31 - 1)[1]

    def account(self, scope: Scope, ref: AccountRef) -> Account:
        """The account that a launch names: by id of any scope (contract c), else by alias within the scope.

        Raises MissingParameter (1241004) if neither is given, AccountUnknown (1244003).
        """
        if ref.id is not None:
            found = self._accounts.get(ref.id)
        elif ref.alias:
            found = self._accounts.by_alias(scope, ref.alias)
        else:
            raise errors.MissingParameter("account_id|account_alias")
        if found is None:
            raise errors.AccountUnknown(str(ref))
        return found
