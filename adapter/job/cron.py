"""A cron: a job plan that is launched by the clock, and what becomes of each of its times."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

from adapter.job.commands import VariableValue
from adapter.job.model import Scope, Server
from adapter.job.plan import GlobalVariable
from adapter.job.status import VariableType

#: Times that were missed at once are counted up to here.
MAX_COUNTED = 1_000
_DAY = 24 * 3600 * 1000


class MissedPolicy(StrEnum):
    """What becomes of times at which the service could not launch (setting `cron_missed`)."""

    SKIP = "skip"  #: they are told, and nothing runs
    RUN_ONCE = "run_once"  #: they are told, and one launch stands for all of them


@dataclass(frozen=True, kw_only=True)
class CronVariable:
    """A value that a cron gives to a variable of its plan. `type` is the variable's when the cron was saved."""

    id: int
    name: str
    type: VariableType
    value: str = field(default="", repr=False)  #: it may be a secret
    server: Server | None = None


@dataclass(frozen=True, kw_only=True)
class Cron:
    """What is launched and when: by an `expression` of five fields in `time_zone`, or once at `execute_time`."""

    id: int
    scope: Scope
    name: str
    plan_id: int
    plan_name: str
    expression: str | None
    execute_time: int | None
    time_zone: str
    variables: tuple[CronVariable, ...] = ()
    app_code: str  #: of the last modifier, as whom it is launched: so is `last_modify_user`
    next_fire_time: int | None = None  #: None while it is not started
    revision: int = 1  #: grows with each change
    creator: str = ""
    create_time: int | None = None
    last_modify_user: str = ""
    last_modify_time: int | None = None

    @property
    def is_started(self) -> bool:
        """True if it is to be launched."""
        return self.next_fire_time is not None

    def values_for(self, variables: tuple[GlobalVariable, ...]) -> tuple[VariableValue, ...]:
        """Its values for a plan's variables, by name; a variable that is gone or of another type has none."""
        types = {variable.name: variable.type for variable in variables}
        return tuple(
            VariableValue(name=item.name, value=item.value, server=item.server)
            for item in self.variables
            if types.get(item.name) == item.type
        )


@dataclass(frozen=True, kw_only=True)
class CronFilter:
    """get_cron_list: None means "any". Times are (from, to) in milliseconds, inclusive."""

    name: str | None = None  #: a part of it
    is_started: bool | None = None
    creator: str | None = None
    last_modify_user: str | None = None
    create_time: tuple[int | None, int | None] = (None, None)
    last_modify_time: tuple[int | None, int | None] = (None, None)


@dataclass(frozen=True, kw_only=True)
class Missed:
    """Times that passed without a launch, from the first to the last; `count` is MAX_COUNTED if there are more."""

    first: int
    last: int
    count: int


@dataclass(frozen=True, kw_only=True)
class Firing:
    """What is to become of a cron's time `due`, its next_fire_time: said once, in one transaction (decision 40).

    `fire_time` is the time that is launched, None if none is.
    """

    cron_id: int
    revision: int
    due: int
    fire_time: int | None
    missed: Missed | None
    next_fire_time: int | None  #: None: it has no other time, and is stopped


class CronRunState(StrEnum):
    """What became of a time of a cron."""

    LAUNCHED = "launched"
    REFUSED = "refused"  #: the launch was an error that will not pass by itself
    MISSED = "missed"


@dataclass(frozen=True, kw_only=True)
class CronRun:
    """A time of a cron, or several that were missed together, and what became of it."""

    fire_time: int
    last_fire_time: int  #: of times that were missed together; else the same
    count: int
    state: CronRunState
    job_instance_id: int | None = None
    code: int | None = None  #: JOB's, of a refusal
    message: str = ""
    time: int  #: when it was told, by the database's clock


def firing_of(
    cron: Cron,
    now_ms: int,
    *,
    late_after_ms: int,
    policy: MissedPolicy,
    fire_after: Callable[[int], int | None],
) -> Firing:
    """What is to become of a started cron whose time has come.

    The latest of its times that have passed is launched, unless it was more than `late_after_ms` ago and missed
    times are skipped; every other one was missed. `fire_after(ms)` is the first time after `ms`.
    """
    assert cron.next_fire_time is not None
    first = cron.next_fire_time
    passed = _passed(first, now_ms, fire_after)
    count = len(passed)
    if count == MAX_COUNTED:
        passed = _latest(first, now_ms, fire_after)
    is_launched = now_ms - passed[-1] <= late_after_ms or policy is MissedPolicy.RUN_ONCE
    lost = passed[:-1] if is_launched else passed
    counted = count if count == MAX_COUNTED else len(lost)
    return Firing(
        cron_id=cron.id,
        revision=cron.revision,
        due=first,
        fire_time=passed[-1] if is_launched else None,
        missed=Missed(first=first, last=lost[-1], count=counted) if lost else None,
        next_fire_time=fire_after(now_ms),
    )


def _passed(first: int, now_ms: int, fire_after: Callable[[int], int | None]) -> list[int]:
    """The times from the first on that have come, at most MAX_COUNTED."""
    found = [first]
    while len(found) < MAX_COUNTED:
        following = fire_after(found[-1])
        if following is None or following > now_ms:
            break
        found.append(following)
    return found


def _latest(first: int, now_ms: int, fire_after: Callable[[int], int | None]) -> list[int]:
    """The last times that have come, at least two, of so many that nobody wants to go through all of them."""
    span = _DAY
    while True:
        found = []
        following = fire_after(max(first, now_ms - span))
        while following is not None and following <= now_ms:
            found.append(following)
            following = fire_after(following)
        if len(found) > 1:
            return found
        span *= 32
