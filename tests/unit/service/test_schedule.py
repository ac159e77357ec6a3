"""When a cron's times are: five fields, time zones, and the days on which clocks are changed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import pytest

from adapter.messages import Language
from adapter.service import schedule
from adapter.service.schedule import expression_problem, fire_after, is_time_zone, local_time_zone

BERLIN, SHANGHAI = "Europe/Berlin", "Asia/Shanghai"


def ms(text: str, zone: str = "UTC", fold: int = 0) -> int:
    """A moment by a zone's clock."""
    return int(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold).timestamp() * 1000)


def times(expression: str, zone: str, after: int, until: int) -> list[str]:
    """Every time between, by the clock of UTC."""
    found = []
    at = fire_after(expression, zone, after)
    while at is not None and at <= until:
        found.append(datetime.fromtimestamp(at / 1000, ZoneInfo("UTC")).strftime("%d %H:%M"))
        at = fire_after(expression, zone, at)
    return found


def test_the_time_is_after_and_never_at() -> None:
    """Also by a millisecond."""
    noon = ms("2026-01-01 12:00")
    assert fire_after("0 12 * * *", "UTC", noon - 1) == noon
    assert fire_after("0 12 * * *", "UTC", noon) == ms("2026-01-02 12:00")
    assert fire_after("0 12 * * *", "UTC", noon - 60_000 + 1) == noon


def test_a_zone_is_where_its_clocks_are() -> None:
    """Noon in Shanghai is four in the morning."""
    assert fire_after("0 12 * * *", SHANGHAI, ms("2026-01-01")) == ms("2026-01-01 04:00")


@pytest.mark.parametrize(
    ("expression", "following"),
    [
        ("0/5 * * * *", "2026-01-01 00:05"),
        ("30 4 5,15 * 5", "2026-01-02 04:30"),
        ("0 0 29 2 */8", "2032-02-29"),
        ("0 0 * jan MON", "2026-01-05"),
        ("0 0 * * 7", "2026-01-04"),
        ("0 0 L * *", "2026-01-31"),
        ("0 0 29 2 *", "2028-02-29"),
    ],
)
def test_expressions(expression: str, following: str) -> None:
    """Lists, steps, names, Sundays as 7; a day of the month or of the week if both are given; L is the last day."""
    start = ms("2026-01-01")
    assert expression_problem(expression, "UTC", start) is None
    assert fire_after(expression, "UTC", start) == ms(following)


@pytest.mark.parametrize(
    ("expression", "said"),
    [
        ("0 0 30 2 *", "names no time: day-of-month"),
        ("0 0 31 4,6,9,11 *", "names no time: day-of-month"),
        ("0 0 */30 2 MON#5", "names no time that will ever come"),
        ("0 0 ? * *", "has a ?"),
        ("0 0 * *", "five fields"),
        ("0 0 0 * * *", "five fields"),
        ("@daily", "five fields"),
        ("60 0 * * *", "minute is not right"),
        ("0 24 * * *", "hour is not right"),
        ("0 0 0 * *", "day-of-month is not right"),
        ("0 0 * 13 *", "month is not right"),
        ("0 0 * * 8", "day-of-week is not right"),
        ("5-1 0 * * *", "minute is not right"),
        ("*/0 0 * * *", "minute is not right"),
        ("٣ 0 * * *", "minute is not right"),
        ("-- 0 * * *", "minute is not right"),
    ],
)
def test_expressions_that_are_none(expression: str, said: str) -> None:
    """Each is told in both languages, with the expression in it; so is one that never comes."""
    problem = expression_problem(expression, "UTC", ms("2026-01-01"))
    assert problem is not None
    assert said in problem
    assert expression in problem
    assert expression in problem.in_(Language.ZH)


def test_an_hour_that_is_skipped() -> None:
    """On 29 March 2026 there is no 02:30 in Berlin: it runs at 03:00, once, and is itself again the next day."""
    night = ms("2026-03-28 12:00", BERLIN), ms("2026-03-30 12:00", BERLIN)
    assert times("30 2 * * *", BERLIN, *night) == ["29 01:00", "30 00:30"]
    assert times("0 2,3 * * *", BERLIN, *night) == ["29 01:00", "30 00:00", "30 01:00"]


def test_an_hour_that_is_there_twice() -> None:
    """On 25 October 2026 Berlin has 02:30 twice: it runs at the first of them only, whenever one asks."""
    night = ms("2026-10-24 12:00", BERLIN), ms("2026-10-26 12:00", BERLIN)
    assert times("30 2 * * *", BERLIN, *night) == ["25 00:30", "26 01:30"]
    second = ms("2026-10-25 02:10", BERLIN, fold=1)
    assert fire_after("30 2 * * *", BERLIN, second) == ms("2026-10-26 02:30", BERLIN)


def test_what_runs_all_the_time_follows_time_as_it_passes() -> None:
    """Every half hour is half an hour after the last, though clocks are changed."""
    spring = times("*/30 * * * *", BERLIN, ms("2026-03-29 00:15"), ms("2026-03-29 02:00"))
    assert spring == ["29 00:30", "29 01:00", "29 01:30", "29 02:00"]
    autumn = times("*/30 2 * * *", BERLIN, ms("2026-10-24 22:00"), ms("2026-10-25 04:00"))
    assert autumn == ["25 00:00", "25 00:30", "25 01:00", "25 01:30"]


@pytest.mark.parametrize("name", ["Asia/Shanghai", "UTC", "Etc/GMT-8", "America/Argentina/Ushuaia"])
def test_zones(name: str) -> None:
    """IANA's names are known."""
    assert is_time_zone(name)


@pytest.mark.parametrize("name", ["Mars/Olympus", "+08:00", "../../etc/passwd", "America", "", "asia\0"])
def test_names_that_are_no_zones(name: str) -> None:
    """Nothing else is: no offset, no directory, no path."""
    assert not is_time_zone(name)


def conflict() -> str:
    raise ZoneInfoNotFoundError("Multiple conflicting\n time zones")


@pytest.mark.parametrize(
    ("name", "zone"),
    [
        (lambda: "Asia/Tokyo", "Asia/Tokyo"),
        (lambda: None, "UTC"),
        (lambda: "CST6CDT,M3.2.0,M11.1.0", "UTC"),
        (conflict, "UTC"),
    ],
)
def test_the_machines_own(monkeypatch: pytest.MonkeyPatch, name: Callable[[], str | None], zone: str) -> None:
    """A machine that does not name its zone keeps nothing from starting."""
    monkeypatch.setattr(schedule, "get_localzone_name", name)
    assert local_time_zone() == zone
