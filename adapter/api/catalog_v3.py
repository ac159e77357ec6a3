"""v3 requests about accounts (contract d)."""

from __future__ import annotations

from adapter.api.call import Call
from adapter.job.model import Account
from adapter.service.pages import Page


def password_encryption(call: Call) -> str:
    """get_account_password_encryption_metadata: the key for passwords."""
    return call.services.password_key()


def create_account(call: Call) -> Account:
    """create_account."""
    return call.services.catalog.create_account(call.scope, user=call.caller.user, **call.fields)


def update_account(call: Call) -> Account:
    """update_account."""
    return call.services.catalog.update_account(call.scope, user=call.caller.user, **call.fields)


def delete_account(call: Call) -> None:
    """delete_account."""
    call.services.catalog.delete_account(call.scope, **call.fields)


def accounts(call: Call) -> Page[Account]:
    """get_account_list."""
    return call.services.catalog.get_account_list(call.scope, **call.fields)
