"""The fields of v2's APIs of scripts and accounts (contract i)."""

from __future__ import annotations

from adapter.api.fields import BaseSchema, Flag, Number, Text


class GetPublicScriptList(BaseSchema):
    """get_public_script_list; without a length, or with 0, everything."""

    script_name = Text(strip=True)
    script_type = Number()
    return_script_content = Flag(load_default=False)
    start = Number()
    length = Number()


class GetScriptList(GetPublicScriptList):
    """get_script_list; of public scripts it needs no scope."""

    is_public = Flag(load_default=False)


class GetScriptDetail(BaseSchema):
    """get_script_detail; `id` is a version's."""

    id = Number()


class GetOwnDbAccountList(BaseSchema):
    """get_own_db_account_list; without a length everything."""

    start = Number()
    length = Number()
