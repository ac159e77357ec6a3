"""The fields of the v4 APIs (contract c, v4). What fails here is "Fields [..] bind failed", 1241025."""

from __future__ import annotations

from marshmallow import ValidationError, validates_schema

from adapter.api.fields import BaseSchema, Flag, Many, Number, Object, Program, Raw, Text, Url
from adapter.api.rolling import RollingFields
from adapter.api.schemas_v3 import (
    MAX_INTERPRETER,
    MAX_NAME,
    HostPasswordFields,
    ScriptFields,
)
from adapter.api.targets import DynamicGroup, Ipv4, Timeout, TopoNodeFields
from adapter.messages import say


class HostV4(BaseSchema):
    """A host by id, else by cloud area and address."""

    bk_host_id = Number(at_least=1)
    bk_cloud_id = Number(at_least=0)
    ip = Ipv4()

    @validates_schema
    def names_a_host(self, data: dict[str, object], **_: object) -> None:
        """One of the ways must be complete."""
        if data["bk_host_id"] is None and None in (data["bk_cloud_id"], data["ip"]):
            raise ValidationError(say("is required, or bk_cloud_id and ip"), "bk_host_id")


class ExecuteTarget(BaseSchema):
    """`execute_target`: hosts, groups and nodes are united."""

    host_list = Many(Object(HostV4, required=True))
    dynamic_group_list = Many(Object(DynamicGroup, required=True))
    topo_node_list = Many(Object(TopoNodeFields, required=True))
    kube_container_filters = Raw()


class FastExecuteScript(ScriptFields):
    """fast_execute_script."""

    execute_target = Object(ExecuteTarget)
    timeout = Timeout()
    task_name = Text(strip=True, at_most=MAX_NAME)
    param_sensitive = Flag(load_default=False)
    callback_url = Url()
    start_task = Flag(load_default=True)
    rolling_config = Object(RollingFields)
    windows_interpreter = Program(at_most=MAX_INTERPRETER)
    host_password_list = Many(Object(HostPasswordFields, required=True))


class GetJobInstanceStatus(BaseSchema):
    """get_job_instance_status."""

    job_instance_id = Number(required=True, at_least=1)
    return_execute_object_result = Flag(load_default=False)


class BatchGetExecuteObjectLog(BaseSchema):
    """batch_get_job_instance_execute_object_log; the first list that has something in it counts."""

    job_instance_id = Number(required=True, at_least=1)
    step_instance_id = Number(required=True, at_least=1)
    host_id_list = Many(Number(required=True))
    ip_list = Many(Object(HostV4, required=True))
    container_id_list = Many(Number(required=True))


class GetJobInstanceList(BaseSchema):
    """get_job_instance_list."""

    create_time_start = Number(required=True)
    create_time_end = Number(required=True)
    job_instance_id = Number()
    operator = Text(strip=True)
    name = Text(strip=True)
    launch_mode = Number()
    type = Number()
    status = Number()
    ip = Text(strip=True, at_most=64)
    job_cron_id = Number()
    offset = Number(at_least=0, at_most=10_000, load_default=0)
    length = Number(at_least=1, at_most=200, load_default=10)
