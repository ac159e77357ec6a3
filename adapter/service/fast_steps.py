"""The one step of a fast task, as its request asks for it (contract c): checked as far as nothing is looked up."""

from __future__ import annotations

from dataclasses import replace

from adapter import errors
from adapter.job.commands import ExecuteScript, ExecuteSql, PushConfigFile, TransferFile
from adapter.job.paths import has_variable, is_absolute, timestamp_name
from adapter.job.status import ScriptLanguage, TransferMode
from adapter.messages import FILE_NAME, SCRIPT_NAME, SQL_NAME, say
from adapter.service.drafts import ConfigDraft, FileDraft, ScriptDraft, SqlDraft, StepDraft


def script_step(command: ExecuteScript, now_ms: int) -> StepDraft:
    """Raises HostEmpty."""
    if command.target.is_empty:
        raise errors.HostEmpty
    work = ScriptDraft(
        script=command.script,
        account=command.account,
        param=command.param,
        param_sensitive=command.param_sensitive,
        timeout=command.timeout,
        windows_interpreter=command.windows_interpreter,
    )
    name = command.task_name or SCRIPT_NAME[command.caller.language] + timestamp_name(now_ms, None)
    return StepDraft(name=name, target=command.target, work=work, rolling=command.rolling)


def sql_step(command: ExecuteSql, now_ms: int) -> StepDraft:
    """Raises HostEmpty."""
    if command.target.is_empty:
        raise errors.HostEmpty
    work = SqlDraft(
        script=replace(command.script, language=ScriptLanguage.SQL),  # whatever the client says
        db_account_id=command.db_account_id,
        timeout=command.timeout,
    )
    name = command.task_name or SQL_NAME[command.caller.language] + timestamp_name(now_ms, None)
    return StepDraft(name=name, target=command.target, work=work)


def file_step(command: TransferFile, now_ms: int) -> StepDraft:
    """Raises MissingOrInvalid and MissingParameter, in the contract's order."""
    _check_transfer(command)
    is_strict = command.transfer_mode == TransferMode.STRICT  # 3 and 4 are only known to templates
    work = FileDraft(
        sources=command.sources,
        target_path=command.target_path,
        account=command.account,
        transfer_mode=TransferMode.STRICT if is_strict else TransferMode.FORCE,
        timeout=command.timeout,
        upload_speed_limit=command.upload_speed_limit,
        download_speed_limit=command.download_speed_limit,
        file_target_name=command.file_target_name,
    )
    name = command.task_name or FILE_NAME[command.caller.language] + timestamp_name(now_ms, None)
    return StepDraft(name=name, target=command.target, work=work, rolling=command.rolling)


def config_step(command: PushConfigFile, now_ms: int) -> StepDraft:
    """Raises InvalidParameters."""
    if command.target.is_empty or not command.files:
        raise errors.InvalidParameters
    work = ConfigDraft(files=command.files, target_path=command.target_path.strip(), account=command.account)
    name = command.task_name or f"API_PUSH_CONFIG_FILE_{now_ms}"
    return StepDraft(name=name, target=command.target, work=work)


def _check_transfer(command: TransferFile) -> None:
    """What can be said without looking anything up, in the contract's order."""
    path = command.target_path.strip()
    if not (is_absolute(path) or has_variable(path)):
        raise errors.MissingOrInvalid("file_target_path", say("must be an absolute path"))
    if command.target.is_empty:
        raise errors.MissingParameter("target_server")
    if not command.sources:
        raise errors.MissingParameter("file_source_list")
    for source in command.sources:
        if source.is_on_hosts and source.server.is_empty:
            raise errors.MissingParameter("file_source.server")
