"""Requests about one step instance, and about the variables of a job, in v3 and v2 (contract c, i)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from adapter.api import agents, checks, file_logs
from adapter.api.call import Call
from adapter.api.reports import StepDetail, StepStatus, VariablesReport, by_host, source_hosts
from adapter.errors import AccountUnknown, MissingOrInvalid, StepNotExist
from adapter.job import groups as result_groups
from adapter.job.commands import AccountRef
from adapter.job.model import Account, HostResult, JobInstance, StepInstance


def detail(call: Call) -> StepDetail:
    """v3 get_step_instance_detail."""
    _, step = _found(call, call["job_instance_id"], call["step_instance_id"])
    targets = tuple(result.host for result in call.services.query.hosts(step))
    everyone = {host.bk_host_id: host for host in targets} | source_hosts(step)
    return StepDetail(
        step=call.services.query.resolved(step),
        targets=targets,
        accounts=_accounts(call, step),
        alive=agents.alive(call, list(everyone.values())),
    )


def status(call: Call) -> StepStatus:
    """v3 get_step_instance_status: of a rolling step the last batch that began, one that is named, or all (0)."""
    job, step = _found(call, call["job_instance_id"], call["step_instance_id"])
    latest = step.execute_count
    if call["execute_count"] is not None:
        step = replace(step, execute_count=call["execute_count"])
    batch = step.batch if call["batch"] is None else call["batch"]
    results = tuple(item for item in call.services.query.hosts(step) if batch in (0, item.batch))
    groups = result_groups.grouped(results)
    if call["keyword"] or call["search_ip"]:
        groups = result_groups.matching(groups, _matching(call, step, results))
    if call["status"] is not None:
        groups = result_groups.only(groups, call["status"], call["tag"])
    if call["max_host_num_per_group"] is not None:
        groups = result_groups.at_most(groups, call["max_host_num_per_group"])
    if step.execute_count != latest:
        step = _as_of(step, results)
    return StepStatus(job=job, step=step, hosts=results, groups=groups, language=call.language)


def status_v2(call: Call) -> StepStatus:
    """v2 get_step_instance_status: every group with all its hosts."""
    nested = call["params"] or {}
    job_instance_id, step_instance_id = (
        checks.require_id(name, nested.get(name) if call[name] is None else call[name], MissingOrInvalid)
        for name in ("job_instance_id", "step_instance_id")
    )
    job, step = _found(call, job_instance_id, step_instance_id)
    results = call.services.query.hosts(step)
    groups = result_groups.grouped(results)
    return StepStatus(job=job, step=step, hosts=results, groups=groups, language=call.language)


def variables(call: Call) -> VariablesReport:
    """get_job_instance_global_var_value."""
    job_instance_id = checks.require_id("job_instance_id", call["job_instance_id"], MissingOrInvalid)
    job = call.services.query.job(call.scope, job_instance_id)
    return VariablesReport(job=job, variables=call.services.query.variables(job))


def _found(call: Call, job_instance_id: int, step_instance_id: int) -> tuple[JobInstance, StepInstance]:
    job = call.services.query.job(call.scope, job_instance_id)
    for step in job.steps:
        if step.id == step_instance_id:
            return job, step
    raise StepNotExist(step_instance_id)


def _accounts(call: Call, step: StepInstance) -> Mapping[int, Account]:
    """The accounts of the step that there still are."""
    ids = {step.script.account_id} if step.script else set()
    if step.file:
        ids |= {step.file.account_id, *(source.account_id for source in step.file.sources)}
    known = {}
    for id_ in ids:
        try:
            known[id_] = call.services.catalog.account(call.scope, AccountRef(id=id_))
        except AccountUnknown:
            continue
    return known


def _matching(call: Call, step: StepInstance, results: tuple[HostResult, ...]) -> set[int]:
    """The hosts whose address has `search_ip` in it, and whose log has `keyword`."""
    part, keyword = call["search_ip"] or "", call["keyword"]
    found = [result for result in results if part in result.host.ip]
    if not keyword:
        return {result.host.bk_host_id for result in found}
    if step.script is not None:
        return call.services.query.find_in_logs(step, found, keyword)
    entries = by_host(call.services.query.file_logs(step, {result.host.bk_host_id for result in found}))
    return {
        id_ for id_, items in entries.items() if any(keyword in file_logs.log_text(item) for item in items)
    }


def _as_of(step: StepInstance, results: tuple[HostResult, ...]) -> StepInstance:
    """An earlier execution: its times are those of its hosts."""
    starts = [result.start_time for result in results if result.start_time is not None]
    ends = [result.end_time for result in results if result.end_time is not None]
    return replace(step, start_time=min(starts, default=None), end_time=max(ends, default=None))
