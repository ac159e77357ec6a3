"""v3's APIs of scripts: the same for a business's scripts and, with other names and no scope, for public ones."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from adapter.api import schemas_scripts, scopes, scripts_v3, views_catalog
from adapter.api.endpoints import Endpoint, endpoint
from adapter.job.actions import Action
from adapter.job.model import Scope


def _apis(script: str, scopes_of: Callable[[Mapping[str, Any]], tuple[Scope, ...]]) -> Mapping[str, Endpoint]:
    """By name; `script` is what the names call a script."""
    manage, view = Action.MANAGE, Action.VIEW
    schemas, use, views = schemas_scripts, scripts_v3, views_catalog
    return {
        f"create_{script}": endpoint(
            schemas.CreateScript, use.create, views.script_version, scopes_of, action=manage
        ),
        f"create_{script}_version": endpoint(
            schemas.CreateScriptVersion, use.create_version, views.script_version, scopes_of, action=manage
        ),
        f"update_{script}_basic": endpoint(
            schemas.UpdateScriptBasic, use.update_basic, views.script, scopes_of, action=manage
        ),
        f"update_{script}_version": endpoint(
            schemas.UpdateScriptVersion, use.update_version, views.script_version, scopes_of, action=manage
        ),
        f"publish_{script}_version": endpoint(
            schemas.OneScriptVersion, use.publish, views.moved, scopes_of, action=manage
        ),
        f"disable_{script}_version": endpoint(
            schemas.OneScriptVersion, use.disable, views.moved, scopes_of, action=manage
        ),
        f"delete_{script}": endpoint(schemas.OneScript, use.delete, views.nothing, scopes_of, action=manage),
        f"delete_{script}_version": endpoint(
            schemas.OneScriptVersion, use.delete_version, views.nothing, scopes_of, action=manage
        ),
        f"get_{script}_list": endpoint(
            schemas.GetScriptList, use.scripts, views.scripts, scopes_of, action=view
        ),
        f"get_{script}_version_list": endpoint(
            schemas.GetScriptVersionList, use.versions, views.script_versions, scopes_of, action=view
        ),
        f"get_{script}_version_detail": endpoint(
            schemas.GetScriptVersionDetail, use.version, views.script_version, scopes_of, action=view
        ),
    }


SCRIPTS = {**_apis("script", scopes.one), **_apis("public_script", scopes.none)}
