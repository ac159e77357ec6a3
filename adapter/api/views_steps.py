"""What v3 and v2 answer about one step instance and about a job's variables (contract c, i)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from adapter.api import views_catalog, views_v2, views_v3
from adapter.api.reports import StepDetail, StepStatus, VariablesReport
from adapter.job.groups import ResultGroup
from adapter.job.model import FileTask, Host, HostResult, JobVariable, ScriptTask
from adapter.job.status import FileType, HostStatus, StepType, VariableType
from adapter.messages import HOST_STATUS, Language

#: Files that no account reads from any host. (push_config_file's have the account of the step, as JOB's do.)
_UNREAD = (FileType.LOCAL, FileType.FILE_SOURCE)
#: What a step was, not what it executes: SQL is a script here.
_DETAIL_TYPES = {StepType.SQL: StepType.SCRIPT}


def detail(report: StepDetail) -> dict[str, Any]:
    """v3 get_step_instance_detail: what is executed, on what it was resolved to at the launch."""
    step = report.step
    return {
        "id": step.id,
        "name": step.name,
        "type": int(_DETAIL_TYPES.get(step.type, step.type)),
        "script_info": _script(report, step.script) if step.script else None,
        "file_info": _file(report, step.file) if step.file else None,
        "approval_info": {"approval_message": step.approval.message} if step.approval else None,
    }


def status(report: StepStatus) -> dict[str, Any]:
    """v3 get_step_instance_status."""
    return {
        **views_v3.step_instance(report.step),
        "step_result_group_list": [_group(group, report.language) for group in report.groups],
    }


def status_v2(report: StepStatus) -> dict[str, Any]:
    """v2 get_step_instance_status. Of the counts JOB leaves null, these are the true ones."""
    job, step, hosts = report.job, report.step, report.hosts
    return {
        "is_finished": step.status.is_finished,
        "step_instance_detail": {
            "step_instance_id": step.id,
            "step_id": step.step_id,
            "job_instance_id": job.id,
            **views_v3.scope(job.scope),
            "name": step.name,
            "type": int(step.type),
            "operator": job.operator,
            "status": int(step.status),
            "execute_count": step.execute_count,
            "retry_count": step.execute_count,
            "start_time": views_v2.time_text(step.start_time),
            "end_time": views_v2.time_text(step.end_time),
            "total_time": views_v2.seconds(step.total_time),
            "target_ips": _addresses(item.host for item in hosts),
            "abnormal_agent_ips": _addresses(item.host for item in hosts if _is_abnormal(item)),
            "total_ip_num": len(hosts),
            "abnormal_agent_ip_num": sum(map(_is_abnormal, hosts)),
            "running_ip_num": sum(item.status == HostStatus.RUNNING for item in hosts),
            "fail_ip_num": sum(item.status.is_finished and not item.status.is_success for item in hosts),
            "success_ip_num": sum(item.status.is_success for item in hosts),
        },
        "step_instance_analyse_result": [
            {
                "count": group.size,
                "result_type": int(group.status),
                "result_type_text": status_text(group.status, report.language),
                "tag": group.tag,
                "ip_list": [views_v3.host(item.host) for item in group.hosts],
            }
            for group in report.groups
        ],
    }


def variables(report: VariablesReport) -> dict[str, Any]:
    """v3 get_job_instance_global_var_value: strings alone, as JOB does."""
    return {
        "job_instance_id": report.job.id,
        "step_instance_var_list": [
            {
                "step_instance_id": step.id,
                "global_var_list": _strings(report.variables.get(step.id, ())) or None,
            }
            for step in report.job.steps
        ],
    }


def _strings(variables: Iterable[JobVariable]) -> list[dict[str, Any]]:
    return [
        {"name": item.name, "value": item.value, "type": int(item.type)}
        for item in variables
        if item.type == VariableType.STRING
    ]


def variables_v2(report: VariablesReport) -> dict[str, Any]:
    """v2 get_job_instance_global_var_value."""
    return {
        "job_instance_id": report.job.id,
        "job_instance_var_values": [
            {
                "step_instance_id": item["step_instance_id"],
                "step_instance_var_values": [
                    {"name": value["name"], "value": value["value"], "category": value["type"]}
                    for value in item["global_var_list"] or ()
                ],
            }
            for item in variables(report)["step_instance_var_list"]
        ],
    }


def status_text(status: HostStatus, language: Language) -> str:
    """What a host's status is called."""
    return HOST_STATUS[status][language]


def _group(group: ResultGroup, language: Language) -> dict[str, Any]:
    return {
        "result_type": int(group.status),
        "result_type_desc": status_text(group.status, language),
        "tag": group.tag,
        "host_size": group.size,
        "host_result_list": [_result(item, language) for item in group.hosts],
    }


def _result(item: HostResult, language: Language) -> dict[str, Any]:
    return {
        **_named(item.host),
        "status": int(item.status),
        "status_desc": status_text(item.status, language),
        "tag": item.tag,
        "exit_code": item.exit_code,
        "start_time": item.start_time,
        "end_time": item.end_time,
        "total_time": item.total_time,
    }


def _named(host: Host) -> dict[str, Any]:
    """A host with everything that JOB knows of one; there is no agent here, and no name of a cloud area."""
    return {**views_v3.host(host), "ipv6": None, "bk_agent_id": None, "bk_cloud_name": None}


def _script(report: StepDetail, script: ScriptTask) -> dict[str, Any]:
    return {
        "script_type": views_catalog.script_type(script),
        "script_id": script.script_id,
        "script_version_id": script.script_version_id,
        "script_content": script.content,
        "script_language": int(script.language),
        "script_param": script.param,
        "script_timeout": script.timeout,
        "account": _account(report, script.account_id),
        "server": _server(report.targets, report.alive),
        "is_param_sensitive": int(script.param_sensitive),
        "is_ignore_error": int(report.step.ignore_error),
    }


def _file(report: StepDetail, file: FileTask) -> dict[str, Any]:
    return {
        "file_source_list": [
            {
                "file_type": int(source.file_type),
                "file_list": list(source.files),
                "account": None if source.file_type in _UNREAD else _account(report, source.account_id),
                "server": None if source.file_type in _UNREAD else _server(source.hosts, report.alive),
                "file_source_id": source.file_source_id,
                "file_source_code": source.file_source_code,
            }
            for source in file.sources
        ],
        "file_destination": {
            "path": file.target_path,
            "account": _account(report, file.account_id),
            "server": _server(report.targets, report.alive),
        },
        "timeout": file.timeout,
        "source_speed_limit": file.upload_speed_limit,
        "destination_speed_limit": file.download_speed_limit,
        "transfer_mode": int(file.transfer_mode),
        "is_ignore_error": int(report.step.ignore_error),
    }


def _account(report: StepDetail, id_: int) -> dict[str, Any]:
    found = report.accounts.get(id_)
    return {"id": id_, "name": found.account if found else None, "alias": found.alias if found else None}


def _server(hosts: Iterable[Host], alive: Mapping[int, int]) -> dict[str, Any]:
    """What the request's groups and nodes resolved to; that they were groups is not kept."""
    return {
        "variable": None,
        "ip_list": [{**_named(host), "alive": alive.get(host.bk_host_id)} for host in hosts],
        "dynamic_group_list": None,
        "topo_node_list": None,
    }


def _addresses(hosts: Iterable[Host]) -> str:
    return ",".join(f"{host.bk_cloud_id}:{host.ip}" for host in hosts)


def _is_abnormal(item: HostResult) -> bool:
    return item.status in (HostStatus.AGENT_ABNORMAL, HostStatus.AGENT_ABNORMAL_OLD, HostStatus.NO_AGENT)
