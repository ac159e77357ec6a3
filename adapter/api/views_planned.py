"""The reply to a launch that was sent with plan_only, the same in every dialect: what would run."""

from __future__ import annotations

from typing import Any

from adapter.api import views_v3
from adapter.job.commands import Launched, PlannedStep


def planned(result: Launched, steps: tuple[PlannedStep, ...]) -> dict[str, Any]:
    """The names of every launch's reply without ids, for there are none, and the steps."""
    return {
        "plan_only": True,
        "job_instance_id": None,
        "job_instance_name": result.job_instance_name,
        "step_instance_id": None,
        "step_list": [_step(step) for step in steps],
    }


def _step(planned: PlannedStep) -> dict[str, Any]:
    run, rolling = planned.run, planned.step.rolling
    turns = rolling.turns(planned.hosts) if rolling else [(host, 0) for host in planned.hosts]
    return {
        "step_id": planned.step.step_id,
        "name": planned.step.name,
        "type": int(planned.step.type),
        "host_list": [{**views_v3.host(host), "name": host.name, "batch": batch} for host, batch in turns],
        "inventory": None if run is None else run.inventory,
        "playbook": None if run is None else run.playbook,
    }
