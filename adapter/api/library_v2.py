"""v2 requests about scripts and accounts (contract i). Its scripts are versions, and its ids theirs."""

from __future__ import annotations

from adapter.api import checks
from adapter.api.call import Call
from adapter.api.reports import VersionPage
from adapter.errors import MissingOrInvalid
from adapter.job.model import PUBLIC, Account, ScriptVersion
from adapter.job.status import AccountCategory
from adapter.messages import say


def scripts(call: Call) -> VersionPage:
    """get_script_list, get_public_script_list: the online version of each script."""
    language, with_content = call["script_type"], call["return_script_content"]
    if language is not None and not 0 <= language <= 6:
        raise MissingOrInvalid(
            "script_type", say("must be one of {allowed}, not {value}", allowed="0-6", value=language)
        )
    page = call.services.catalog.get_online_version_list(
        call.scope if call.scopes else PUBLIC,
        name=call["script_name"],
        language=language,
        start=call["start"],
        length=call["length"],
        with_content=with_content,
    )
    return VersionPage(page=page, with_content=with_content)


def script(call: Call) -> ScriptVersion:
    """get_script_detail: of the request's business, or public."""
    version_id = checks.require_id("id", call["id"], MissingOrInvalid)
    scopes = (call.scope, PUBLIC) if call.scopes else (PUBLIC,)
    return call.services.catalog.get_script_version_of(scopes, version_id)


def system_accounts(call: Call) -> tuple[Account, ...]:
    """get_os_account: every account of a system."""
    return call.services.catalog.accounts_of(call.scope, AccountCategory.SYSTEM)


def database_accounts(call: Call) -> tuple[Account, ...]:
    """get_own_db_account_list: those that the caller may run SQL as."""
    accounts = call.services.catalog.accounts_of(call.scope, AccountCategory.DATABASE)
    own = [item for item in accounts if call.caller.limits.allow_account(item, call.scope)]
    start, length = max(call["start"] or 0, 0), call["length"]
    return tuple(own[start : start + length if length and length > 0 else None])
