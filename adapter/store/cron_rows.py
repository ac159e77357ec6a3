"""Crons and what became of their times, as rows: ciphers are encrypted there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import sqlalchemy as sa

from adapter.job.cron import Cron, CronRun, CronRunState, CronVariable
from adapter.job.model import Scope
from adapter.job.status import VariableType
from adapter.store import codec
from adapter.store.secrets import SecretBox


def cron_values(cron: Cron, box: SecretBox) -> dict[str, Any]:
    """What is stored of a cron, but for its id and revision."""
    return {
        "scope_type": cron.scope.type,
        "scope_id": cron.scope.id,
        "name": cron.name,
        "plan_id": cron.plan_id,
        "expression": cron.expression,
        "execute_time": cron.execute_time,
        "time_zone": cron.time_zone,
        "variables": codec.dumps([_changed(item, box.encrypt) for item in cron.variables]),
        "app_code": cron.app_code,
        "next_fire_time": cron.next_fire_time,
        "creator": cron.creator,
        "create_time": cron.create_time,
        "last_modify_user": cron.last_modify_user,
        "last_modify_time": cron.last_modify_time,
    }


def to_cron(row: sa.Row[Any], box: SecretBox) -> Cron:
    """A stored cron, its ciphers in clear; the row has its plan's name too."""
    variables = codec.loads_many(CronVariable, row.variables)
    return Cron(
        id=row.id,
        scope=Scope(row.scope_type, row.scope_id),
        name=row.name,
        plan_id=row.plan_id,
        plan_name=row.plan_name,
        expression=row.expression,
        execute_time=row.execute_time,
        time_zone=row.time_zone,
        variables=tuple(_changed(item, box.decrypt) for item in variables),
        app_code=row.app_code,
        next_fire_time=row.next_fire_time,
        revision=row.revision,
        creator=row.creator,
        create_time=row.create_time,
        last_modify_user=row.last_modify_user,
        last_modify_time=row.last_modify_time,
    )


def run_values(run: CronRun) -> dict[str, Any]:
    """What is stored of what became of a time, but for its cron."""
    return {
        "fire_time": run.fire_time,
        "last_fire_time": run.last_fire_time,
        "times": run.count,
        "state": str(run.state),
        "job_instance_id": run.job_instance_id,
        "code": run.code,
        "message": run.message,
        "time": run.time,
    }


def to_run(row: sa.Row[Any]) -> CronRun:
    """What became of a time, as it is stored."""
    return CronRun(
        fire_time=row.fire_time,
        last_fire_time=row.last_fire_time,
        count=row.times,
        state=CronRunState(row.state),
        job_instance_id=row.job_instance_id,
        code=row.code,
        message=row.message,
        time=row.time,
    )


def _changed(variable: CronVariable, change: Callable[[str], str]) -> CronVariable:
    """A cipher's value encrypted, or in clear again."""
    if variable.type != VariableType.CIPHER:
        return variable
    return replace(variable, value=change(variable.value))
