"""What v3 answers (contract c): times are integer milliseconds, what is not known yet is null."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from adapter.api import file_logs
from adapter.api.reports import HostLog, JobPage, JobReport, Operated, StepLogs
from adapter.job.commands import Launched
from adapter.job.model import FileLog, Host, HostResult, JobInstance, Scope, StepInstance

_SCRIPT_LOG, _FILE_LOG = 1, 2


def scope(value: Scope) -> dict[str, Any]:
    """The three names of a scope."""
    return {"bk_scope_type": value.type, "bk_scope_id": value.id, "bk_biz_id": value.biz_id}


def launched(result: Launched) -> dict[str, Any]:
    """Every launch."""
    return {
        "job_instance_id": result.job_instance_id,
        "job_instance_name": result.job_instance_name,
        "step_instance_id": result.step_instance_id,
    }


def operated(what: Operated) -> dict[str, Any]:
    """operate_job_instance, operate_step_instance."""
    return {
        "job_instance_id": what.job_instance_id,
        "job_instance_name": None,
        "step_instance_id": what.step_instance_id,
    }


def job_status(report: JobReport) -> dict[str, Any]:
    """get_job_instance_status."""
    job = report.job
    return {
        "finished": job.status.is_finished,
        "job_instance": job_instance(job),
        "step_instance_list": [
            {
                **step_instance(step),
                "step_ip_result_list": None if report.hosts is None else report.rows(step, _row),
            }
            for step in job.steps
        ],
    }


def job_instance(job: JobInstance) -> dict[str, Any]:
    """A job without its steps."""
    return {
        "job_instance_id": job.id,
        "name": job.name,
        "status": int(job.status),
        **_times(job),
        **scope(job.scope),
    }


def step_instance(step: StepInstance) -> dict[str, Any]:
    """A step without its hosts."""
    return {
        "step_instance_id": step.id,
        "name": step.name,
        "type": int(step.type),
        "status": int(step.status),
        "execute_count": step.execute_count,
        **_times(step),
    }


def host(value: Host) -> dict[str, Any]:
    """The names of a host."""
    return {"bk_host_id": value.told_id, "ip": value.ip, "bk_cloud_id": value.bk_cloud_id}


def host_result(result: HostResult) -> dict[str, Any]:
    """A host within a step."""
    return {
        **host(result.host),
        "status": int(result.status),
        "tag": result.tag,
        "exit_code": result.exit_code,
        "error_code": int(result.error_code),
        "start_time": result.start_time,
        "end_time": result.end_time,
        "total_time": result.total_time,
    }


def job_page(page: JobPage) -> dict[str, Any]:
    """get_job_instance_list; JOB answers null, not [], for no rows."""
    return {
        "start": page.start,
        "length": page.length,
        "total": page.total,
        "data": [job_row(job) for job in page.jobs] or None,
    }


def ip_log(logs: StepLogs) -> dict[str, Any]:
    """get_job_instance_ip_log; the host as the step knows it, else as it was asked for."""
    log = logs.logs[0]
    is_file = logs.step.file is not None
    return {
        "log_type": _FILE_LOG if is_file else _SCRIPT_LOG,
        **_host_of(log),
        "log_content": None if is_file else (log.text or None),
        "file_logs": [file_entry(entry, logs.known) for entry in log.files] if is_file else None,
    }


def batch_ip_log(logs: StepLogs) -> dict[str, Any]:
    """batch_get_job_instance_ip_log; hosts that are not in the step are absent."""
    is_file = logs.step.file is not None
    there = [log for log in logs.logs if log.host is not None]
    scripts = [_script_log(log) for log in there] if not is_file else []
    files = [_file_log(log, logs.known) for log in there if log.files] if is_file else []
    return {
        "job_instance_id": logs.step.job_instance_id,
        "step_instance_id": logs.step.id,
        "log_type": _FILE_LOG if is_file else _SCRIPT_LOG,
        "script_task_logs": scripts or None,
        "file_task_logs": files or None,
    }


def file_entry(entry: FileLog, known: Mapping[int, Host]) -> dict[str, Any]:
    """One file on one host."""
    return {
        "mode": entry.mode,
        "src_ip": _host_id(entry.src_host_id, known),
        "src_path": entry.src_path,
        "dest_ip": _host_id(entry.dest_host_id, known),
        "dest_path": entry.dest_path or None,
        "status": entry.status,
        "log_content": file_logs.log_text(entry),
        "size": file_logs.size_text(entry.size),
        "speed": file_logs.speed_text(entry.speed),
        "process": file_logs.progress_text(entry.progress),
    }


def job_row(job: JobInstance) -> dict[str, Any]:
    """A job in a list. The code's names and, beside them, those of the documentation: clients read either."""
    return {
        "job_instance_id": job.id,
        "id": job.id,
        "job_plan_id": job.plan_id,
        "job_template_id": job.template_id,
        "name": job.name,
        "operator": job.operator,
        "launch_mode": int(job.launch_mode),
        "status": int(job.status),
        "task_status": int(job.status),
        "type": int(job.type),
        "task_type": int(job.type),
        **_times(job),
        **scope(job.scope),
    }


def _row(result: HostResult, _alive: Mapping[int, int]) -> dict[str, Any]:
    return host_result(result)


def _times(item: JobInstance | StepInstance) -> dict[str, int | None]:
    return {
        "create_time": item.create_time,
        "start_time": item.start_time,
        "end_time": item.end_time,
        "total_time": item.total_time,
    }


def _host_of(log: HostLog) -> dict[str, Any]:
    found = log.host or log.asked
    host_id = log.asked.bk_host_id if log.host is None else log.host.told_id
    return {"bk_host_id": host_id, "bk_cloud_id": found.bk_cloud_id, "ip": found.ip}


def _script_log(log: HostLog) -> dict[str, Any]:
    host = _host_of(log)
    return {"host_id": host["bk_host_id"], **host, "ipv6": None, "log_content": log.text}


def _file_log(log: HostLog, known: Mapping[int, Host]) -> dict[str, Any]:
    return {**_host_of(log), "file_logs": [file_entry(entry, known) for entry in log.files]}


def _host_id(bk_host_id: int | None, known: Mapping[int, Host]) -> dict[str, Any] | None:
    if bk_host_id is None:
        return None
    host = known.get(bk_host_id)
    return {
        "bk_host_id": host.told_id if host else bk_host_id,
        "bk_cloud_id": host.bk_cloud_id if host else None,
        "ip": host.ip if host else None,
    }
