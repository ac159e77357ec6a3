"""v2 requests that ask about jobs (contract i)."""

from __future__ import annotations

from adapter.api import checks
from adapter.api.call import Call
from adapter.api.reports import HostRecord, JobRecord, JobReport, StepRecord, by_host
from adapter.errors import MissingOrInvalid
from adapter.job.model import JobInstance, StepInstance


def status(call: Call) -> JobReport:
    """get_job_instance_status: v2 always lists the hosts."""
    job = _job(call)
    hosts = {step.id: call.services.query.hosts(step) for step in job.steps}
    return JobReport(job=job, hosts=hosts, written=call.services.written)


def log(call: Call) -> JobRecord:
    """get_job_instance_log: every step with every host and its whole log."""
    steps = tuple(_record(call, step) for step in _job(call).steps)
    return JobRecord(steps=steps, html_encode=call["use_html_encode"])


def _job(call: Call) -> JobInstance:
    job_instance_id = checks.require_id("job_instance_id", call["job_instance_id"], MissingOrInvalid)
    return call.services.query.job(call.scope, job_instance_id)


def _record(call: Call, step: StepInstance) -> StepRecord:
    query = call.services.query
    results = query.hosts(step)
    targets = [result.host.bk_host_id for result in results]
    texts = {} if step.file else query.script_logs(step, targets)
    files = by_host(query.file_logs(step, targets)) if step.file else {}
    records = tuple(
        HostRecord(
            result=result,
            text=texts.get(result.host.bk_host_id, ""),
            files=files.get(result.host.bk_host_id, ()),
        )
        for result in results
    )
    return StepRecord(step=step, records=records)
