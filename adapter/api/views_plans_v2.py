"""What v2 answers about job plans (contract i): times are text, disabled steps are left out."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from adapter.api import views_plans
from adapter.api.reports import PlanReport
from adapter.api.views_v2 import time_text
from adapter.api.views_v3 import scope
from adapter.job.model import Server
from adapter.job.plan import GlobalVariable, JobPlan, ListedPlan, PlanFile, PlanScript, PlanStep
from adapter.job.status import VariableType
from adapter.ports import Hosts

_UNCLASSIFIED = "1"
_STRING, _HOSTS, _INDEX_ARRAY, _ASSOC_ARRAY = 1, 2, 3, 4
#: JOB 2.x numbers types of data; `category` is the number of the type in today's JOB.
_DATA_TYPES = {
    VariableType.HOSTS: _HOSTS,
    VariableType.INDEX_ARRAY: _INDEX_ARRAY,
    VariableType.ASSOC_ARRAY: _ASSOC_ARRAY,
}


def job_list(plans: Iterable[ListedPlan]) -> list[dict[str, Any]]:
    """get_job_list."""
    return [{**_basics(plan), "step_num": plan.step_num} for plan in plans]


def job_detail(report: PlanReport) -> dict[str, Any]:
    """get_job_detail."""
    plan = report.plan
    return {
        **_basics(plan),
        "template_id": plan.template_id,
        "tag_id": _UNCLASSIFIED,
        "step_num": len(plan.enabled_steps),
        "steps": [_step(step, order, report) for order, step in enumerate(plan.enabled_steps, 1)],
        "global_vars": [_variable(item, report) for item in plan.variables],
    }


def _basics(plan: ListedPlan | JobPlan) -> dict[str, Any]:
    return {**scope(plan.scope), "bk_job_id": plan.id, "name": plan.name, **_authorship(plan)}


def _authorship(plan: ListedPlan | JobPlan) -> dict[str, Any]:
    return {
        "creator": plan.creator,
        "create_time": time_text(plan.create_time),
        "last_modify_user": plan.last_modify_user,
        "last_modify_time": time_text(plan.last_modify_time),
    }


def _step(step: PlanStep, order: int, report: PlanReport) -> dict[str, Any]:
    return {
        "step_id": step.id,
        "name": step.name,
        "type": int(step.type),
        "block_order": order,
        "block_name": step.name,
        "order": order,
        "pause": 0,
        **_authorship(report.plan),
        **_nothing(),
        **(_script(step, step.script, report) if step.script else {}),
        **(_file(step.file, report) if step.file else {}),
        **_targets(step.target, report.hosts),
        "confirm_message": step.approval.message if step.approval else None,
    }


def _nothing() -> dict[str, Any]:
    """The fields of steps of other types."""
    script = ("script_id", "script_type", "script_content", "script_param", "script_timeout")
    others = ("is_param_sensitive", "account", "account_id", "file_target_path", "file_source")
    return {**dict.fromkeys((*script, *others)), "db_account_id": 0}


def _script(step: PlanStep, script: PlanScript, report: PlanReport) -> dict[str, Any]:
    library = report.scripts.get(step.id)
    return {
        "script_id": library.id if library else script.script_version_id,
        "script_type": library.language if library else script.language,
        "script_content": library.content if library else script.content,
        "script_param": script.param,
        "script_timeout": script.timeout,
        "is_param_sensitive": int(script.param_sensitive),
        **_account(script.account_id, report),
    }


def _file(file: PlanFile, report: PlanReport) -> dict[str, Any]:
    return {
        **_account(file.account_id, report),
        "file_target_path": file.target_path,
        "file_source": [
            {
                "files": list(source.files),
                "file_type": int(source.file_type),
                **(_account(source.account_id, report) if source.is_on_hosts else _NO_ACCOUNT),
                **_targets(source.server, report.hosts),
            }
            for source in file.sources
        ],
    }


_NO_ACCOUNT = {"account": None, "account_id": None}


def _account(id_: int, report: PlanReport) -> dict[str, Any]:
    found = report.accounts.get(id_)
    return {"account": found.alias if found else None, "account_id": id_}


def _variable(item: GlobalVariable, report: PlanReport) -> dict[str, Any]:
    is_hosts = item.type == VariableType.HOSTS
    steps = report.plan.enabled_steps
    return {
        "id": item.id,
        "type": _DATA_TYPES.get(item.type, _STRING),
        "category": int(item.type),
        "name": item.name,
        "value": None if is_hosts else item.value,
        "description": item.description,
        **_targets(item.server or Server(), report.hosts),
        "step_ids": [step.id for step in steps if views_plans.targets_variable(step, item.name)]
        if is_hosts
        else None,
    }


def _targets(value: Server, hosts: Hosts) -> dict[str, Any]:
    """`target_server` has what v2's first two names have no place for: a variable, and topology nodes."""
    ips, groups = views_plans.host_list(value, hosts), list(value.dynamic_groups)
    return {
        "ip_list": ips,
        "custom_query_id": groups,
        "target_server": {
            "variable": value.variable,
            "ip_list": ips,
            "dynamic_group_id_list": groups,
            "topo_node_list": views_plans.groups(value)["topo_node_list"],
        },
    }
