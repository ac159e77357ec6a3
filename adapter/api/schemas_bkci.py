"""The fields of the v3 APIs for BlueKing CI's plugins: v3's launches and queries over execute objects."""

from __future__ import annotations

from adapter.api.fields import BaseSchema, Flag, Many, Number, Object, Program, Raw, Text, Url
from adapter.api.rolling import RollingFields
from adapter.api.schemas_v3 import (
    MAX_INTERPRETER,
    MAX_NAME,
    FastTransferFile,
    ScriptFields,
)
from adapter.api.schemas_v4 import HostV4
from adapter.api.targets import DynamicGroup, Timeout, TopoNodeFields


class ExecuteTargetFields(BaseSchema):
    """`execute_target`, `execute_object`: v4's, with names of their own for groups and nodes."""

    host_list = Many(Object(HostV4, required=True))
    host_dynamic_group_list = Many(Object(DynamicGroup, required=True))
    host_topo_node_list = Many(Object(TopoNodeFields, required=True))
    kube_container_filters = Raw()


class _Callback(BaseSchema):
    url = Url()


class PluginFastExecuteScript(ScriptFields):
    """bkci_plugin_fast_execute_script."""

    execute_target = Object(ExecuteTargetFields)
    timeout = Timeout()
    task_name = Text(strip=True, at_most=MAX_NAME)
    is_param_sensitive = Flag(load_default=False)
    callback = Object(_Callback)
    rolling_config = Object(RollingFields)
    windows_interpreter = Program(at_most=MAX_INTERPRETER)


class PluginFastTransferFile(FastTransferFile):
    """bkci_plugin_fast_transfer_file: v3's, with `execute_object` for `target_server`."""

    execute_object = Object(ExecuteTargetFields)


class PluginGetJobInstanceStatus(BaseSchema):
    """bkci_plugin_get_job_instance_status."""

    job_instance_id = Number(required=True, at_least=1)
    include_execute_object_task_result = Flag(load_default=False)


class _ExecuteObject(BaseSchema):
    """A host by its id, as text, or as v4 names hosts."""

    type = Number()
    resource_id = Number(at_least=1)
    host = Object(HostV4)


class PluginBatchGetLog(BaseSchema):
    """bkci_plugin_batch_get_job_instance_execute_object_log."""

    job_instance_id = Number(required=True, at_least=1)
    step_instance_id = Number(required=True, at_least=1)
    execute_object_list = Many(Object(_ExecuteObject, required=True))
