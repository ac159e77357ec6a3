"""Job instances as rows and back. A sensitive parameter is never in `definition`, only in `param_secret`."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import sqlalchemy as sa

from adapter.job.model import (
    Approval,
    FileTask,
    Host,
    HostResult,
    JobInstance,
    JobVariable,
    Scope,
    ScriptTask,
    StepInstance,
)
from adapter.job.plan import MASK
from adapter.job.rolling import Rolling
from adapter.job.status import FileType, HostStatus, LaunchMode, RunStatus, StepType, TaskType, VariableType
from adapter.job.variables import CapturedValue
from adapter.store import codec, tables
from adapter.store.secrets import SecretBox

_host = tables.host_result.c


def job_values(job: JobInstance) -> dict[str, Any]:
    """The columns of `job_instance`, without the id."""
    other = job.other_scope
    return {
        "scope_type": job.scope.type,
        "scope_id": job.scope.id,
        "other_scope_type": other.type if other else None,
        "other_scope_id": other.id if other else None,
        "name": job.name,
        "type": job.type,
        "status": job.status,
        "plan_id": job.plan_id,
        "template_id": job.template_id,
        "launch_mode": job.launch_mode,
        "operator": job.operator,
        "app_code": job.app_code,
        "callback_url": job.callback_url,
        "started": job.started,
        "cron_id": job.cron_id,
        "create_time": job.create_time,
        "start_time": job.start_time,
        "end_time": job.end_time,
    }


def step_values(step: StepInstance, box: SecretBox) -> dict[str, Any]:
    """The columns of `step_instance`, without the id."""
    task: ScriptTask | FileTask | Approval | None = step.script or step.file or step.approval
    if task is None:
        raise ValueError(f"step {step.name!r} has neither a script nor files, and nobody to wait for")
    secret = None
    if step.script and step.script.param_sensitive:
        secret = box.encrypt(step.script.param)
        task = replace(step.script, param=MASK)
    if step.file:
        # The contents of given files are store.given_files'.
        task = replace(step.file, sources=tuple(replace(one, content=None) for one in step.file.sources))
    return {
        "job_instance_id": step.job_instance_id,
        "step_id": step.step_id,
        "order": step.order,
        "name": step.name,
        "type": step.type,
        "status": step.status,
        "execute_count": step.execute_count,
        "definition": codec.dumps(task),
        "param_secret": secret,
        "ignore_error": step.ignore_error,
        "rolling": None if step.rolling is None else codec.dumps(step.rolling),
        "batch": step.batch,
        "create_time": step.create_time,
        "start_time": step.start_time,
        "end_time": step.end_time,
    }


def host_values(
    step_instance_id: int, execute_count: int, order: int, host: Host, batch: int = 0
) -> dict[str, Any]:
    """The columns of `host_result` for a host that waits."""
    return {
        "step_instance_id": step_instance_id,
        "execute_count": execute_count,
        "bk_host_id": host.bk_host_id,
        "order": order,
        "bk_cloud_id": host.bk_cloud_id,
        "ip": host.ip,
        "name": host.name,
        "status": int(HostStatus.WAITING),
        "error_code": 0,
        "tag": "",
        "log_bytes": 0,
        "log_kept": 0,
        "batch": batch,
        "executed_in": execute_count,
        "is_invalid": host.is_invalid,
    }


def variable_values(
    job_instance_id: int, variables: Iterable[JobVariable], box: SecretBox
) -> list[dict[str, Any]]:
    """The rows of `job_variable`; a cipher's value is encrypted."""
    return [
        {
            "job_instance_id": job_instance_id,
            "order": order,
            "name": variable.name,
            "type": int(variable.type),
            "value": MASK if variable.type == VariableType.CIPHER else variable.value,
            "value_secret": box.encrypt(variable.value) if variable.type == VariableType.CIPHER else None,
            "changeable": variable.changeable,
        }
        for order, variable in enumerate(variables)
    ]


def captured_values(step_instance_id: int, execute_count: int, item: CapturedValue) -> dict[str, Any]:
    """The columns of `captured_value`."""
    return {
        "step_instance_id": step_instance_id,
        "execute_count": execute_count,
        "bk_host_id": item.bk_host_id or 0,
        "name": item.name,
        "host_order": item.host_order,
        "value": item.value,
    }


def to_captured(row: sa.Row[Any]) -> CapturedValue:
    """A row of `captured_value`, with its host's if it is of one."""
    label = ""
    if row.ip is not None:
        host = Host(bk_host_id=row.bk_host_id, bk_cloud_id=row.bk_cloud_id, ip=row.ip, name=row.host_name)
        label = host.label
    return CapturedValue(
        bk_host_id=row.bk_host_id or None,
        name=row.name,
        value=row.value,
        host_order=row.host_order,
        label=label,
    )


def to_variable(row: sa.Row[Any]) -> JobVariable:
    """A row of `job_variable`; a cipher's value reads MASK."""
    return JobVariable(name=row.name, type=row.type, value=row.value, changeable=row.changeable)


def to_job(row: sa.Row[Any], steps: tuple[StepInstance, ...] = ()) -> JobInstance:
    """A row of `job_instance`."""
    other = None if row.other_scope_type is None else Scope(row.other_scope_type, row.other_scope_id)
    return JobInstance(
        id=row.id,
        scope=Scope(row.scope_type, row.scope_id),
        other_scope=other,
        name=row.name,
        type=TaskType(row.type),
        status=RunStatus(row.status),
        plan_id=row.plan_id,
        template_id=row.template_id,
        launch_mode=LaunchMode(row.launch_mode),
        operator=row.operator,
        app_code=row.app_code,
        callback_url=row.callback_url,
        started=row.started,
        cron_id=row.cron_id,
        create_time=row.create_time,
        start_time=row.start_time,
        end_time=row.end_time,
        steps=steps,
    )


def to_step(row: sa.Row[Any]) -> StepInstance:
    """A row of `step_instance`; its sensitive parameter reads MASK."""
    kind = StepType(row.type)
    is_script = kind in (StepType.SCRIPT, StepType.SQL)
    return StepInstance(
        id=row.id,
        job_instance_id=row.job_instance_id,
        step_id=row.step_id,
        order=row.order,
        name=row.name,
        type=kind,
        status=RunStatus(row.status),
        execute_count=row.execute_count,
        script=codec.loads(ScriptTask, row.definition) if is_script else None,
        file=_file_task(row.definition) if kind is StepType.FILE else None,
        approval=codec.loads(Approval, row.definition) if kind is StepType.APPROVAL else None,
        ignore_error=row.ignore_error,
        rolling=None if row.rolling is None else codec.loads(Rolling, row.rolling),
        batch=row.batch,
        create_time=row.create_time,
        start_time=row.start_time,
        end_time=row.end_time,
    )


def _file_task(text: str) -> FileTask:
    """A row that is older than file types has only a mark at what came with the request."""
    stored = json.loads(text)
    for source in stored["sources"]:
        if source.get("is_given"):
            source["file_type"] = int(FileType.BASE64_FILE)
    task: FileTask = codec.build(FileTask, stored)
    return task


#: What to_host_result() reads, in its order: of the 50,000 rows of a large step each look-up by name counts.
HOST_COLUMNS: tuple[sa.Column[Any], ...] = (
    _host.bk_host_id, _host.bk_cloud_id, _host.ip, _host.name, _host.status, _host.exit_code, _host.error_code,
    _host.tag, _host.start_time, _host.end_time, _host.log_bytes, _host.log_kept, _host.batch, _host.executed_in,
    _host.is_invalid,
)  # fmt: skip
_HOST_STATUS = {int(status): status for status in HostStatus}


def to_host_result(row: sa.Row[Any]) -> HostResult:
    """A row that begins with HOST_COLUMNS."""
    (
        bk_host_id, bk_cloud_id, ip, name, status, exit_code, error_code,
        tag, start_time, end_time, log_bytes, log_kept, batch, executed_in,
        is_invalid,
    ) = row[: len(HOST_COLUMNS)]  # fmt: skip
    return HostResult(
        host=Host(bk_host_id=bk_host_id, bk_cloud_id=bk_cloud_id, ip=ip, name=name, is_invalid=is_invalid),
        status=_HOST_STATUS[status],
        exit_code=exit_code,
        error_code=error_code,
        tag=tag,
        start_time=start_time,
        end_time=end_time,
        log_bytes=log_bytes,
        log_kept=log_kept,
        batch=batch,
        executed_in=executed_in,
    )
