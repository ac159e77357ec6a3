"""What v2 answers about scripts and accounts (contract i): times are text."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from adapter.api.reports import VersionPage
from adapter.api.views_catalog import SYSTEMS, scope_of
from adapter.api.views_v2 import time_text
from adapter.api.views_v3 import scope
from adapter.job.model import PUBLIC, Account, ScriptVersion


def scripts(versions: VersionPage) -> dict[str, Any]:
    """get_script_list, get_public_script_list; the content is null unless asked for."""
    page = versions.page
    return {
        "start": page.start,
        "page_size": page.length,
        "total_record_size": page.total,
        "data": [script(item, with_content=versions.with_content) for item in page.items],
    }


def script(value: ScriptVersion, *, with_content: bool = True) -> dict[str, Any]:
    """A version of a script."""
    return {
        "id": value.id,
        "name": value.name,
        "version": value.version,
        "tag": "",
        "type": value.language,
        "public": value.scope == PUBLIC,
        **scope_of(value),
        "content": value.content if with_content else None,
        **_authorship(value),
    }


def system_accounts(accounts: Iterable[Account]) -> list[dict[str, Any]]:
    """get_os_account."""
    return [
        {
            "id": item.id,
            "account": item.account,
            "alias": item.alias,
            "os": SYSTEMS.get(item.type, ""),
            "creator": item.creator,
            "create_time": time_text(item.create_time),
            **scope(item.scope),
        }
        for item in accounts
    ]


def database_accounts(accounts: Iterable[Account]) -> list[dict[str, Any]]:
    """get_own_db_account_list."""
    return [{"db_account_id": item.id, "db_alias": item.alias} for item in accounts]


def _authorship(value: ScriptVersion) -> dict[str, Any]:
    return {
        "creator": value.creator,
        "create_time": time_text(value.create_time),
        "last_modify_user": value.last_modify_user,
        "last_modify_time": time_text(value.last_modify_time),
    }
