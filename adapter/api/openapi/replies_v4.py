"""What v4 and BlueKing CI's plugins are answered as `data` (adapter/api/views_v4.py, views_bkci.py).

The envelope of v4 leaves out what is null; the document says so by itself.
"""

from __future__ import annotations

from collections.abc import Mapping

from adapter.api.openapi import replies_execution as v3
from adapter.api.openapi.members import Reply, Shape, flag, many, one, text, whole


class HostV4(v3.HostName):
    """A host as v4 names it."""

    alive = whole(null=True)


class ExecuteObject(Shape):
    """What a step runs on: a host."""

    type = whole()
    resource_id = text()
    host = one(HostV4)


class ExecuteObjectResult(Shape):
    """A host within a step."""

    execute_object = one(ExecuteObject, null=True)
    status = whole()
    tag = text()
    exit_code = whole(null=True)
    start_time = whole(null=True)
    end_time = whole(null=True)
    total_time = whole(null=True)


class StepWithObjects(v3.StepInstance):
    """A step with its hosts, if they were asked for."""

    step_execute_object_result_list = many(ExecuteObjectResult, null=True)


class JobStatusV4(Shape):
    """get_job_instance_status."""

    finished = flag()
    job_instance = one(v3.JobInstance)
    step_instance_list = many(StepWithObjects)


class ScriptObjectLog(Shape):
    """What a script printed on a host."""

    execute_object = one(ExecuteObject)
    log_content = text()


class FileObjectEntry(v3.FileProgress):
    """One file on one host."""

    src_execute_object = one(ExecuteObject, null=True)
    dest_execute_object = one(ExecuteObject, null=True)


class FileObjectLog(Shape):
    """The files of a host."""

    execute_object = one(ExecuteObject)
    upload_log = many(FileObjectEntry, null=True)
    download_log = many(FileObjectEntry, null=True)


class ObjectLogs(Shape):
    """batch_get_job_instance_execute_object_log."""

    job_instance_id = whole()
    step_instance_id = whole()
    log_type = whole()
    script_step_execute_object_logs = many(ScriptObjectLog, null=True)
    file_step_execute_object_logs = many(FileObjectLog, null=True)


class JobList(Shape):
    """get_job_instance_list."""

    job_instance_list = many(v3.JobRow)


class ContextField(Shape):
    """A text that an assistant is told."""

    name = text()
    value = text(null=True)
    description = text()


class Context(Shape):
    """get_script_task_context, get_file_task_context."""

    field_list = many(ContextField)


class AuthorizedScope(Shape):
    """A business or a business set."""

    bk_scope_type = text()
    bk_scope_id = text()
    name = text()
    favor = flag()


class ScopePage(Shape):
    """get_user_authorized_scopes."""

    total = whole()
    offset = whole()
    length = whole()
    scope_list = many(AuthorizedScope)


REPLIES: Mapping[str, Reply] = {
    "fast_execute_script": v3.Launched,
    "get_user_authorized_scopes": ScopePage,
    "get_job_instance_status": JobStatusV4,
    "get_job_instance_list": JobList,
    "batch_get_job_instance_execute_object_log": ObjectLogs,
    "get_script_task_context": Context,
    "get_file_task_context": Context,
}


class PluginHost(v3.WholeHost):
    """A host as the plugins are told of it."""

    alive = whole(null=True)


class PluginObject(Shape):
    """A host as an execute object."""

    type = whole()
    resource_id = text()
    host = one(PluginHost)


class PluginResult(Shape):
    """A host within a step."""

    execute_object = one(PluginObject)
    status = whole()
    tag = text()
    exit_code = whole(null=True)
    error_code = whole()
    start_time = whole(null=True)
    end_time = whole(null=True)
    total_time = whole(null=True)


class PluginStep(v3.StepInstance):
    """A step; without hosts to tell of it has no list of them."""

    execute_object_result_list = many(PluginResult, absent=True)


class PluginStatus(Shape):
    """bkci_plugin_get_job_instance_status."""

    finished = flag()
    job_instance = one(v3.JobInstance)
    step_instance_list = many(PluginStep)


class PluginScriptLog(Shape):
    """What a script printed on a host."""

    execute_object = one(PluginObject)
    log_content = text()


class PluginEntry(v3.FileProgress):
    """One file on one host."""

    src_execute_object = one(PluginObject, null=True)
    dest_execute_object = one(PluginObject, null=True)


class PluginFileLog(Shape):
    """The files of a host."""

    execute_object = one(PluginObject)
    file_atomic_task_logs = many(PluginEntry)


class PluginLogs(Shape):
    """bkci_plugin_batch_get_job_instance_execute_object_log."""

    job_instance_id = whole()
    step_instance_id = whole()
    log_type = whole()
    script_execute_object_task_logs = many(PluginScriptLog, null=True)
    file_execute_object_task_logs = many(PluginFileLog, null=True)


PLUGIN_REPLIES: Mapping[str, Reply] = {
    "bkci_plugin_get_job_instance_status": PluginStatus,
    "bkci_plugin_batch_get_job_instance_execute_object_log": PluginLogs,
}
