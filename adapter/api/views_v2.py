"""What v2 answers (contract i): times are text in the service's time zone, durations are float seconds."""

from __future__ import annotations

import html
from collections.abc import Mapping
from typing import Any

from adapter.api import file_logs
from adapter.api.reports import HostRecord, JobRecord, JobReport, Operated, StepRecord
from adapter.api.times import local_time
from adapter.api.views_v3 import scope
from adapter.job.commands import Launched
from adapter.job.model import HostResult, JobInstance, StepInstance


def launched(result: Launched) -> dict[str, Any]:
    """Every launch; step_instance_id is left out where v2 has none."""
    reply: dict[str, Any] = {
        "job_instance_name": result.job_instance_name,
        "job_instance_id": result.job_instance_id,
    }
    if result.step_instance_id is not None:
        reply["step_instance_id"] = result.step_instance_id
    return reply


def job_status(report: JobReport) -> dict[str, Any]:
    """get_job_instance_status: one block for each step."""
    job = report.job
    return {
        "is_finished": job.status.is_finished,
        "job_instance": {
            "job_instance_id": job.id,
            **scope(job.scope),
            "bk_job_id": job.plan_id,
            "status": int(job.status),
            "name": job.name,
            "operator": job.operator,
            **_times(job),
            "start_way": int(job.launch_mode),
            "current_step_instance_id": _current(job),
        },
        "blocks": [
            {
                "type": int(step.type),
                "block_order": order,
                "block_name": step.name,
                "step_instances": [_step(job, step, order, report.rows(step, _row))],
            }
            for order, step in enumerate(job.steps, 1)
        ],
    }


def job_log(job: JobRecord) -> list[dict[str, Any]]:
    """get_job_instance_log: hosts grouped by status and tag."""
    return [_step_log(record, job.html_encode) for record in job.steps]


def time_text(milliseconds: int | None) -> str | None:
    """`yyyy-MM-dd HH:mm:ss`."""
    if milliseconds is None:
        return None
    return local_time(milliseconds)


def escaped(text: str) -> str:
    """Text for a page of HTML, with the entities Java writes."""
    return html.escape(text).replace("&#x27;", "&#39;")


def _current(job: JobInstance) -> int | None:
    """The step that is not finished yet, else the last one."""
    unfinished = [step.id for step in job.steps if not step.status.is_finished]
    return unfinished[0] if unfinished else job.steps[-1].id if job.steps else None


def _step(job: JobInstance, step: StepInstance, order: int, hosts: list[Any]) -> dict[str, Any]:
    return {
        "step_instance_id": step.id,
        "step_id": step.step_id,
        "name": step.name,
        "type": int(step.type),
        "operator": job.operator,
        "status": int(step.status),
        "execute_count": step.execute_count,
        "retry_count": step.execute_count,
        **_times(step),
        "pause": 0,
        "order": order,
        "operation_list": [],
        "step_ip_status": hosts,
    }


def _row(result: HostResult, _alive: Mapping[int, int]) -> dict[str, Any]:
    return {
        "ip": result.host.ip,
        "bk_cloud_id": result.host.bk_cloud_id,
        "bk_host_id": result.host.told_id,
        "status": int(result.status),
    }


def _times(item: JobInstance | StepInstance) -> dict[str, Any]:
    return {
        "create_time": time_text(item.create_time),
        "start_time": time_text(item.start_time),
        "end_time": time_text(item.end_time),
        "total_time": seconds(item.total_time),
    }


def seconds(milliseconds: int | None) -> float | None:
    """Seconds with fractions."""
    return None if milliseconds is None else milliseconds / 1000


def _step_log(record: StepRecord, html_encode: bool) -> dict[str, Any]:
    groups: dict[tuple[int, str], list[dict[str, Any]]] = {}
    for item in record.records:
        key = (int(item.result.status), item.result.tag)
        groups.setdefault(key, []).append(_ip_log(record, item, html_encode))
    return {
        "is_finished": record.step.status.is_finished,
        "step_instance_id": record.step.id,
        "name": record.step.name,
        "status": int(record.step.status),
        "step_results": [
            {"ip_status": status, "tag": tag, "ip_logs": logs} for (status, tag), logs in groups.items()
        ],
    }


def _ip_log(record: StepRecord, item: HostRecord, html_encode: bool) -> dict[str, Any]:
    result = item.result
    text = "".join(map(file_logs.log_text, item.files)) if record.step.file else item.text
    return {
        "ip": result.host.ip,
        "bk_cloud_id": result.host.bk_cloud_id,
        "bk_host_id": result.host.told_id,
        "start_time": time_text(result.start_time),
        "end_time": time_text(result.end_time),
        "total_time": seconds(result.total_time),
        "execute_count": result.executed_in,
        "retry_count": result.executed_in,
        "error_code": int(result.error_code),
        "exit_code": result.exit_code,
        "log_content": escaped(text) if html_encode else text,
    }


def operated(what: Operated) -> dict[str, Any]:
    """operate_job_instance, operate_step_instance: v2 leaves out what there is not."""
    step = {} if what.step_instance_id is None else {"step_instance_id": what.step_instance_id}
    return {"job_instance_id": what.job_instance_id, **step}
