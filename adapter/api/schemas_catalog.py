"""The fields of the v3 management APIs (contract d); names and texts are checked by the catalog's rules."""

from __future__ import annotations

from adapter.api.fields import BaseSchema, Number, Text


class PageFields(BaseSchema):
    """Whatever is out of range here is put right, not refused."""

    start = Number()
    length = Number()


class CreateAccount(BaseSchema):
    """create_account."""

    account = Text(required=True, strip=True)
    type = Number(required=True)
    category = Number(required=True)
    password = Text(keep_blank=True, secret=True)
    alias = Text(strip=True)
    description = Text(load_default="")
    db_port = Number()
    db_system_account_id = Number()


class OneAccount(BaseSchema):
    """delete_account."""

    id = Number(required=True)


class UpdateAccount(OneAccount):
    """update_account."""

    alias = Text(strip=True)
    password = Text(keep_blank=True, secret=True)
    description = Text(keep_blank=True)
    db_port = Number()
    db_system_account_id = Number()


class GetAccountList(PageFields):
    """get_account_list."""

    category = Number()
    account = Text(strip=True)
    alias = Text(strip=True)
