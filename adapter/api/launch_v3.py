"""v3 requests that start jobs, checked in JOB's order (contract c) and made into commands."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from adapter.api import checks, targets
from adapter.api.call import Call
from adapter.api.rolling import rolling_of, transfer_rolling_of
from adapter.errors import (
    HostEmpty,
    InvalidParameter,
    InvalidParameters,
    MissingOrInvalid,
    MissingParameter,
    NotSupported,
)
from adapter.job.commands import (
    AccountRef,
    ExecutePlan,
    ExecuteScript,
    ExecuteSql,
    HostPassword,
    Launched,
    PushConfigFile,
    ScriptRef,
    SourceSpec,
    TransferFile,
    VariableValue,
)
from adapter.job.model import Server
from adapter.job.paths import is_absolute
from adapter.job.status import FileType, ScriptLanguage
from adapter.messages import say


def execute_script(call: Call) -> Launched:
    """fast_execute_script."""
    _script(call.fields)  # JOB looks at the script before it looks at the target
    if call["target_server"] is None:
        raise MissingParameter("target_server")
    return execute_script_on(call, targets.server(call["target_server"]))


def execute_script_on(call: Call, target: Server) -> Launched:
    """The same on a target that has been read, for v4 too."""
    script = _script(call.fields)
    if target.is_empty:
        raise HostEmpty
    account = _account(call.fields)
    rolling = rolling_of(call["rolling_config"])
    checks.check_executable("script_language", script)
    return call.services.launch.execute_script(
        ExecuteScript(
            caller=call.caller,
            scope=call.scope,
            script=script,
            account=account,
            target=target,
            param=checks.script_param(call["script_param"], call["is_param_sensitive"]),
            param_sensitive=bool(call["is_param_sensitive"]),
            timeout=call["timeout"],
            task_name=call["task_name"] or "",
            callback_url=call["callback_url"],
            start_task=call["start_task"],
            rolling=rolling,
            windows_interpreter=call["windows_interpreter"],
            host_passwords=tuple(_host_password(item) for item in call["host_password_list"]),
        )
    )


def execute_sql(call: Call) -> Launched:
    """fast_execute_sql."""
    script = _script({**call.fields, "script_language": int(ScriptLanguage.SQL)})
    if call["target_server"] is None:
        raise MissingParameter("target_server")
    target = targets.server(call["target_server"])
    if target.is_empty:
        raise HostEmpty
    return call.services.launch.execute_sql(
        ExecuteSql(
            caller=call.caller,
            scope=call.scope,
            script=script,
            db_account_id=checks.require_db_account(call["db_account_id"]),
            target=target,
            timeout=call["timeout"],
            task_name=call["task_name"] or "",
            callback_url=call["callback_url"],
            start_task=call["start_task"],
        )
    )


def transfer_file(call: Call) -> Launched:
    """fast_transfer_file."""
    return transfer_file_to(call, "target_server", lambda: targets.server(call["target_server"]))


def transfer_file_to(call: Call, name: str, target_of: Callable[[], Server]) -> Launched:
    """The same to a target that another field names; it is read when it is its turn."""
    path = call["file_target_path"]
    if path is None or not checks.is_path(path):
        raise MissingOrInvalid("file_target_path", say("must be an absolute path"))
    account = _account(call.fields)
    target = target_of()
    if target.is_empty:
        raise MissingParameter(name)
    if not call["file_source_list"]:
        raise MissingParameter("file_source_list")
    rolling = transfer_rolling_of(call["rolling_config"], call["file_source_list"])
    sources = tuple(_source(item) for item in call["file_source_list"])
    checks.check_file_name("file_target_name", call["file_target_name"])
    return call.services.launch.transfer_file(
        TransferFile(
            caller=call.caller,
            scope=call.scope,
            target_path=path,
            account=account,
            target=target,
            sources=sources,
            transfer_mode=checks.transfer_mode(call["transfer_mode"]),
            timeout=call["timeout"],
            upload_speed_limit=checks.speed_limit(call["upload_speed_limit"]),
            download_speed_limit=checks.speed_limit(call["download_speed_limit"]),
            file_target_name=call["file_target_name"],
            task_name=call["task_name"] or "",
            callback_url=call["callback_url"],
            start_task=call["start_task"],
            rolling=rolling,
        )
    )


def push_config_file(call: Call) -> Launched:
    """push_config_file: whatever is wrong with the request itself is 1241002, and no more is said."""
    path, target = call["file_target_path"], targets.server(call["target_server"])
    account = targets.account(call["account_id"], call["account_alias"])
    if path is None or not is_absolute(path) or account is None or target.is_empty:
        raise InvalidParameters
    try:
        files = checks.config_files(call["file_list"])
    except InvalidParameter:
        raise InvalidParameters from None
    if not files:
        raise InvalidParameters
    return call.services.launch.push_config_file(
        PushConfigFile(
            caller=call.caller,
            scope=call.scope,
            target_path=path,
            account=account,
            target=target,
            files=files,
            task_name=call["task_name"] or "",
            callback_url=call["callback_url"],
        )
    )


def execute_plan(call: Call) -> Launched:
    """execute_job_plan."""
    return call.services.launch.execute_plan(
        ExecutePlan(
            caller=call.caller,
            scope=call.scope,
            plan_id=checks.require_id("job_plan_id", call["job_plan_id"]),
            variables=tuple(plan_variable(item) for item in call["global_var_list"]),
            callback_url=call["callback_url"],
            start_task=call["start_task"],
        )
    )


def variable_value(
    names: tuple[str, str], id_: int | None, name: str | None, value: str | None, server: Server
) -> VariableValue:
    """A variable's new value; hosts only count if there is no text (contract c, execute_job_plan)."""
    id_ = id_ if id_ is not None and id_ >= 1 else None
    if id_ is None and name is None:
        raise InvalidParameter("|".join(names), say("give one of them"))
    if not value and not server.is_empty:
        return VariableValue(id=id_, name=name, server=server)
    return VariableValue(id=id_, name=name, value=value or "")


def _script(fields: Mapping[str, Any]) -> ScriptRef:
    version_id, script_id, content = (
        fields[name] for name in ("script_version_id", "script_id", "script_content")
    )
    if version_id is None and script_id is None and content is None:
        raise MissingParameter("script_version_id|script_id|script_content")
    if version_id is not None:
        checks.require_id("script_version_id", version_id)
    if content is not None:
        checks.check_language("script_language", fields["script_language"])
    if version_id is not None:
        return ScriptRef(version_id=version_id)
    if script_id is not None:
        return ScriptRef(script_id=script_id)
    return ScriptRef(content=content, language=fields["script_language"])


def _host_password(item: Mapping[str, Any]) -> HostPassword:
    return HostPassword(
        encrypted=item["encrypted_password"],
        bk_host_id=item["host_id"],
        bk_cloud_id=item["bk_cloud_id"],
        ip=item["ip"],
    )


def _account(fields: Mapping[str, Any]) -> AccountRef:
    account = targets.account(fields["account_id"], fields["account_alias"])
    return checks.require_account("account_id|account_alias", account)


def _target(fields: Mapping[str, Any] | None, name: str) -> Server:
    server = targets.server(fields)
    if server.is_empty:
        raise MissingParameter(name)
    return server


def _source(item: Mapping[str, Any]) -> SourceSpec:
    if not item["file_list"]:
        raise MissingParameter("file_source.file_list")
    file_type = checks.file_type("file_source.file_type", item["file_type"])
    if file_type is FileType.LOCAL:
        return SourceSpec(files=tuple(item["file_list"]), file_type=file_type)
    if file_type is FileType.FILE_SOURCE:
        return _of_file_source(item)
    named = item["account"] or {"id": None, "alias": None}
    account = checks.require_account("file_source.account", targets.account(named["id"], named["alias"]))
    server = _target(item["server"], "file_source.server")
    checks.check_source_files("file_source.file_list", item["file_list"])
    return SourceSpec(files=tuple(item["file_list"]), account=account, server=server)


def _of_file_source(item: Mapping[str, Any]) -> SourceSpec:
    """The id wins over the code (contract g)."""
    id_, code = item["file_source_id"], item["file_source_code"]
    named = id_ if id_ is not None and id_ > 0 else None
    if named is None and code is None:
        raise MissingParameter("file_source.file_source_id/file_source.file_source_code")
    return SourceSpec(
        files=tuple(item["file_list"]),
        file_type=FileType.FILE_SOURCE,
        file_source_id=named,
        file_source_code=code,
    )


def plan_variable(item: Mapping[str, Any]) -> VariableValue:
    """An entry of `global_var_list`. Raises InvalidParameter if it names no variable."""
    server = targets.server(item["server"])
    names = ("global_var.id", "global_var.name")
    return variable_value(names, item["id"], item["name"], item["value"], server)


def _refuse(fields: Mapping[str, Any], *names: str) -> None:
    for name in names:
        if fields[name] is not None:
            raise NotSupported(say("{name}; leave it out", name=name))
