"""What v3 tells of the service itself (contract d)."""

from __future__ import annotations

from typing import Any

from adapter import __version__
from adapter.api.call import Call

_TRIGGERS = ("PAGE_EXECUTE", "API_INVOKE", "TIMER_TASK")
_RESOURCES = ("SCRIPT", "JOB", "FILE")
_STATUSES = ("READY", "SUCCESS", "FAIL")


def version(_call: Call) -> dict[str, Any]:
    """get_latest_service_version: this service's, which is none of JOB's."""
    return {"version": __version__}


def notify_config(_call: Call) -> list[dict[str, Any]]:
    """get_notify_config: nobody is notified of anything, by no channel."""
    return [
        {
            "trigger_type": trigger,
            "resource_type_list": list(_RESOURCES),
            "role_list": [],
            "extra_observer_list": [],
            "resource_status_channel_map": {status: {} for status in _STATUSES},
        }
        for trigger in _TRIGGERS
    ]
