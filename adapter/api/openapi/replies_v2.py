"""What v2 answers as `data` (adapter/api/views_v2.py, views_steps.py): times are text, durations float seconds."""

from __future__ import annotations

from collections.abc import Mapping

from adapter.api.openapi.members import ListOf, Reply, Shape, flag, many, one, real, text, whole
from adapter.api.openapi.replies_execution import HostName, InScope


class LaunchedV2(Shape):
    """A job that was launched."""

    job_instance_id = whole()
    job_instance_name = text()
    step_instance_id = whole(absent=True)


class OperatedV2(Shape):
    """What was operated on."""

    job_instance_id = whole()
    step_instance_id = whole(absent=True)


class _Span(Shape):
    start_time = text(null=True)
    end_time = text(null=True)
    total_time = real(null=True)


class JobV2(InScope, _Span):
    """A job without its steps."""

    job_instance_id = whole()
    bk_job_id = whole()
    status = whole()
    name = text()
    operator = text()
    create_time = text(null=True)
    start_way = whole()
    current_step_instance_id = whole(null=True)


class HostStatusV2(HostName):
    """A host's state within a step."""

    status = whole()


class OperationV2(Shape):
    """What may be done with a step."""

    operation_code = whole()
    operation_name = text()


class StepV2(_Span):
    """A step with its hosts."""

    step_instance_id = whole()
    step_id = whole()
    name = text()
    type = whole()
    operator = text()
    status = whole()
    execute_count = whole()
    retry_count = whole()
    create_time = text(null=True)
    pause = whole()
    order = whole()
    operation_list = many(OperationV2)
    step_ip_status = many(HostStatusV2)


class BlockV2(Shape):
    """A block, which is one step."""

    type = whole()
    block_order = whole()
    block_name = text()
    step_instances = many(StepV2)


class JobStatusV2(Shape):
    """get_job_instance_status."""

    is_finished = flag()
    job_instance = one(JobV2)
    blocks = many(BlockV2)


class IpLogV2(HostName, _Span):
    """A host's log."""

    execute_count = whole()
    retry_count = whole()
    error_code = whole()
    exit_code = whole(null=True)
    log_content = text()


class StepResultV2(Shape):
    """Hosts of the same status and tag."""

    ip_status = whole()
    tag = text()
    ip_logs = many(IpLogV2)


class StepLogV2(Shape):
    """The logs of a step."""

    is_finished = flag()
    step_instance_id = whole()
    name = text()
    status = whole()
    step_results = many(StepResultV2)


class StepDetailV2(InScope, _Span):
    """A step, and how its hosts fare."""

    step_instance_id = whole()
    step_id = whole()
    job_instance_id = whole()
    name = text()
    type = whole()
    operator = text()
    status = whole()
    execute_count = whole()
    retry_count = whole()
    target_ips = text()
    abnormal_agent_ips = text()
    total_ip_num = whole()
    abnormal_agent_ip_num = whole()
    running_ip_num = whole()
    fail_ip_num = whole()
    success_ip_num = whole()


class ResultGroupV2(Shape):
    """Hosts of the same status and tag."""

    count = whole()
    result_type = whole()
    result_type_text = text()
    tag = text()
    ip_list = many(HostName)


class StepStatusV2(Shape):
    """get_step_instance_status."""

    is_finished = flag()
    step_instance_detail = one(StepDetailV2)
    step_instance_analyse_result = many(ResultGroupV2)


class VariableV2(Shape):
    """A variable as a step left it."""

    name = text()
    value = text(null=True)
    category = whole()


class StepVariablesV2(Shape):
    """The variables after a step."""

    step_instance_id = whole()
    step_instance_var_values = many(VariableV2)


class JobVariablesV2(Shape):
    """get_job_instance_global_var_value."""

    job_instance_id = whole()
    job_instance_var_values = many(StepVariablesV2)


_LAUNCHES = (
    "execute_platform_job",
    "execute_job",
    "fast_execute_script",
    "fast_execute_sql",
    "fast_push_file",
    "push_config_file",
)


class ScriptV2(Shape):
    """A version of a script."""

    id = whole()
    name = text()
    version = text()
    tag = text()
    type = whole()
    public = flag()
    bk_scope_type = text(null=True)
    bk_scope_id = text(null=True)
    bk_biz_id = whole(null=True)
    content = text(null=True)
    creator = text()
    create_time = text(null=True)
    last_modify_user = text()
    last_modify_time = text(null=True)


class ScriptPageV2(Shape):
    """A page of scripts."""

    start = whole()
    page_size = whole()
    total_record_size = whole()
    data = many(ScriptV2)


class SystemAccountV2(InScope):
    """An account of a system."""

    id = whole()
    account = text()
    alias = text()
    os = text()
    creator = text()
    create_time = text(null=True)


class DatabaseAccountV2(Shape):
    """An account of a database."""

    db_account_id = whole()
    db_alias = text()


REPLIES: Mapping[str, Reply] = {
    **dict.fromkeys(_LAUNCHES, LaunchedV2),
    "operate_job_instance": OperatedV2,
    "operate_step_instance": OperatedV2,
    "get_job_instance_status": JobStatusV2,
    "get_job_instance_log": ListOf(StepLogV2),
    "get_step_instance_status": StepStatusV2,
    "get_job_instance_global_var_value": JobVariablesV2,
    "get_script_list": ScriptPageV2,
    "get_public_script_list": ScriptPageV2,
    "get_script_detail": ScriptV2,
    "get_os_account": ListOf(SystemAccountV2),
    "get_own_db_account_list": ListOf(DatabaseAccountV2),
}
