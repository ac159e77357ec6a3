"""What v3 answers about job plans (contract d)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from adapter.api.reports import PlanReport
from adapter.api.views_catalog import authorship, page_of, script_type
from adapter.api.views_v3 import scope
from adapter.job.model import Account, Host, Server
from adapter.job.plan import GlobalVariable, JobPlan, PlanApproval, PlanFile, PlanScript, PlanStep
from adapter.job.status import VariableType
from adapter.ports import Hosts
from adapter.service.catalog_plans import MASK
from adapter.service.pages import Page

Accounts = Mapping[int, Account]

_SERVER_FILE = 1
_ANY_ONE = 1


def row(plan: JobPlan) -> dict[str, Any]:
    """A plan in a list."""
    return {
        "id": plan.id,
        "job_template_id": plan.template_id,
        "name": plan.name,
        "need_update": False,
        **scope(plan.scope),
        **authorship(plan),
    }


def page(plans: Page[JobPlan]) -> dict[str, Any]:
    """get_job_plan_list."""
    return page_of(plans, row)


def detail(report: PlanReport) -> dict[str, Any]:
    """A plan with every step of its template and its variables."""
    plan, accounts, hosts = report.plan, report.accounts, report.hosts
    return {
        **row(plan),
        "step_list": [_step(step, plan, accounts, hosts) for step in plan.steps],
        "global_var_list": [_variable(item, plan, hosts) for item in plan.variables],
    }


def _step(step: PlanStep, plan: JobPlan, accounts: Accounts, hosts: Hosts) -> dict[str, Any]:
    return {
        "id": step.id,
        "name": step.name,
        "type": int(step.type),
        "enable": int(step.id in plan.enabled),
        "script_info": _script(step, step.script, accounts, hosts) if step.script else None,
        "file_info": _file(step, step.file, accounts, hosts) if step.file else None,
        "approval_info": _approval(step.approval) if step.approval else None,
    }


def _script(step: PlanStep, script: PlanScript, accounts: Accounts, hosts: Hosts) -> dict[str, Any]:
    return {
        "script_type": script_type(script),
        "script_id": script.script_id,
        "script_version_id": script.script_version_id,
        "script_content": script.content,
        "script_language": script.language,
        "script_param": MASK if script.param_sensitive else script.param,
        "script_timeout": script.timeout,
        "account": _account(script.account_id, accounts),
        "server": server(step.target, hosts),
        "is_param_sensitive": int(script.param_sensitive),
        "is_ignore_error": int(step.ignore_error),
    }


def _file(step: PlanStep, file: PlanFile, accounts: Accounts, hosts: Hosts) -> dict[str, Any]:
    sources = [
        {
            "file_type": _SERVER_FILE,
            "file_list": list(source.files),
            "account": _account(source.account_id, accounts),
            "server": server(source.server, hosts),
            "file_source_id": None,
            "file_source_code": None,
        }
        for source in file.sources
    ]
    return {
        "file_source_list": sources,
        "file_destination": {
            "path": file.target_path,
            "account": _account(file.account_id, accounts),
            "server": server(step.target, hosts),
        },
        "timeout": file.timeout,
        "source_speed_limit": file.upload_speed_limit,
        "destination_speed_limit": file.download_speed_limit,
        "transfer_mode": int(file.transfer_mode),
        "is_ignore_error": int(step.ignore_error),
    }


def _approval(approval: PlanApproval) -> dict[str, Any]:
    """Nobody is notified: there are no channels here."""
    return {
        "approval_type": _ANY_ONE,
        "approval_user": {"user_list": list(approval.users), "role_list": list(approval.roles)},
        "approval_message": approval.message,
        "notify_channel": [],
    }


def _variable(item: GlobalVariable, plan: JobPlan, hosts: Hosts) -> dict[str, Any]:
    is_hosts = item.type == VariableType.HOSTS
    return {
        "id": item.id,
        "name": item.name,
        "type": int(item.type),
        "value": None
        if is_hosts
        else MASK
        if item.type == VariableType.CIPHER and item.value
        else item.value,
        "server": server(item.server, hosts) if item.server else None,
        "description": item.description,
        "required": int(item.required),
        "used": int(any(_uses(step, item.name) for step in plan.steps)),
    }


def _uses(step: PlanStep, name: str) -> bool:
    texts: list[str | None] = []
    servers = [step.target]
    if step.script:
        texts = [step.script.content, step.script.param]
    if step.file:
        texts = [step.file.target_path, *(path for source in step.file.sources for path in source.files)]
        servers += [source.server for source in step.file.sources]
    return any(server.variable == name for server in servers) or any(name in (text or "") for text in texts)


def _account(id_: int, accounts: Accounts) -> dict[str, Any]:
    found = accounts.get(id_)
    return {
        "id": id_,
        "name": found.account if found else None,
        "alias": found.alias if found else None,
    }


def server(server: Server, hosts: Hosts) -> dict[str, Any]:
    """What a definition lists as target or source."""
    found = hosts.find(server.host_ids)
    by_id = [_host(id_, found.get(id_)) for id_ in server.host_ids]
    by_ip = [{"bk_host_id": None, "bk_cloud_id": item.bk_cloud_id, "ip": item.ip} for item in server.ips]
    return {
        "variable": server.variable,
        "host_id_list": list(server.host_ids),
        "ip_list": by_id + by_ip,
        "dynamic_group_list": [{"id": id_} for id_ in server.dynamic_groups],
        "topo_node_list": [{"id": node.id, "node_type": node.node_type} for node in server.topo_nodes],
    }


def _host(id_: int, host: Host | None) -> dict[str, Any]:
    return {
        "bk_host_id": id_,
        "bk_cloud_id": host.bk_cloud_id if host else None,
        "ip": host.ip if host else None,
    }
