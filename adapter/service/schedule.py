"""When a cron's times are (decision 39): expressions as Debian's cron reads them, in any time zone of IANA's."""

from __future__ import annotations

import zoneinfo
from datetime import datetime
from functools import cache

import structlog
from cronsim import CronSim, CronSimError
from tzlocal import get_localzone_name

from adapter.messages import Phrase, say

log = structlog.get_logger(__name__)

MAX_EXPRESSION = 255
#: The year 9999 ends here; what is beyond it are milliseconds.
MAX_SECONDS = 253_402_300_799
_FIELDS = 5


def expression_problem(expression: str, time_zone: str, now_ms: int) -> Phrase | None:
    """What is wrong with an expression, also that it names no time at all; None if nothing is."""
    if "?" in expression:
        return say("{value} has a ?, which is not supported; use *", value=expression)
    if len(expression.split()) != _FIELDS:
        return say(
            "{value} must have five fields: minute, hour, day of month, month, day of week", value=expression
        )
    try:
        CronSim(expression, datetime(2000, 1, 1))
    except CronSimError as error:
        # The library names the field, or says that no month has such a day.
        return say(
            "{value} names no time: {field} is not right",
            value=expression,
            field=str(error).removeprefix("Bad "),
        )
    if fire_after(expression, time_zone, now_ms) is None:
        return say("{value} names no time that will ever come", value=expression)
    return None


def fire_after(expression: str, time_zone: str, after_ms: int) -> int | None:
    """The first time after `after_ms`, in milliseconds; None if there is none in 50 years.

    Where clocks are put forward, times that do not exist are when the next one that does begins; where they are
    put back, they are at the first of both. Minutes and hours that begin with * follow time as it passes.
    """
    at = datetime.fromtimestamp(after_ms // 1000, zoneinfo.ZoneInfo(time_zone))
    for found in CronSim(expression, at):
        fire_time = int(found.timestamp()) * 1000
        if fire_time > after_ms:  # not so for the first of both while the second passes
            return fire_time
    return None


def is_time_zone(name: str) -> bool:
    """True for the names of IANA's zones that this machine knows."""
    return name in _known_zones()


def local_time_zone() -> str:
    """This machine's zone by its name; UTC if that has none here, and the log says so."""
    try:
        name = get_localzone_name() or ""
    except zoneinfo.ZoneInfoNotFoundError as error:  # two files of the system say different things
        name, reason = "", " ".join(str(error).split())
    else:
        reason = f"its time zone {name!r} is none of IANA's" if name else "it does not name its time zone"
    if is_time_zone(name):
        return name
    log.warning("crons_are_in_utc", reason=reason, hint="set ADAPTER_CRON_TIME_ZONE")
    return "UTC"


@cache
def _known_zones() -> frozenset[str]:
    return frozenset(zoneinfo.available_timezones())
