"""What became of a cron's times, below /api/ext/v1: JOB tells no one."""

from __future__ import annotations

from typing import Any

from adapter.api import checks
from adapter.api.call import Call
from adapter.api.fields import BaseSchema, Number
from adapter.errors import MissingOrInvalid
from adapter.job.cron import Cron, CronRun
from adapter.service.pages import Page


class OfCron(BaseSchema):
    """Which cron, and which part of its times."""

    cron_id = Number()
    start = Number()
    length = Number()


def runs(call: Call) -> dict[str, Any]:
    """When a cron is launched next, and its times, the newest first."""
    cron_id = checks.require_id("cron_id", call["cron_id"], MissingOrInvalid)
    crons = call.services.crons
    return told(
        crons.get(call.scope, cron_id), crons.runs(call.scope, cron_id, call["start"], call["length"])
    )


def told(cron: Cron, page: Page[CronRun]) -> dict[str, Any]:
    """All times are milliseconds."""
    return {
        "cron_id": cron.id,
        "name": cron.name,
        "job_plan_id": cron.plan_id,
        "expression": cron.expression,
        "execute_time": cron.execute_time,
        "execute_time_zone": cron.time_zone,
        "started": cron.is_started,
        "next_fire_time": cron.next_fire_time,
        "app_code": cron.app_code,
        "operator": cron.last_modify_user,
        "start": page.start,
        "length": page.length,
        "total": page.total,
        "data": [_run(run) for run in page.items],
    }


def _run(run: CronRun) -> dict[str, Any]:
    return {
        "state": str(run.state),
        "fire_time": run.fire_time,
        "last_fire_time": run.last_fire_time,
        "times": run.count,
        "told_time": run.time,
        "job_instance_id": run.job_instance_id,
        "code": run.code,
        "message": run.message,
    }
