"""v3 requests that ask about jobs (contract c) and their checks."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from enum import IntEnum
from typing import Any

from adapter.api import checks
from adapter.api.call import Call
from adapter.api.reports import (
    HostLog,
    HostRef,
    JobPage,
    JobReport,
    StepLogs,
    by_host,
    found_hosts,
    known_hosts,
    source_hosts,
)
from adapter.errors import InvalidParameters, MissingOrInvalid, StepInstanceUnknown
from adapter.job.commands import JobFilter
from adapter.job.model import StepInstance
from adapter.job.status import LaunchMode, RunStatus, TaskType
from adapter.messages import say

_MAX_LOG_HOSTS = 500
_MAX_SPAN_MS = 30 * 24 * 3600 * 1000


def status(call: Call) -> JobReport:
    """get_job_instance_status."""
    query = call.services.query
    job = query.job(call.scope, _id(call, "job_instance_id"))
    if not call["return_ip_result"]:
        return JobReport(job=job)
    hosts = {step.id: query.hosts(step) for step in job.steps}
    return JobReport(job=job, hosts=hosts, written=call.services.written)


def ip_log(call: Call) -> StepLogs:
    """get_job_instance_ip_log: of a file step the host's downloads and every source's uploads."""
    job_instance_id, step_instance_id = _id(call, "job_instance_id"), _id(call, "step_instance_id")
    asked = _asked(call.fields)
    if not asked.names_a_host:
        raise MissingOrInvalid("host_id/(bk_cloud_id+ip)")
    step = step_of(call, job_instance_id, step_instance_id)
    return _logs(call, step, (asked,), with_uploads=True)


def batch_ip_log(call: Call) -> StepLogs:
    """batch_get_job_instance_ip_log: hosts that are not in the step are left out."""
    for name in ("job_instance_id", "step_instance_id"):
        _id(call, name)
    asked = [HostRef(bk_host_id=id_) for id_ in call["host_id_list"]]
    asked = asked or [_asked(item) for item in call["ip_list"]]
    if not asked or len(asked) > _MAX_LOG_HOSTS or not all(item.names_a_host for item in asked):
        raise MissingOrInvalid("host_id_list/ip_list", say("give 1..{limit} hosts", limit=_MAX_LOG_HOSTS))
    return step_logs(call, asked)


def step_logs(call: Call, asked: Iterable[HostRef]) -> StepLogs:
    """The logs of some hosts of a step, each once; a source of files only has its uploads if it is asked for."""
    step = step_of(call, call["job_instance_id"], call["step_instance_id"])
    return _logs(call, step, dict.fromkeys(asked), with_uploads=False)


def job_list(call: Call) -> JobPage:
    """get_job_instance_list."""
    first, last = (_time(call, name) for name in ("create_time_start", "create_time_end"))
    if last <= first:
        raise MissingOrInvalid("create_time_end", say("must be after create_time_start"))
    if last - first > _MAX_SPAN_MS:
        raise InvalidParameters(say("create_time_start and create_time_end must be at most 30 days apart"))
    for name, kind in (("type", TaskType), ("status", RunStatus), ("launch_mode", LaunchMode)):
        _check_number(name, call[name], kind)
    start, length = max(call["start"] or 0, 0), call["length"] or 20
    wanted = {name: call[name] for name in _FILTERS}
    total, jobs = call.services.query.jobs(
        JobFilter(
            scope=call.scope,
            create_time_start=first,
            create_time_end=last,
            start=start,
            length=length,
            cron_id=call["job_cron_id"] if (call["job_cron_id"] or 0) > 0 else None,
            **wanted,
        )
    )
    return JobPage(start=start, length=length, total=total, jobs=jobs)


_FILTERS = ("job_instance_id", "operator", "name", "launch_mode", "type", "status", "ip")


def _logs(call: Call, step: StepInstance, asked: Collection[HostRef], *, with_uploads: bool) -> StepLogs:
    query = call.services.query
    known = known_hosts(query, step, asked)
    found = found_hosts(asked, known)
    ids = {host.bk_host_id for _, host in found if host}
    texts: dict[int, str] = {}
    files: dict[int, Any] = {}
    if step.file is None:
        texts = query.script_logs(step, ids)
    else:
        uploaders = set(source_hosts(step)) if with_uploads else set()
        files = by_host(query.file_logs(step, ids | uploaders))
    uploads = tuple(entry for items in files.values() for entry in items if entry.mode == 0)
    logs = []
    for ref, host in found:
        own = files.get(host.bk_host_id, ()) if host else ()
        if with_uploads:
            own = tuple(entry for entry in own if entry.mode == 1) + uploads
        logs.append(
            HostLog(asked=ref, host=host, text=texts.get(host.bk_host_id, "") if host else "", files=own)
        )
    return StepLogs(step=step, logs=tuple(logs), known=known)


def step_of(call: Call, job_instance_id: int, step_instance_id: int) -> StepInstance:
    """The step of a job in the call's scope. Raises JobUnknown, StepInstanceUnknown."""
    job = call.services.query.job(call.scope, job_instance_id)
    for step in job.steps:
        if step.id == step_instance_id:
            return step
    raise StepInstanceUnknown(step_instance_id)


def _asked(fields: Any) -> HostRef:
    bk_host_id = fields["bk_host_id"]
    return HostRef(
        bk_host_id=bk_host_id if bk_host_id is not None and bk_host_id >= 1 else None,
        bk_cloud_id=fields["bk_cloud_id"],
        ip=fields["ip"],
    )


def _id(call: Call, name: str) -> int:
    return checks.require_id(name, call[name], MissingOrInvalid)


def _time(call: Call, name: str) -> int:
    return checks.require_id(name, call[name], MissingOrInvalid)


def _check_number(name: str, value: int | None, kind: type[IntEnum]) -> None:
    if value is not None and value not in set(kind):
        raise InvalidParameters(
            say(
                "{name} must be one of {allowed}, not {value}",
                name=name,
                allowed=", ".join(str(int(item)) for item in kind),
                value=value,
            )
        )
