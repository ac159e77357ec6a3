"""What v3 answers about accounts and scripts (contract d). Secrets have no key here at all."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from adapter.api.reports import VersionPage
from adapter.api.views_v3 import scope
from adapter.job.model import PUBLIC, Account, Script, ScriptTask, ScriptVersion
from adapter.job.plan import PlanScript
from adapter.service.pages import Page

T = TypeVar("T")

_LOCAL, _OF_LIBRARY, _PUBLIC = 1, 2, 3
SYSTEMS = {1: "Linux", 2: "Windows"}  #: by account type; databases have none


def account(value: Account) -> dict[str, Any]:
    """An account."""
    return {
        "id": value.id,
        "account": value.account,
        "alias": value.alias,
        "category": value.category,
        "type": value.type,
        "db_system_account_id": value.db_system_account_id,
        "os": SYSTEMS.get(value.type, ""),
        "description": value.description,
        **scope(value.scope),
        **authorship(value),
    }


def script(value: Script) -> dict[str, Any]:
    """A script."""
    return {
        "id": value.id,
        "name": value.name,
        "script_language": value.language,
        "online_script_version_id": value.online_version_id,
        "description": value.description,
        **scope_of(value),
        **authorship(value),
    }


def script_version(value: ScriptVersion, *, with_content: bool = True) -> dict[str, Any]:
    """A version of a script; the content is plain text."""
    return {
        "id": value.id,
        "script_id": value.script_id,
        "name": value.name,
        "version": value.version,
        "content": value.content if with_content else None,
        "status": int(value.status),
        "version_desc": value.version_desc,
        "script_language": value.language,
        "description": value.description,
        **scope_of(value),
        **authorship(value),
    }


def moved(value: ScriptVersion) -> dict[str, Any]:
    """publish_script_version, disable_script_version."""
    return {"id": value.id, "script_id": value.script_id, "status": int(value.status)}


def script_type(value: ScriptTask | PlanScript) -> int:
    """Where a step has its script from."""
    if value.script_id is None and value.script_version_id is None:
        return _LOCAL
    return _PUBLIC if value.is_public else _OF_LIBRARY


def scope_of(value: Script | ScriptVersion) -> dict[str, Any]:
    """The three names of its scope; a public one is of none."""
    names = scope(value.scope)
    return dict.fromkeys(names) if value.scope == PUBLIC else names


def nothing(_value: None) -> None:
    """What is deleted."""


def password_encryption(public_key: str) -> dict[str, Any]:
    """get_account_password_encryption_metadata: the only keys of JOB's in camel case."""
    return {"publicKey": public_key, "encryptAlgorithm": "RSA"}


def accounts(page: Page[Account]) -> dict[str, Any]:
    """get_account_list."""
    return page_of(page, account)


def scripts(page: Page[Script]) -> dict[str, Any]:
    """get_script_list."""
    return page_of(page, script)


def script_versions(versions: VersionPage) -> dict[str, Any]:
    """get_script_version_list; the content is null unless asked for."""
    return page_of(versions.page, lambda item: script_version(item, with_content=versions.with_content))


def page_of(page: Page[T], view: Callable[[T], dict[str, Any]]) -> dict[str, Any]:
    """A page as every list of the management APIs answers it."""
    return {
        "start": page.start,
        "length": page.length,
        "total": page.total,
        "data": [view(item) for item in page.items],
    }


def authorship(value: Any) -> dict[str, Any]:
    """Who made it and who changed it last, and when."""
    return {
        "creator": value.creator,
        "create_time": value.create_time,
        "last_modify_user": value.last_modify_user,
        "last_modify_time": value.last_modify_time,
    }
