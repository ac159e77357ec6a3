"""What BlueKing CI's plugins are answered: v3's envelope, hosts as execute objects with every member there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from adapter.api import views_v3, views_v4
from adapter.api.reports import HostLog, JobReport, StepLogs
from adapter.job.model import FileLog, Host, HostResult

_SCRIPT_LOG, _FILE_LOG = 1, 2


def job_status(report: JobReport) -> dict[str, Any]:
    """bkci_plugin_get_job_instance_status; a step without hosts to tell of has no list of them."""
    steps = []
    for step in report.job.steps:
        hosts = report.rows(step, _result)
        listed = {"execute_object_result_list": hosts} if hosts else {}
        steps.append({**views_v3.step_instance(step), **listed})
    return {
        "finished": report.job.status.is_finished,
        "job_instance": views_v3.job_instance(report.job),
        "step_instance_list": steps,
    }


def batch_log(logs: StepLogs) -> dict[str, Any]:
    """bkci_plugin_batch_get_job_instance_execute_object_log."""
    is_file = logs.step.file is not None
    there = [log for log in logs.logs if log.host is not None]
    scripts = [] if is_file else [_script_log(log, logs.alive) for log in there]
    files = [_file_log(log, logs) for log in there if log.files] if is_file else []
    return {
        "job_instance_id": logs.step.job_instance_id,
        "step_instance_id": logs.step.id,
        "log_type": _FILE_LOG if is_file else _SCRIPT_LOG,
        "script_execute_object_task_logs": scripts or None,
        "file_execute_object_task_logs": files or None,
    }


def _execute_object(host: Host | None, alive: Mapping[int, int]) -> dict[str, Any] | None:
    found = views_v4.execute_object(host, alive)
    if found is None:
        return None
    unknown = dict.fromkeys(("bk_cloud_name", "ipv6", "bk_agent_id"))
    return {**found, "host": {**found["host"], **unknown}}


def _result(result: HostResult, alive: Mapping[int, int]) -> dict[str, Any]:
    told = views_v3.host_result(result)
    names = ("status", "tag", "exit_code", "error_code", "start_time", "end_time", "total_time")
    return {"execute_object": _execute_object(result.host, alive), **{name: told[name] for name in names}}


def _script_log(log: HostLog, alive: Mapping[int, int]) -> dict[str, Any]:
    return {"execute_object": _execute_object(log.host, alive), "log_content": log.text}


def _file_log(log: HostLog, logs: StepLogs) -> dict[str, Any]:
    return {
        "execute_object": _execute_object(log.host, logs.alive),
        "file_atomic_task_logs": [_entry(entry, logs) for entry in log.files],
    }


def _entry(entry: FileLog, logs: StepLogs) -> dict[str, Any]:
    told = views_v3.file_entry(entry, logs.known)
    source, target = (
        None if id_ is None else logs.known.get(id_) for id_ in (entry.src_host_id, entry.dest_host_id)
    )
    ends = {
        "src_execute_object": _execute_object(source, logs.alive),
        "dest_execute_object": _execute_object(target, logs.alive),
    }
    return {name: value for name, value in told.items() if name not in ("src_ip", "dest_ip")} | ends
