"""The fields of the v3 execution APIs (contract c). What fails here is JOB's bean validation: 1240003."""

from __future__ import annotations

from adapter.api.fields import (
    Base64,
    Base64Bytes,
    BaseSchema,
    Flag,
    Many,
    Number,
    Object,
    Program,
    Text,
    Url,
)
from adapter.api.rolling import RollingFields
from adapter.api.targets import AccountFields, ServerFields, Timeout, UncheckedServerFields

MAX_SCRIPT_BYTES = 16_777_215
MAX_PARAM_BYTES = 65_535
MAX_SENSITIVE_PARAM_BYTES = 48_128
MAX_NAME = 512
MAX_ENCRYPTED_PASSWORD = 172
MAX_INTERPRETER = 260


class HostPasswordFields(BaseSchema):
    """One entry of host_password_list."""

    bk_cloud_id = Number()
    ip = Text(strip=True)
    host_id = Number()
    encrypted_password = Text(required=True, at_most=MAX_ENCRYPTED_PASSWORD, secret=True)


class ScriptFields(BaseSchema):
    """What every fast script begins with, whatever names its hosts; in this order mistakes are told."""

    script_version_id = Number()
    script_id = Text(strip=True)
    script_content = Base64(max_bytes=MAX_SCRIPT_BYTES)
    script_language = Number()
    script_param = Base64(max_bytes=MAX_PARAM_BYTES)
    account_id = Number()
    account_alias = Text(strip=True)


class FastExecuteScript(ScriptFields):
    """fast_execute_script."""

    target_server = Object(ServerFields)
    timeout = Timeout()
    task_name = Text(strip=True, at_most=MAX_NAME)
    is_param_sensitive = Flag()
    callback_url = Url()
    start_task = Flag(load_default=True)
    rolling_config = Object(RollingFields)
    windows_interpreter = Program(at_most=MAX_INTERPRETER)
    host_password_list = Many(Object(HostPasswordFields, required=True))


class FastExecuteSql(BaseSchema):
    """fast_execute_sql."""

    script_version_id = Number()
    script_id = Text(strip=True)
    script_content = Base64(max_bytes=MAX_SCRIPT_BYTES)
    db_account_id = Number()
    target_server = Object(UncheckedServerFields)
    timeout = Timeout()
    task_name = Text(strip=True, at_most=MAX_NAME)
    callback_url = Url()
    start_task = Flag(load_default=True)


class _FileSource(BaseSchema):
    file_list = Many(Text(required=True, strip=True))
    file_type = Number()
    file_source_id = Number()
    file_source_code = Text(strip=True)
    account = Object(AccountFields)
    server = Object(ServerFields)


class FastTransferFile(BaseSchema):
    """fast_transfer_file."""

    file_target_path = Text(strip=True)
    file_target_name = Text(strip=True)
    account_id = Number()
    account_alias = Text(strip=True)
    target_server = Object(ServerFields)
    file_source_list = Many(Object(_FileSource, required=True))
    timeout = Timeout()
    task_name = Text(strip=True, at_most=MAX_NAME)
    download_speed_limit = Number()
    upload_speed_limit = Number()
    transfer_mode = Number()
    callback_url = Url()
    start_task = Flag(load_default=True)
    rolling_config = Object(RollingFields)


class ConfigFileFields(BaseSchema):
    """v3's and v2's `file_list`."""

    file_name = Text()
    content = Base64Bytes()


class PushConfigFile(BaseSchema):
    """push_config_file."""

    account_id = Number()
    account_alias = Text(strip=True)
    file_target_path = Text(strip=True)
    target_server = Object(UncheckedServerFields)
    file_list = Many(Object(ConfigFileFields, required=True))
    task_name = Text(strip=True, at_most=MAX_NAME)
    callback_url = Url()


class GlobalVariableFields(BaseSchema):
    """One entry of `global_var_list`."""

    id = Number()
    name = Text(strip=True)
    value = Text(keep_blank=True, secret=True)
    server = Object(ServerFields)


class ExecuteJobPlan(BaseSchema):
    """execute_job_plan."""

    job_plan_id = Number()
    global_var_list = Many(Object(GlobalVariableFields, required=True))
    callback_url = Url()
    start_task = Flag(load_default=True)


class GetJobInstanceStatus(BaseSchema):
    """get_job_instance_status."""

    job_instance_id = Number()
    return_ip_result = Flag(load_default=False)


class GetJobInstanceIpLog(BaseSchema):
    """get_job_instance_ip_log."""

    job_instance_id = Number()
    step_instance_id = Number()
    bk_host_id = Number()
    bk_cloud_id = Number()
    ip = Text(strip=True, at_most=64)


class _LogHost(BaseSchema):
    bk_host_id = Number()
    bk_cloud_id = Number()
    ip = Text(strip=True, at_most=64)


class BatchGetJobInstanceIpLog(BaseSchema):
    """batch_get_job_instance_ip_log."""

    job_instance_id = Number()
    step_instance_id = Number()
    host_id_list = Many(Number(required=True))
    ip_list = Many(Object(_LogHost, required=True))


class GetJobInstanceList(BaseSchema):
    """get_job_instance_list."""

    create_time_start = Number()
    create_time_end = Number()
    job_instance_id = Number()
    operator = Text(strip=True)
    name = Text(strip=True)
    launch_mode = Number()
    type = Number()
    status = Number()
    ip = Text(strip=True, at_most=64)
    job_cron_id = Number()
    start = Number()
    length = Number(at_least=1, at_most=1000)


class OperateJobInstance(BaseSchema):
    """operate_job_instance."""

    job_instance_id = Number()
    operation_code = Number()


class OperateStepInstance(OperateJobInstance):
    """operate_step_instance."""

    step_instance_id = Number()
