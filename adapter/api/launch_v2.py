"""v2 requests that start jobs, checked and made into commands (contract i)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from adapter.api import checks, targets
from adapter.api.call import Call
from adapter.api.launch_v3 import variable_value
from adapter.errors import InvalidParameter, MissingOrInvalid, MissingParameter
from adapter.job.commands import (
    AccountRef,
    ExecutePlan,
    ExecutePlatformJob,
    ExecuteScript,
    ExecuteSql,
    Launched,
    PushConfigFile,
    ScriptRef,
    SourceSpec,
    StepOverride,
    TransferFile,
    VariableValue,
)
from adapter.job.model import Server
from adapter.job.status import ScriptLanguage
from adapter.messages import say

_TARGETS = "ip_list|custom_query_id|target_server"
_PLATFORM_SCRIPT_TIMEOUT = 1000


def execute_script(call: Call) -> Launched:
    """fast_execute_script."""
    script = _script(call.fields)
    if script is None:
        raise MissingParameter("script_id|script_content")
    account = _account(call.fields, "account")
    target = _target(call.fields)
    checks.check_executable("script_type", script)
    return call.services.launch.execute_script(
        ExecuteScript(
            caller=call.caller,
            scope=call.scope,
            script=script,
            account=account,
            target=target,
            param=checks.script_param(call["script_param"], call["is_param_sensitive"]),
            param_sensitive=bool(call["is_param_sensitive"]),
            timeout=call["script_timeout"],
            task_name=call["task_name"] or "",
            callback_url=call["bk_callback_url"],
        )
    )


def execute_sql(call: Call) -> Launched:
    """fast_execute_sql. An id of no account is an account that is not there, as in JOB."""
    script = _script({**call.fields, "script_type": int(ScriptLanguage.SQL)})
    if script is None:
        raise MissingParameter("script_id")
    target = _target(call.fields)
    if call["db_account_id"] is None:
        raise MissingParameter("db_account_id")
    return call.services.launch.execute_sql(
        ExecuteSql(
            caller=call.caller,
            scope=call.scope,
            script=script,
            db_account_id=call["db_account_id"],
            target=target,
            timeout=call["script_timeout"],
            task_name=call["task_name"] or "",
            callback_url=call["bk_callback_url"],
        )
    )


def push_file(call: Call) -> Launched:
    """fast_push_file."""
    path = _path(call["file_target_path"])
    account = _account(call.fields, "account")
    target = _target(call.fields)
    if not call["file_source"]:
        raise MissingParameter("file_source")
    return call.services.launch.transfer_file(
        TransferFile(
            caller=call.caller,
            scope=call.scope,
            target_path=path,
            account=account,
            target=target,
            sources=tuple(_source(item) for item in call["file_source"]),
            timeout=call["timeout"],
            upload_speed_limit=checks.speed_limit(call["upload_speed_limit"]),
            download_speed_limit=checks.speed_limit(call["download_speed_limit"]),
            task_name=call["task_name"] or "",
            callback_url=call["bk_callback_url"],
        )
    )


def push_config_file(call: Call) -> Launched:
    """push_config_file."""
    path = _path(call["file_target_path"])
    account = targets.account(None, call["account"])
    if account is None:
        raise MissingOrInvalid("account", say("is required"))
    target = targets.server_v2(call.fields)
    if target.is_empty:
        raise MissingOrInvalid("ip_list", say("give at least one host or group"))
    files = checks.config_files(call["file_list"])
    if not files:
        raise MissingOrInvalid("file_list", say("is required"))
    return call.services.launch.push_config_file(
        PushConfigFile(
            caller=call.caller,
            scope=call.scope,
            target_path=path,
            account=account,
            target=target,
            files=files,
            task_name=call["task_name"] or "",
            callback_url=call["bk_callback_url"],
        )
    )


def execute_job(call: Call) -> Launched:
    """execute_job."""
    return call.services.launch.execute_plan(
        ExecutePlan(
            caller=call.caller,
            scope=call.scope,
            plan_id=checks.require_id("bk_job_id", call["bk_job_id"]),
            variables=tuple(_variable(item) for item in call["global_vars"]),
            callback_url=call["bk_callback_url"],
        )
    )


def execute_platform_job(call: Call) -> Launched:
    """execute_platform_job."""
    source_scope, target_scope = call.scopes
    return call.services.launch.execute_platform_job(
        ExecutePlatformJob(
            caller=call.caller,
            source_scope=source_scope,
            target_scope=target_scope,
            plan_id=checks.require_id("bk_job_id", call["bk_job_id"]),
            steps=_steps(call["steps"]),
            callback_url=call["bk_callback_url"],
        )
    )


def _steps(items: list[Mapping[str, Any]] | None) -> tuple[StepOverride, ...] | None:
    if items is None:
        return None
    ids = [item["step_id"] for item in items]
    if not ids:
        raise InvalidParameter("steps", say("lists no step; leave it out to run every step"))
    if len(set(ids)) < len(ids):
        raise InvalidParameter("steps.step_id", say("lists a step twice"))
    return tuple(_step(item) for item in items)


def _step(item: Mapping[str, Any]) -> StepOverride:
    """A step's changes. A script of the caller's has the documented timeout, not the stored script's."""
    script = _script(item, language_required=False)
    if script:
        checks.check_executable("steps.script_type", script)
    default_timeout = _PLATFORM_SCRIPT_TIMEOUT if script else None
    target = targets.server_v2(item)
    sources = tuple(_source(source) for source in item["file_source"])
    return StepOverride(
        step_id=item["step_id"],
        script=script,
        param=None if item["script_param"] is None else checks.script_param(item["script_param"], False),
        timeout=default_timeout if item["script_timeout"] is None else item["script_timeout"],
        account=AccountRef(alias=item["account"]) if item["account"] else None,
        target=None if target.is_empty else target,
        target_path=None if item["file_target_path"] is None else _path(item["file_target_path"]),
        sources=sources or None,
    )


def _script(fields: Mapping[str, Any], *, language_required: bool = True) -> ScriptRef | None:
    version_id, content, language = (fields[name] for name in ("script_id", "script_content", "script_type"))
    if version_id is not None:
        return ScriptRef(version_id=checks.require_id("script_id", version_id))
    if content is None:
        return None
    if language_required or language is not None:
        checks.check_language("script_type", language)
    return ScriptRef(content=content, language=language)


def _account(fields: Mapping[str, Any], name: str) -> AccountRef:
    return checks.require_account(name, targets.account(None, fields["account"]))


def _target(fields: Mapping[str, Any]) -> Server:
    target = targets.server_v2(fields)
    if target.is_empty:
        raise MissingOrInvalid(_TARGETS, say("give at least one host or group"))
    return target


def _path(path: str | None) -> str:
    if path is None or not checks.is_path(path):
        raise MissingOrInvalid("file_target_path", say("must be an absolute path"))
    return path


def _source(item: Mapping[str, Any]) -> SourceSpec:
    if not item["files"]:
        raise MissingParameter("file_source.files")
    account = _account(item, "file_source.account")
    server = targets.server_v2(item)
    if server.is_empty:
        raise MissingOrInvalid(
            _TARGETS.replace("ip_list", "file_source.ip_list", 1), say("give a source host")
        )
    checks.check_source_files("file_source.files", item["files"])
    return SourceSpec(files=tuple(item["files"]), account=account, server=server)


def _variable(item: Mapping[str, Any]) -> VariableValue:
    names = ("global_vars.id", "global_vars.name")
    return variable_value(names, item["id"], item["name"], item["value"], targets.server_v2(item))
