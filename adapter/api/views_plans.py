"""What v3 answers about job templates and job plans (contract d). Scripts and parameters are base64, as in JOB."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from typing import Any

from adapter.api.reports import PlanReport
from adapter.api.views_catalog import authorship, page_of, script_type
from adapter.api.views_v3 import scope
from adapter.job.model import Account, Host, ScriptVersion, Server
from adapter.job.plan import (
    GlobalVariable,
    JobPlan,
    ListedPlan,
    ListedTemplate,
    PlanApproval,
    PlanFile,
    PlanScript,
    PlanStep,
)
from adapter.job.status import FileType, VariableType
from adapter.ports import Hosts
from adapter.service.pages import Page

Accounts = Mapping[int, Account]

_ANY_ONE = 1


def template_page(templates: Page[ListedTemplate]) -> dict[str, Any]:
    """get_job_template_list."""
    return page_of(templates, _template_row)


def page(plans: Page[ListedPlan]) -> dict[str, Any]:
    """get_job_plan_list."""
    return page_of(plans, _row)


def detail(report: PlanReport) -> dict[str, Any]:
    """A plan with every step and its variables; JOB's documents call its id job_plan_id, its code id."""
    plan = report.plan
    return {
        **_row(plan),
        "job_plan_id": plan.id,
        "step_list": [_step(step, report) for step in plan.steps],
        "global_var_list": [_variable(item, plan, report.hosts) for item in plan.variables],
    }


def _template_row(template: ListedTemplate) -> dict[str, Any]:
    return {
        "id": template.id,
        "name": template.name,
        "description": template.description,
        **scope(template.scope),
        **authorship(template),
    }


def _row(plan: ListedPlan | JobPlan) -> dict[str, Any]:
    return {
        "id": plan.id,
        "job_template_id": plan.template_id,
        "name": plan.name,
        "need_update": plan.need_update,
        **scope(plan.scope),
        **authorship(plan),
    }


def _step(step: PlanStep, report: PlanReport) -> dict[str, Any]:
    accounts, hosts = report.accounts, report.hosts
    script = {"server": server(step.target, hosts)}
    return {
        "id": step.id,
        "name": step.name,
        "type": int(step.type),
        "enable": int(step.id in report.plan.enabled),
        "script_info": script_info(step, step.script, accounts, report.scripts.get(step.id)) | script
        if step.script
        else None,
        "file_info": _file(step, step.file, accounts, hosts) if step.file else None,
        "approval_info": approval_info(step.approval) if step.approval else None,
    }


def script_info(
    step: PlanStep, script: PlanScript, accounts: Accounts, library: ScriptVersion | None
) -> dict[str, Any]:
    """What a script step executes, without its hosts; `library` is the version that it names, if any."""
    content, language = script.content, script.language
    if library is not None:
        content, language = library.content, library.language
    return {
        "script_type": script_type(script),
        "script_id": script.script_id,
        "script_version_id": library.id if library else script.script_version_id,
        "script_content": encoded(content),
        "script_language": language,
        "script_param": encoded(script.param),
        "windows_interpreter": None,
        "script_timeout": script.timeout,
        "account": account(script.account_id, accounts),
        "is_param_sensitive": int(script.param_sensitive),
        "is_ignore_error": int(step.ignore_error),
    }


def _file(step: PlanStep, file: PlanFile, accounts: Accounts, hosts: Hosts) -> dict[str, Any]:
    sources = [
        {
            "file_type": int(source.file_type),
            "file_list": list(source.files),
            "account": account(source.account_id, accounts) if source.is_on_hosts else None,
            "server": server(source.server, hosts) if source.is_on_hosts else None,
            "file_source_id": source.file_source_id,
            "file_source_code": source.file_source_code,
        }
        for source in file.sources
    ]
    destination = {
        "path": file.target_path,
        "account": account(file.account_id, accounts),
        "server": server(step.target, hosts),
    }
    return {
        "file_source_list": sources,
        "file_destination": destination,
        **file_options(step, file),
    }


def file_options(step: PlanStep, file: PlanFile) -> dict[str, Any]:
    """How a file step transfers."""
    return {
        "timeout": file.timeout,
        "source_speed_limit": file.upload_speed_limit,
        "destination_speed_limit": file.download_speed_limit,
        "transfer_mode": int(file.transfer_mode),
        "is_ignore_error": int(step.ignore_error),
    }


def approval_info(approval: PlanApproval) -> dict[str, Any]:
    """Nobody is notified: there are no channels here."""
    return {
        "approval_type": _ANY_ONE,
        "approval_user": {"user_list": list(approval.users), "role_list": list(approval.roles)},
        "approval_message": approval.message,
        "notify_channel": [],
    }


def _variable(item: GlobalVariable, plan: JobPlan, hosts: Hosts) -> dict[str, Any]:
    return {
        "id": item.id,
        "name": item.name,
        "type": int(item.type),
        "value": None if item.type == VariableType.HOSTS else item.value,
        "server": server(item.server, hosts) if item.server else None,
        "description": item.description,
        "required": int(item.required),
        "used": any(_uses(step, item.name) for step in plan.enabled_steps),
    }


def _uses(step: PlanStep, name: str) -> bool:
    texts: list[str | None] = []
    if step.script:
        texts = [step.script.content, step.script.param]
    if step.file:
        texts = [step.file.target_path, *_paths(step.file)]
    return targets_variable(step, name) or any(name in (text or "") for text in texts)


def _paths(file: PlanFile) -> Iterator[str]:
    """Those that variables can be in."""
    return (
        path for source in file.sources if source.file_type is not FileType.LOCAL for path in source.files
    )


def targets_variable(step: PlanStep, name: str) -> bool:
    """True if a step runs on, or reads files from, the hosts of a variable."""
    sources = step.file.sources if step.file else ()
    return any(found.variable == name for found in (step.target, *(source.server for source in sources)))


def account(id_: int, accounts: Accounts) -> dict[str, Any]:
    """An account; without its names if there is none any more."""
    found = accounts.get(id_)
    return {
        "id": id_,
        "name": found.account if found else None,
        "alias": found.alias if found else None,
    }


def server(value: Server, hosts: Hosts) -> dict[str, Any]:
    """Hosts as a definition lists them."""
    return {
        "variable": value.variable,
        "host_id_list": list(value.host_ids),
        "ip_list": host_list(value, hosts),
        **groups(value),
    }


def groups(value: Server) -> dict[str, list[dict[str, Any]]]:
    """The dynamic groups and topology nodes that a definition lists."""
    return {
        "dynamic_group_list": [{"id": id_} for id_ in value.dynamic_groups],
        "topo_node_list": [{"id": node.id, "node_type": node.node_type} for node in value.topo_nodes],
    }


def host_list(value: Server, hosts: Hosts) -> list[dict[str, Any]]:
    """The single hosts that a definition lists, each with what is known of it."""
    found = hosts.find(value.host_ids)
    by_id = [_host(id_, found.get(id_)) for id_ in value.host_ids]
    return by_id + [
        {"bk_host_id": None, "bk_cloud_id": item.bk_cloud_id, "ip": item.ip} for item in value.ips
    ]


def _host(id_: int, host: Host | None) -> dict[str, Any]:
    return {
        "bk_host_id": id_,
        "bk_cloud_id": host.bk_cloud_id if host else None,
        "ip": host.ip if host else None,
    }


def encoded(text: str | None) -> str | None:
    """Base64 of a text, None of none."""
    return base64.b64encode(text.encode()).decode() if text else None
