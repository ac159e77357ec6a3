"""What becomes of a cron's times when nobody could launch it for a while."""

from __future__ import annotations

import pytest

from adapter.job.cron import MAX_COUNTED, Cron, CronVariable, Firing, Missed, MissedPolicy, firing_of
from adapter.job.model import Scope
from adapter.job.plan import GlobalVariable
from adapter.job.status import VariableType

MINUTE = 60_000
START = 1_000 * MINUTE


def every_minute(after_ms: int) -> int:
    """The next full minute."""
    return (after_ms // MINUTE + 1) * MINUTE


def never(_after_ms: int) -> None:
    """Of a cron that runs once."""


def cron(due: int = START) -> Cron:
    return Cron(
        id=7,
        scope=Scope("biz", "2"),
        name="c",
        plan_id=1,
        plan_name="p",
        expression="* * * * *",
        execute_time=None,
        time_zone="UTC",
        app_code="a",
        next_fire_time=due,
        revision=3,
    )


def firing(now: int, policy: MissedPolicy = MissedPolicy.SKIP) -> Firing:
    return firing_of(cron(), now, late_after_ms=30_000, policy=policy, fire_after=every_minute)


@pytest.mark.parametrize("late", [0, 1, 30_000])
def test_in_time(late: int) -> None:
    """Also a little late."""
    found = firing(START + late)
    assert (found.cron_id, found.revision, found.due) == (7, 3, START)
    assert (found.fire_time, found.missed, found.next_fire_time) == (START, None, START + MINUTE)


def test_a_time_that_was_missed_is_skipped() -> None:
    """It is told."""
    found = firing(START + 30_001)
    assert found.fire_time is None
    assert found.missed == Missed(first=START, last=START, count=1)
    assert found.next_fire_time == START + MINUTE


def test_or_run_once() -> None:
    """The last of those that were missed is launched and stands for all; the others are told."""
    found = firing(START + 5 * MINUTE + 40_000, MissedPolicy.RUN_ONCE)
    assert found.fire_time == START + 5 * MINUTE
    assert found.missed == Missed(first=START, last=START + 4 * MINUTE, count=5)
    assert found.next_fire_time == START + 6 * MINUTE
    assert firing(START + 30_001, MissedPolicy.RUN_ONCE).missed is None


@pytest.mark.parametrize("policy", MissedPolicy)
def test_the_last_time_may_be_in_time_and_the_others_missed(policy: MissedPolicy) -> None:
    """A service that comes back a second after a time launches that."""
    found = firing(START + 2 * MINUTE + 1_000, policy)
    assert found.fire_time == START + 2 * MINUTE
    assert found.missed == Missed(first=START, last=START + MINUTE, count=2)


@pytest.mark.parametrize("policy", MissedPolicy)
def test_very_many_times_are_not_gone_through(policy: MissedPolicy) -> None:
    """Of two years of minutes the last ones are known, and the count ends somewhere."""
    asked = []

    def counted(after_ms: int) -> int:
        asked.append(after_ms)
        return every_minute(after_ms)

    now = START + 2 * 365 * 24 * 60 * MINUTE + 40_000
    found = firing_of(cron(), now, late_after_ms=30_000, policy=policy, fire_after=counted)
    assert found.missed is not None
    last = now // MINUTE * MINUTE
    assert found.missed.count == MAX_COUNTED
    assert found.fire_time == (last if policy is MissedPolicy.RUN_ONCE else None)
    assert found.missed.last == (last - MINUTE if policy is MissedPolicy.RUN_ONCE else last)
    assert found.next_fire_time == last + MINUTE
    assert len(asked) < 3_000


def test_one_that_runs_once_has_no_other_time() -> None:
    """Whether it is launched or missed."""
    for now in (START, START + MINUTE):
        found = firing_of(cron(), now, late_after_ms=30_000, policy=MissedPolicy.SKIP, fire_after=never)
        assert found.next_fire_time is None
        assert found.fire_time == (START if now == START else None)


def test_values_go_to_variables_of_the_same_name_and_type() -> None:
    """A plan that was changed since gets what still fits."""
    values = [("kept", VariableType.STRING), ("gone", VariableType.STRING), ("other", VariableType.STRING)]
    given = tuple(
        CronVariable(id=n, name=name, type=kind, value="v") for n, (name, kind) in enumerate(values)
    )
    known = (
        GlobalVariable(id=9, name="kept", type=VariableType.STRING),
        GlobalVariable(id=8, name="other", type=VariableType.HOSTS),
    )
    one = Cron(**{**cron().__dict__, "variables": given})
    assert [(value.name, value.value) for value in one.values_for(known)] == [("kept", "v")]
