"""What is answered about crons (contract d, i): times are seconds, and a stopped one is 0 or 2 by who is asked."""

from __future__ import annotations

from typing import Any

from adapter.api.reports import CronReport, CronReports
from adapter.api.views_plans import server
from adapter.api.views_v2 import time_text
from adapter.api.views_v3 import scope
from adapter.job.cron import Cron, CronVariable
from adapter.job.status import VariableType
from adapter.ports import Hosts

_STARTED, _STOPPED, _STOPPED_WHEN_SAVED = 1, 0, 2


def saved(report: CronReport) -> dict[str, Any]:
    """save_cron, where a stopped one is 2."""
    return {**detail(report), "status": _STARTED if report.cron.is_started else _STOPPED_WHEN_SAVED}


def detail(report: CronReport) -> dict[str, Any]:
    """get_cron_detail: with its variables."""
    variables = [_variable(item, report.hosts) for item in report.cron.variables]
    return {**_row(report.cron), "global_var_list": variables or None}


def page(reports: CronReports) -> dict[str, Any]:
    """get_cron_list: without them."""
    found = reports.page
    return {
        "start": found.start,
        "length": found.length,
        "total": found.total,
        "data": [{**_row(cron), "global_var_list": None} for cron in found.items],
    }


def status(cron_id: int) -> dict[str, Any]:
    """update_cron_status: the id, and nothing else is said."""
    names = (
        "bk_scope_type", "bk_scope_id", "bk_biz_id", "job_plan_id", "name", "status", "expression",
        "global_var_list", "creator", "create_time", "last_modify_user", "last_modify_time", "execute_time_zone",
    )  # fmt: skip
    return {"id": cron_id, **dict.fromkeys(names)}


def nothing(_: None) -> None:
    """delete_cron."""


def cron_v2(report: CronReport) -> dict[str, Any]:
    """v2's save_cron."""
    return _row_v2(report.cron)


def page_v2(reports: CronReports) -> list[dict[str, Any]]:
    """v2's get_cron_list: a plain array."""
    return [_row_v2(cron) for cron in reports.page.items]


def status_v2(cron_id: int) -> dict[str, Any]:
    """v2's update_cron_status."""
    return {"cron_id": cron_id}


def _row(cron: Cron) -> dict[str, Any]:
    return {
        "id": cron.id,
        **scope(cron.scope),
        "job_plan_id": cron.plan_id,
        "name": cron.name,
        "status": _STARTED if cron.is_started else _STOPPED,
        "expression": cron.expression,
        "creator": cron.creator,
        "create_time": _seconds(cron.create_time),
        "last_modify_user": cron.last_modify_user,
        "last_modify_time": _seconds(cron.last_modify_time),
        "execute_time_zone": cron.time_zone,
    }


def _row_v2(cron: Cron) -> dict[str, Any]:
    return {
        **scope(cron.scope),
        "bk_job_id": cron.plan_id,
        "job_name": cron.plan_name,
        "cron_id": cron.id,
        "cron_name": cron.name,
        "cron_status": _STARTED if cron.is_started else _STOPPED_WHEN_SAVED,
        "cron_expression": cron.expression,
        "creator": cron.creator,
        "create_time": time_text(cron.create_time),
        "last_modify_user": cron.last_modify_user,
        "last_modify_time": time_text(cron.last_modify_time),
    }


def _variable(item: CronVariable, hosts: Hosts) -> dict[str, Any]:
    is_hosts = item.type == VariableType.HOSTS
    return {
        "id": item.id,
        "name": item.name,
        "type": int(item.type),
        "value": None if is_hosts else item.value,
        "server": server(item.server, hosts) if item.server else None,
    }


def _seconds(milliseconds: int | None) -> int | None:
    return None if milliseconds is None else milliseconds // 1000
