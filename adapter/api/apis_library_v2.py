"""v2's APIs of scripts and accounts."""

from __future__ import annotations

from collections.abc import Mapping

from adapter.api import library_v2, schemas_library_v2, scopes, views_library_v2
from adapter.api.endpoints import Endpoint, endpoint
from adapter.api.fields import BaseSchema
from adapter.job.actions import Action

LIBRARY_V2: Mapping[str, Endpoint] = {
    "get_script_list": endpoint(
        schemas_library_v2.GetScriptList,
        library_v2.scripts,
        views_library_v2.scripts,
        scopes.one_unless_public,
        action=Action.VIEW,
    ),
    "get_public_script_list": endpoint(
        schemas_library_v2.GetPublicScriptList,
        library_v2.scripts,
        views_library_v2.scripts,
        scopes.none,
        action=Action.VIEW,
    ),
    "get_script_detail": endpoint(
        schemas_library_v2.GetScriptDetail,
        library_v2.script,
        views_library_v2.script,
        scopes.at_most_one,
        action=Action.VIEW,
    ),
    "get_os_account": endpoint(
        BaseSchema, library_v2.system_accounts, views_library_v2.system_accounts, action=Action.VIEW
    ),
    "get_own_db_account_list": endpoint(
        schemas_library_v2.GetOwnDbAccountList,
        library_v2.database_accounts,
        views_library_v2.database_accounts,
        action=Action.VIEW,
    ),
}
