"""What v3's execution APIs answer as `data` (adapter/api/views_v3.py, views_steps.py, views_planned.py)."""

from __future__ import annotations

from collections.abc import Mapping

from adapter.api.openapi.members import PageOf, Reply, Shape, flag, many, one, text, whole


class Times(Shape):
    """When something was, in milliseconds."""

    create_time = whole(null=True)
    start_time = whole(null=True)
    end_time = whole(null=True)
    total_time = whole(null=True)


class InScope(Shape):
    """Whatever belongs to a business."""

    bk_scope_type = text()
    bk_scope_id = text()
    bk_biz_id = whole(null=True)


class HostName(Shape):
    """A host by each of its names."""

    bk_host_id = whole(null=True)
    bk_cloud_id = whole(null=True)
    ip = text(null=True)


class Launched(Shape):
    """A job that was launched."""

    job_instance_id = whole()
    job_instance_name = text()
    step_instance_id = whole(null=True)


class PlannedHost(HostName):
    """A host that a step would run on."""

    name = text()
    batch = whole()


class PlannedStep(Shape):
    """A step that would run."""

    step_id = whole()
    name = text()
    type = whole()
    host_list = many(PlannedHost)
    inventory = text(null=True)
    playbook = text(null=True)


class Planned(Shape):
    """What a launch with plan_only would do."""

    plan_only = flag()
    job_instance_id = whole(null=True)
    job_instance_name = text()
    step_instance_id = whole(null=True)
    step_list = many(PlannedStep)


class Operated(Shape):
    """What was operated on."""

    job_instance_id = whole()
    job_instance_name = text(null=True)
    step_instance_id = whole(null=True)


class JobInstance(Times, InScope):
    """A job without its steps."""

    job_instance_id = whole()
    name = text()
    status = whole()


class StepInstance(Times):
    """A step without its hosts."""

    step_instance_id = whole()
    name = text()
    type = whole()
    status = whole()
    execute_count = whole()


class HostResult(HostName):
    """A host within a step."""

    status = whole()
    tag = text()
    exit_code = whole(null=True)
    error_code = whole()
    start_time = whole(null=True)
    end_time = whole(null=True)
    total_time = whole(null=True)


class StepWithHosts(StepInstance):
    """A step with its hosts, if they were asked for."""

    step_ip_result_list = many(HostResult, null=True)


class JobStatus(Shape):
    """get_job_instance_status."""

    finished = flag()
    job_instance = one(JobInstance)
    step_instance_list = many(StepWithHosts)


class JobRow(Times, InScope):
    """A job in a list."""

    job_instance_id = whole()
    id = whole()
    job_plan_id = whole()
    job_template_id = whole()
    name = text()
    operator = text()
    launch_mode = whole()
    status = whole()
    task_status = whole()
    type = whole()
    task_type = whole()


class FileProgress(Shape):
    """How far a file came on a host."""

    mode = whole()
    src_path = text(null=True)
    dest_path = text(null=True)
    status = whole()
    log_content = text()
    size = text()
    speed = text()
    process = text()


class FileEntry(FileProgress):
    """One file on one host."""

    src_ip = one(HostName, null=True)
    dest_ip = one(HostName, null=True)


class IpLog(HostName):
    """get_job_instance_ip_log."""

    log_type = whole()
    log_content = text(null=True)
    file_logs = many(FileEntry, null=True)


class ScriptLog(HostName):
    """What a script printed on a host."""

    host_id = whole(null=True)
    ipv6 = text(null=True)
    log_content = text()


class FileLogs(HostName):
    """The files of a host."""

    file_logs = many(FileEntry)


class StepLogs(Shape):
    """batch_get_job_instance_ip_log."""

    job_instance_id = whole()
    step_instance_id = whole()
    log_type = whole()
    script_task_logs = many(ScriptLog, null=True)
    file_task_logs = many(FileLogs, null=True)


class Variable(Shape):
    """A variable of a job as a step left it."""

    name = text()
    value = text(null=True)
    type = whole()


class StepVariables(Shape):
    """The variables after a step."""

    step_instance_id = whole()
    global_var_list = many(Variable, null=True)


class JobVariables(Shape):
    """get_job_instance_global_var_value."""

    job_instance_id = whole()
    step_instance_var_list = many(StepVariables)


class WholeHost(HostName):
    """A host with all that JOB knows of one."""

    ipv6 = text(null=True)
    bk_agent_id = text(null=True)
    bk_cloud_name = text(null=True)


class GroupedHost(WholeHost):
    """A host in a group of results."""

    status = whole()
    status_desc = text()
    tag = text()
    exit_code = whole(null=True)
    start_time = whole(null=True)
    end_time = whole(null=True)
    total_time = whole(null=True)


class ResultGroup(Shape):
    """Hosts of the same status and tag."""

    result_type = whole()
    result_type_desc = text()
    tag = text()
    host_size = whole()
    host_result_list = many(GroupedHost)


class StepStatus(StepInstance):
    """get_step_instance_status."""

    step_result_group_list = many(ResultGroup)


LAUNCHES = (
    "fast_execute_script",
    "fast_execute_sql",
    "fast_transfer_file",
    "push_config_file",
    "execute_job_plan",
    "bkci_plugin_fast_execute_script",
    "bkci_plugin_fast_transfer_file",
)

REPLIES: Mapping[str, Reply] = {
    **dict.fromkeys(LAUNCHES, Launched),
    "operate_job_instance": Operated,
    "operate_step_instance": Operated,
    "get_job_instance_status": JobStatus,
    "get_job_instance_list": PageOf(JobRow),
    "get_job_instance_ip_log": IpLog,
    "batch_get_job_instance_ip_log": StepLogs,
    "get_job_instance_global_var_value": JobVariables,
    "get_step_instance_status": StepStatus,
}
