"""What v4 answers about job templates and job plans (contract b4); what is null is left out by the envelope."""

from __future__ import annotations

from typing import Any

from adapter.api import views_plans
from adapter.api.reports import TemplateReport
from adapter.api.views_catalog import authorship
from adapter.api.views_v3 import scope
from adapter.job.model import Server
from adapter.job.plan import GlobalVariable, JobPlan, PlanFile, PlanStep
from adapter.job.status import VariableType
from adapter.ports import Hosts


def created(plan: JobPlan) -> dict[str, Any]:
    """create_job_plan."""
    return {
        **scope(plan.scope),
        "job_plan_id": plan.id,
        "job_plan_name": plan.name,
        "job_template_id": plan.template_id,
        "creator": plan.creator,
        "create_time": plan.create_time,
        "need_update": plan.need_update,
    }


def template(report: TemplateReport) -> dict[str, Any]:
    """get_job_template_detail."""
    found = report.template
    return {
        "id": found.id,
        "name": found.name,
        "description": found.description,
        **scope(found.scope),
        **authorship(found),
        "global_var_list": [_variable(item, report.hosts) for item in found.variables],
        "step_list": [_step(step, report) for step in found.steps],
    }


def _variable(item: GlobalVariable, hosts: Hosts) -> dict[str, Any]:
    return {
        "id": item.id,
        "name": item.name,
        "type": int(item.type),
        "description": item.description,
        "required": int(item.required),
        "value": None if item.type == VariableType.HOSTS else item.value,
        "execute_target": _target(item.server, hosts) if item.server else None,
    }


def _step(step: PlanStep, report: TemplateReport) -> dict[str, Any]:
    found: dict[str, Any] = {"id": step.id, "name": step.name, "type": int(step.type)}
    if step.script:
        library = report.scripts.get(step.id)
        target = {"execute_target": _target(step.target, report.hosts)}
        found["script_info"] = views_plans.script_info(step, step.script, report.accounts, library) | target
    if step.file:
        found["file_info"] = _file(step, step.file, report)
    if step.approval:
        found["approval_info"] = views_plans.approval_info(step.approval)
    return found


def _file(step: PlanStep, file: PlanFile, report: TemplateReport) -> dict[str, Any]:
    sources = [
        {
            "file_list": list(source.files),
            "file_type": int(source.file_type),
            "account": views_plans.account(source.account_id, report.accounts)
            if source.is_on_hosts
            else None,
            "execute_target": _target(source.server, report.hosts) if source.is_on_hosts else None,
        }
        for source in file.sources
    ]
    destination = {
        "path": file.target_path,
        "account": views_plans.account(file.account_id, report.accounts),
        "execute_target": _target(step.target, report.hosts),
    }
    return {
        "file_source_list": sources,
        "file_destination": destination,
        **views_plans.file_options(step, file),
    }


def _target(value: Server, hosts: Hosts) -> dict[str, Any]:
    listed = {"host_list": views_plans.host_list(value, hosts), **views_plans.groups(value)}
    return {"variable": value.variable, **{name: items or None for name, items in listed.items()}}
