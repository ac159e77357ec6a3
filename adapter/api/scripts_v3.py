"""v3 requests about scripts (contract d).

The APIs of public scripts are these, without a scope: what they tell is for everybody, what they change is for
applications with all scopes.
"""

from __future__ import annotations

from adapter.api import checks
from adapter.api.call import Call
from adapter.api.reports import VersionPage
from adapter.job.model import PUBLIC, Scope, Script, ScriptVersion
from adapter.service import access, iam
from adapter.service.pages import Page


def create(call: Call) -> ScriptVersion:
    """create_script, create_public_script."""
    scope, fields = _changed(call), dict(call.fields)
    language = fields.pop("script_language")
    checks.check_language("script_language", language)
    return call.services.catalog.create_script(scope, user=call.caller.user, language=language, **fields)


def create_version(call: Call) -> ScriptVersion:
    """create_script_version, create_public_script_version."""
    return call.services.catalog.create_script_version(_changed(call), user=call.caller.user, **call.fields)


def update_basic(call: Call) -> Script:
    """update_script_basic, update_public_script_basic."""
    return call.services.catalog.update_script_basic(_changed(call), user=call.caller.user, **call.fields)


def update_version(call: Call) -> ScriptVersion:
    """update_script_version, update_public_script_version."""
    return call.services.catalog.update_script_version(_changed(call), user=call.caller.user, **call.fields)


def publish(call: Call) -> ScriptVersion:
    """publish_script_version, publish_public_script_version."""
    return call.services.catalog.publish_script_version(_changed(call), user=call.caller.user, **call.fields)


def disable(call: Call) -> ScriptVersion:
    """disable_script_version, disable_public_script_version."""
    return call.services.catalog.disable_script_version(_changed(call), user=call.caller.user, **call.fields)


def delete(call: Call) -> None:
    """delete_script, delete_public_script."""
    call.services.catalog.delete_script(_changed(call), **call.fields)


def delete_version(call: Call) -> None:
    """delete_script_version, delete_public_script_version."""
    call.services.catalog.delete_script_version(_changed(call), **call.fields)


def scripts(call: Call) -> Page[Script]:
    """get_script_list, get_public_script_list."""
    fields = dict(call.fields)
    language = fields.pop("script_language")
    return call.services.catalog.get_script_list(_read(call), language=language, **fields)


def versions(call: Call) -> VersionPage:
    """get_script_version_list, get_public_script_version_list."""
    fields = dict(call.fields)
    with_content = fields.pop("return_script_content")
    page = call.services.catalog.get_script_version_list(_read(call), with_content=with_content, **fields)
    return VersionPage(page=page, with_content=with_content)


def version(call: Call) -> ScriptVersion:
    """get_script_version_detail, get_public_script_version_detail."""
    return call.services.catalog.get_script_version_detail(
        _read(call), version_id=call["id"], script_id=call["script_id"], version=call["version"]
    )


def _read(call: Call) -> Scope:
    return call.scope if call.scopes else PUBLIC


def _changed(call: Call) -> Scope:
    """Raises PermissionDenied for an application that has only some scopes and would change what all have."""
    if not call.scopes:
        access.require_everything(call.caller, iam.PUBLIC_SCRIPTS)
    return _read(call)
