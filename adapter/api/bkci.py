"""What BlueKing CI's plugins call: v3's and v4's use cases under names of their own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from adapter.api import agents, launch_v3, launch_v4, queries_v3
from adapter.api.call import Call
from adapter.api.reports import HostRef, JobReport, StepLogs
from adapter.errors import FieldInvalid, NotSupported
from adapter.job.commands import Launched
from adapter.messages import say

_CONTAINER = 2
_MAX_OBJECTS = 500


def execute_script(call: Call) -> Launched:
    """bkci_plugin_fast_execute_script."""
    fields = call.fields
    v4_fields = {
        **fields,
        "execute_target": _v4_target(fields["execute_target"]),
        "param_sensitive": fields["is_param_sensitive"],
        "callback_url": (fields["callback"] or {}).get("url"),
        "start_task": True,
        "host_password_list": [],
    }
    return launch_v4.execute_script(replace(call, fields=v4_fields))


def transfer_file(call: Call) -> Launched:
    """bkci_plugin_fast_transfer_file."""
    target = _v4_target(call["execute_object"])
    fields = {**call.fields, "start_task": True}
    return launch_v3.transfer_file_to(
        replace(call, fields=fields), "execute_object", lambda: launch_v4.server_of(call, target)
    )


def status(call: Call) -> JobReport:
    """bkci_plugin_get_job_instance_status."""
    with_hosts = {"return_ip_result": call["include_execute_object_task_result"]}
    return agents.with_alive(call, queries_v3.status(replace(call, fields=call.fields | with_hosts)))


def batch_log(call: Call) -> StepLogs:
    """bkci_plugin_batch_get_job_instance_execute_object_log: hosts that are not in the step are left out."""
    listed = call["execute_object_list"]
    if not 1 <= len(listed) <= _MAX_OBJECTS:
        raise FieldInvalid("execute_object_list", say("must list 1..{limit} hosts", limit=_MAX_OBJECTS))
    return agents.logs_with_alive(call, queries_v3.step_logs(call, [_host(item) for item in listed]))


def _v4_target(fields: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if fields is None:
        return None
    return {
        "host_list": fields["host_list"],
        "dynamic_group_list": fields["host_dynamic_group_list"],
        "topo_node_list": fields["host_topo_node_list"],
        "kube_container_filters": fields["kube_container_filters"],
    }


def _host(item: Mapping[str, Any]) -> HostRef:
    if item["type"] == _CONTAINER:
        raise NotSupported(say("execute_object_list.type 2; there are no containers here, only hosts"))
    if item["resource_id"] is not None:
        return HostRef(bk_host_id=item["resource_id"])
    if item["host"] is None:
        raise FieldInvalid("execute_object_list.resource_id", say("is required, or host"))
    return HostRef(**item["host"])
