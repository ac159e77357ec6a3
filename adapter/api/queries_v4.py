"""v4 requests that ask about jobs (contract c, v4): v3's, with v4's names and limits."""

from __future__ import annotations

from dataclasses import replace

from adapter.api import agents, queries_v3
from adapter.api.call import Call
from adapter.api.reports import HostRef, JobPage, JobReport, StepLogs
from adapter.errors import FieldInvalid, NotSupported
from adapter.messages import say

_MAX_LOG_HOSTS = 50


def status(call: Call) -> JobReport:
    """get_job_instance_status."""
    with_hosts = {"return_ip_result": call["return_execute_object_result"]}
    return agents.with_alive(call, queries_v3.status(replace(call, fields=call.fields | with_hosts)))


def batch_log(call: Call) -> StepLogs:
    """batch_get_job_instance_execute_object_log: hosts that are not in the step are left out."""
    name = next((name for name in ("host_id_list", "ip_list", "container_id_list") if call[name]), None)
    if name is None or len(call[name]) > _MAX_LOG_HOSTS:
        raise FieldInvalid(name or "host_id_list", say("must list 1..{limit} hosts", limit=_MAX_LOG_HOSTS))
    if name == "container_id_list":
        raise NotSupported(say("container_id_list; there are no containers here, only hosts"))
    if name == "host_id_list":
        asked = [HostRef(bk_host_id=id_) for id_ in call[name]]
    else:
        asked = [HostRef(**item) for item in call[name]]
    return agents.logs_with_alive(call, queries_v3.step_logs(call, asked))


def job_list(call: Call) -> JobPage:
    """get_job_instance_list."""
    return queries_v3.job_list(replace(call, fields={**call.fields, "start": call["offset"]}))
