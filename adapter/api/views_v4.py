"""What v4 answers (contract c, v4): hosts are execute objects, and what is null is left out by the envelope."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from adapter.api import file_logs, views_v3
from adapter.api.replies_v4 import without_nulls
from adapter.api.reports import HostLog, JobPage, JobReport, StepLogs
from adapter.job.model import FileLog, Host, HostResult

_HOST = 1  #: the type of an execute object that is no container
_SCRIPT_LOG, _FILE_LOG = 1, 2


def job_status(report: JobReport) -> dict[str, Any]:
    """get_job_instance_status."""
    return {
        "finished": report.job.status.is_finished,
        "job_instance": views_v3.job_instance(report.job),
        "step_instance_list": [
            {
                **views_v3.step_instance(step),
                "step_execute_object_result_list": report.rows(step, _row) or None,
            }
            for step in report.job.steps
        ],
    }


def batch_log(logs: StepLogs) -> dict[str, Any]:
    """batch_get_job_instance_execute_object_log."""
    is_file = logs.step.file is not None
    there = [log for log in logs.logs if log.host is not None]
    return {
        "job_instance_id": logs.step.job_instance_id,
        "step_instance_id": logs.step.id,
        "log_type": _FILE_LOG if is_file else _SCRIPT_LOG,
        "script_step_execute_object_logs": None
        if is_file
        else [_script_log(log, logs.alive) for log in there],
        "file_step_execute_object_logs": [_file_log(log, logs) for log in there] if is_file else None,
    }


def job_list(page: JobPage) -> dict[str, Any]:
    """get_job_instance_list; there is no total."""
    return {"job_instance_list": [views_v3.job_row(job) for job in page.jobs]}


def execute_object(host: Host | None, alive: Mapping[int, int]) -> dict[str, Any] | None:
    """A host as v4 names it; of one that is not in `alive` nobody knows whether it answers."""
    if host is None:
        return None
    named = {
        "bk_host_id": host.told_id,
        "bk_cloud_id": host.bk_cloud_id,
        "ip": host.ip or None,
        "alive": alive.get(host.bk_host_id),
    }
    return {
        "type": _HOST,
        "resource_id": host.label if host.told_id is None else str(host.told_id),
        "host": named,
    }


def _row(result: HostResult, alive: Mapping[int, int]) -> dict[str, Any]:
    """The envelope does not look into rows that are JSON already."""
    row: dict[str, Any] = without_nulls(
        {
            "execute_object": execute_object(result.host, alive),
            "status": int(result.status),
            "tag": result.tag,
            "exit_code": result.exit_code,
            "start_time": result.start_time,
            "end_time": result.end_time,
            "total_time": result.total_time,
        }
    )
    return row


def _script_log(log: HostLog, alive: Mapping[int, int]) -> dict[str, Any]:
    return {"execute_object": execute_object(log.host, alive), "log_content": log.text}


def _file_log(log: HostLog, logs: StepLogs) -> dict[str, Any]:
    entries = [(entry.mode, _entry(entry, logs)) for entry in log.files]
    return {
        "execute_object": execute_object(log.host, logs.alive),
        "upload_log": [entry for mode, entry in entries if mode == 0] or None,
        "download_log": [entry for mode, entry in entries if mode == 1] or None,
    }


def _entry(entry: FileLog, logs: StepLogs) -> dict[str, Any]:
    source, target = (
        None if id_ is None else logs.known.get(id_) for id_ in (entry.src_host_id, entry.dest_host_id)
    )
    return {
        "mode": entry.mode,
        "src_execute_object": execute_object(source, logs.alive),
        "src_path": entry.src_path,
        "dest_execute_object": execute_object(target, logs.alive),
        "dest_path": entry.dest_path or None,
        "status": entry.status,
        "log_content": file_logs.log_text(entry),
        "size": file_logs.size_text(entry.size),
        "speed": file_logs.speed_text(entry.speed),
        "process": file_logs.progress_text(entry.progress),
    }
