"""v3 requests about accounts (contract d)."""

from __future__ import annotations

from adapter.api.call import Call
from adapter.job.commands import AccountRef
from adapter.job.model import Account
from adapter.service import access
from adapter.service.pages import Page


def password_encryption(call: Call) -> str:
    """get_account_password_encryption_metadata: the key for passwords."""
    return call.services.password_key()


def create_account(call: Call) -> Account:
    """create_account. Raises PermissionDenied for who may use some accounts alone."""
    access.require_naming(call.caller, call.scope, "create_account")
    return call.services.catalog.create_account(call.scope, user=call.caller.user, **call.fields)


def update_account(call: Call) -> Account:
    """update_account. Raises PermissionDenied for who may use some accounts alone, and would name this one anew."""
    found = call.services.catalog.account(call.scope, AccountRef(id=call["id"]))
    if _gets_another_name(found, call):
        access.require_naming(call.caller, call.scope, "update_account")
    return call.services.catalog.update_account(call.scope, user=call.caller.user, **call.fields)


def delete_account(call: Call) -> None:
    """delete_account."""
    call.services.catalog.delete_account(call.scope, **call.fields)


def accounts(call: Call) -> Page[Account]:
    """get_account_list."""
    return call.services.catalog.get_account_list(call.scope, **call.fields)


def _gets_another_name(found: Account, call: Call) -> bool:
    """True also if another account of the system goes with a database's name (decision 43)."""
    alias, system_account_id = call["alias"], call["db_system_account_id"]
    return (bool(alias) and alias != found.alias) or (
        system_account_id is not None and system_account_id != found.db_system_account_id
    )
