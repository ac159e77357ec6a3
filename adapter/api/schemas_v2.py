"""The fields of the v2 APIs (contract i); a script_id of v2 is a script *version*'s id."""

from __future__ import annotations

from adapter.api.fields import Base64, BaseSchema, Flag, Many, Number, Object, Text, Url
from adapter.api.schemas_v3 import MAX_NAME, MAX_PARAM_BYTES, MAX_SCRIPT_BYTES, ConfigFileFields
from adapter.api.targets import TargetsV2, Timeout


class FastExecuteScript(TargetsV2):
    """fast_execute_script."""

    script_id = Number()
    script_content = Base64(max_bytes=MAX_SCRIPT_BYTES)
    script_type = Number()
    script_param = Base64(max_bytes=MAX_PARAM_BYTES)
    script_timeout = Timeout()
    account = Text(strip=True)
    is_param_sensitive = Flag()
    task_name = Text(strip=True, at_most=MAX_NAME)
    bk_callback_url = Url()


class FastExecuteSql(TargetsV2):
    """fast_execute_sql."""

    script_id = Number()
    script_content = Base64(max_bytes=MAX_SCRIPT_BYTES)
    script_timeout = Timeout()
    db_account_id = Number()
    task_name = Text(strip=True, at_most=MAX_NAME)
    bk_callback_url = Url()


class _FileSource(TargetsV2):
    files = Many(Text(required=True, strip=True))
    account = Text(strip=True)


class FastPushFile(TargetsV2):
    """fast_push_file."""

    account = Text(strip=True)
    file_target_path = Text(strip=True)
    file_source = Many(Object(_FileSource, required=True))
    timeout = Timeout()
    upload_speed_limit = Number()
    download_speed_limit = Number()
    task_name = Text(strip=True, at_most=MAX_NAME)
    bk_callback_url = Url()


class PushConfigFile(TargetsV2):
    """push_config_file."""

    account = Text(strip=True)
    file_target_path = Text(strip=True)
    file_list = Many(Object(ConfigFileFields, required=True))
    task_name = Text(strip=True, at_most=MAX_NAME)
    bk_callback_url = Url()


class _GlobalVariable(TargetsV2):
    id = Number()
    name = Text(strip=True)
    value = Text(keep_blank=True, secret=True)


class ExecuteJob(BaseSchema):
    """execute_job. Its old `steps` are ignored, as today's JOB does."""

    bk_job_id = Number()
    global_vars = Many(Object(_GlobalVariable, required=True))
    bk_callback_url = Url()


class _PlatformStep(TargetsV2):
    step_id = Number(required=True, at_least=1)
    script_id = Number()
    script_content = Base64(max_bytes=MAX_SCRIPT_BYTES)
    script_type = Number()
    script_param = Base64(max_bytes=MAX_PARAM_BYTES)
    script_timeout = Timeout(at_least=60, at_most=86_400, load_default=None)
    account = Text(strip=True)
    file_target_path = Text(strip=True)
    file_source = Many(Object(_FileSource, required=True))


class ExecutePlatformJob(BaseSchema):
    """execute_platform_job. The two businesses are read with the scopes."""

    bk_job_id = Number()
    steps = Many(Object(_PlatformStep, required=True), nullable=True)
    bk_callback_url = Url()


class GetJobInstanceStatus(BaseSchema):
    """get_job_instance_status."""

    job_instance_id = Number()


class GetJobInstanceLog(BaseSchema):
    """get_job_instance_log."""

    job_instance_id = Number()
    use_html_encode = Flag(load_default=True)
