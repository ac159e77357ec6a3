"""Requests about crons, v3's and v2's (contract d, i)."""

from __future__ import annotations

from datetime import date

from adapter.api import checks
from adapter.api.call import Call
from adapter.api.json_text import shown
from adapter.api.launch_v3 import plan_variable
from adapter.api.reports import CronReport, CronReports
from adapter.api.times import midnight
from adapter.errors import CronUnknown, InvalidParameter
from adapter.job.actions import Action
from adapter.job.cron import Cron, CronFilter
from adapter.messages import say
from adapter.service import access
from adapter.service.crons import CronFields
from adapter.service.pages import Page

_STARTED, _STOPPED, _STOPPED_V2 = 1, 0, 2
_DEFAULT_LENGTH_V2 = 10


def save(call: Call) -> CronReport:
    """save_cron: a new one, or with an id a change of that."""
    execute_time = call["execute_time"]
    if execute_time is not None:
        checks.require_id("execute_time", execute_time)
    given = call["global_var_list"]
    fields = CronFields(
        plan_id=_plan_id("job_plan_id", call["job_plan_id"]),
        name=call["name"],
        expression=call["expression"],
        execute_time=execute_time,
        time_zone=call["execute_time_zone"],
        variables=None if given is None else tuple(map(plan_variable, given)),
    )
    return _reported(call, _saved(call, call["id"], fields))


def save_v2(call: Call) -> CronReport:
    """v2's save_cron, which knows expressions only."""
    fields = CronFields(
        plan_id=_plan_id("bk_job_id", call["bk_job_id"]),
        name=call["cron_name"],
        expression=call["cron_expression"],
    )
    return _reported(call, _saved(call, call["cron_id"], fields))


def update_status(call: Call) -> int:
    """update_cron_status."""
    return _set_status(call, "id", "status")


def update_status_v2(call: Call) -> int:
    """v2's update_cron_status."""
    return _set_status(call, "cron_id", "cron_status")


def detail(call: Call) -> CronReport:
    """get_cron_detail."""
    return _reported(call, call.services.crons.get(call.scope, checks.require_id("id", call["id"])))


def delete(call: Call) -> None:
    """delete_cron."""
    call.services.crons.delete(call.scope, checks.require_id("id", call["id"]))


def page(call: Call) -> CronReports:
    """get_cron_list. An id is all that counts; of the states 0 and 1 do."""
    if (call["id"] or 0) > 0:
        return CronReports(page=_only(call, call["id"]))
    wanted = CronFilter(
        name=call["name"],
        is_started={_STARTED: True, _STOPPED: False}.get(call["status"]),
        creator=call["creator"],
        last_modify_user=call["last_modify_user"],
        create_time=(_ms(call["create_time_start"]), _ms(call["create_time_end"])),
        last_modify_time=(_ms(call["last_modify_time_start"]), _ms(call["last_modify_time_end"])),
    )
    return CronReports(page=call.services.crons.list(call.scope, wanted, call["start"], call["length"]))


def page_v2(call: Call) -> CronReports:
    """v2's get_cron_list: of the states 1 and 2, and 0 for 2, count."""
    if (call["cron_id"] or 0) > 0:
        return CronReports(page=_only(call, call["cron_id"]))
    states = {_STARTED: True, _STOPPED: False, _STOPPED_V2: False}
    wanted = CronFilter(
        name=call["cron_name"],
        is_started=states.get(call["cron_status"]),
        creator=call["creator"],
        last_modify_user=call["last_modify_user"],
        create_time=(_midnight(call["create_time_start"]), _midnight(call["create_time_end"])),
        last_modify_time=(
            _midnight(call["last_modify_time_start"]),
            _midnight(call["last_modify_time_end"]),
        ),
    )
    length = call["length"] if call["length"] is not None and call["length"] > 0 else _DEFAULT_LENGTH_V2
    return CronReports(page=call.services.crons.list(call.scope, wanted, call["start"], length))


def _saved(call: Call, cron_id: int | None, fields: CronFields) -> Cron:
    if cron_id is None or cron_id <= 0:
        return call.services.crons.create(call.caller, call.scope, fields)
    return call.services.crons.update(call.caller, call.scope, cron_id, fields)


def _plan_id(name: str, value: int | None) -> int | None:
    return None if value is None else checks.require_id(name, value)


def _set_status(call: Call, id_name: str, status_name: str) -> int:
    cron_id = checks.require_id(id_name, call[id_name])
    status = call[status_name]
    if status is None or status < 0:
        raise InvalidParameter(status_name, say("must be at least 0, not {value}", value=shown(status)))
    if status != _STARTED:
        call.services.crons.stop(call.caller, call.scope, cron_id)
        return cron_id
    # JOB looks now, too, whether its launches will be allowed.
    access.require(call.caller, Action.LAUNCH, call.scopes, "execute_job_plan")
    call.services.crons.start(call.caller, call.scope, cron_id)
    return cron_id


def _only(call: Call, cron_id: int) -> Page[Cron]:
    """The one of that id, if there is one and the page begins with it."""
    start, length = max(call["start"] or 0, 0), max(call["length"] or 1, 1)
    try:
        found: tuple[Cron, ...] = (call.services.crons.get(call.scope, cron_id),)
    except CronUnknown:
        found = ()
    return Page(start=start, length=length, total=len(found), items=found if start == 0 else ())


def _reported(call: Call, cron: Cron) -> CronReport:
    return CronReport(cron=cron, hosts=call.services.hosts)


def _ms(seconds: int | None) -> int | None:
    """What no clock shows is as far away as a column can hold."""
    return None if seconds is None else max(min(seconds, 2**53), -(2**53)) * 1000


def _midnight(day: date | None) -> int | None:
    """When a day begins here, as v2's times are this machine's."""
    return None if day is None else midnight(day)
