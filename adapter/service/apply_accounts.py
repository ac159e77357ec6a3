"""The `accounts` of a definition file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from adapter.job.model import Account
from adapter.job.status import AccountCategory
from adapter.service import rules
from adapter.service.apply_file import Node, Rule, refuse_repeated
from adapter.service.apply_session import Session
from adapter.store.accounts import AccountFields

_MAX_KEY_BYTES = 65_536


def apply_accounts(session: Session, nodes: list[Node]) -> None:
    """Create or update each. What a node leaves out keeps its value; `login:` with nothing removes the login."""
    seen = []
    for node in nodes:
        account_id = node.identifier()
        name = node.text("account", None, rules.account_name)
        alias = node.text("alias", name, lambda value: rules.label(value, rules.MAX_ALIAS))
        if alias is None:
            node.fail("", "account or alias is missing")
        fields: AccountFields = {"alias": alias}
        if name is not None:
            fields["account"] = name
        _read_numbers(node, fields)
        if node.has("description"):
            fields["description"] = node.text("description", "")
        if node.has("login"):
            fields.update(_login(session, node, name or alias))
        if node.has("database"):
            fields.update(_database(session, node))
        node.finish()
        seen.append(_save(session, node, account_id, fields).id)
    refuse_repeated(nodes, "id", seen)


def _read_numbers(node: Node, fields: AccountFields) -> None:
    category = node.number("category", None, lambda value: rules.one_of(value, rules.ACCOUNT_CATEGORIES))
    if category is not None:
        fields["category"] = category
    kind = node.number("type", None, lambda value: rules.one_of(value, rules.ACCOUNT_TYPES))
    if kind is not None:
        fields["type"] = kind


def _login(session: Session, node: Node, name: str) -> AccountFields:
    if node.raw("login") is None:
        return {"login_user": None, "private_key": None, "password": None}
    login = node.child("login")
    fields: AccountFields = {
        "login_user": login.checked("user", login.text("user", name), rules.login_name),
        "private_key": _private_key(session, login),
        "password": _password(session, login),
    }
    login.finish()
    return fields


def _database(session: Session, node: Node) -> AccountFields:
    if node.raw("login"):
        node.fail("database", "an account of a database has no login: its client runs as the system account")
    database = node.child("database")
    alias = database.text("system_account")
    system = session.accounts.by_alias(session.scope, alias)
    if system is None or system.category != AccountCategory.SYSTEM:
        database.fail("system_account", f"[{alias}] is no system account of {session.scope}; list it before")
    fields: AccountFields = {
        "db_port": database.number("port", None, rules.port),
        "db_system_account_id": system.id,
        "password": _password(session, database, rules.database_password),
    }
    database.finish()
    return fields


def _private_key(session: Session, login: Node) -> str | None:
    name = login.text("private_key_file", None)
    if name is None:
        return None
    path = session.directory / Path(name).expanduser()
    try:
        if not path.is_file():
            login.fail("private_key_file", f"there is no file {path}")
        with path.open("rb") as file:
            key = file.read(_MAX_KEY_BYTES).decode("ascii")
    except UnicodeDecodeError:
        login.fail("private_key_file", f"{path} is no private key: it is not text")
    except (OSError, RuntimeError) as error:
        login.fail("private_key_file", f"{path} cannot be read: {getattr(error, 'strerror', None) or error}")
    if "PRIVATE KEY-----" not in key:
        login.fail("private_key_file", f"{path} holds no private key")
    return key if key.endswith("\n") else key + "\n"  # OpenSSH refuses a key whose last line does not end


def _password(session: Session, login: Node, rule: Rule = rules.password) -> str | None:
    variable = login.text("password_env", None)
    if variable is None:
        return None
    password = session.environ.get(variable)
    if not password:
        login.fail("password_env", f"the environment variable {variable} is not set, or empty")
    problem = rule(password)
    if problem:
        login.fail("password_env", f"the password in {variable} {problem}")
    return password


def _save(session: Session, node: Node, account_id: int | None, fields: AccountFields) -> Account:
    alias = fields["alias"]
    named = session.accounts.by_alias(session.scope, alias)
    stored = named if account_id is None else session.accounts.get(account_id)
    author: dict[str, Any] = {"operator": session.operator, "now_ms": session.now_ms}
    if stored is not None and stored.scope != session.scope:
        node.fail("id", f"account {stored.id} belongs to {stored.scope}, not to {session.scope}")
    if named is not None and (stored is None or named.id != stored.id):
        node.fail("alias", f"[{alias}] is the account of id {named.id} in {session.scope}")
    if stored is None:
        fields.setdefault("account", alias)
        node.checked("alias", fields["account"], rules.account_name)
        _require_consistent(node, fields, None)
        stored = session.accounts.create(session.scope, account_id=account_id, **author, **fields)
        session.changed("created", "account", alias, stored.id)
        return stored
    _require_consistent(node, fields, stored)
    credential = session.accounts.credential(stored.id)
    secrets = {"private_key": credential.private_key, "password": credential.password}
    current = {**vars(stored), **secrets}
    if any(current[name] != value for name, value in fields.items()):
        session.accounts.update(stored.id, **author, **fields)
        session.changed("updated", "account", alias, stored.id)
    return stored


def _require_consistent(node: Node, fields: AccountFields, stored: Account | None) -> None:
    """Only an account of a database has a database, and only one of a system is logged in as."""
    category = fields.get("category", stored.category if stored else AccountCategory.SYSTEM)
    if category == AccountCategory.DATABASE:
        if fields.get("login_user"):
            node.fail("login", "an account of a database has no login; its password is in `database`")
    elif "db_system_account_id" in fields:
        node.fail("database", "only an account of category 2 has one")
