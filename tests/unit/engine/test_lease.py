"""When a worker lets go, and when it takes another for dead: by its own steady clock, and no other."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest

from adapter.engine.lease import BEAT, FENCE, LEASE, Lease, Watch, steady
from adapter.store.workers import WorkerRow, WorkerState


class Clock:
    """Seconds that pass when told to."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    """Some time after the machine started."""
    return Clock()


OTHER = WorkerRow(
    id="other",
    executor="other",
    host_name="m",
    pid=1,
    max_running_jobs=16,
    state=WorkerState.WORKING,
    beat=7,
    taken_by=None,
    start_time=0,
    beat_time=0,
)


def test_a_lease_lasts_while_beats_are_written(clock: Clock) -> None:
    """Counted from the moment a beat began: nobody saw it earlier."""
    lease = Lease(is_shared=True, clock=clock)
    assert lease.is_over(), "not begun yet"
    lease.begin(lease.now())
    for _ in range(10):
        began = lease.now()
        clock.now += FENCE - 1  # as long as the write took
        assert not lease.is_over()
        lease.renew(began)
        assert not lease.is_over()
        clock.now += 0.5
        assert not lease.is_over()
        lease.renew(lease.now())
    clock.now += FENCE + 0.1
    assert lease.is_over()


def test_a_lease_that_ran_out_stays_over_until_a_new_worker_begins(clock: Clock) -> None:
    """A beat that is written late proves nothing: others may have acted between."""
    lease = Lease(is_shared=True, clock=clock)
    lease.begin(lease.now())
    clock.now += FENCE + 0.1
    assert lease.is_over()
    lease.renew(lease.now())
    assert lease.is_over()
    lease.begin(lease.now())
    assert not lease.is_over()


def test_where_nobody_else_can_take_over_a_lease_has_no_end(clock: Clock) -> None:
    """SQLite that is locked for a minute stops nothing; going down does."""
    lease = Lease(is_shared=False, clock=clock)
    lease.begin(lease.now())
    clock.now += 3600
    assert not lease.is_over()
    lease.end()
    assert lease.is_over()


def test_a_worker_lets_go_before_others_take_over() -> None:
    """With room for a look (BEAT), for plays to be killed, and for clocks that run a little apart."""
    assert FENCE + BEAT < LEASE - 1
    assert LEASE + 2 * BEAT < 30


def test_nothing_is_decided_by_the_clock_that_people_set(monkeypatch: pytest.MonkeyPatch) -> None:
    """Set back by an hour, or forward: a lease goes on, and nobody is taken for dead."""
    lease, watch = Lease(is_shared=True), Watch()
    real = time.time
    lease.begin(lease.now())
    watch.dead([OTHER], "me", lease.now())
    before = steady()
    for jump in (-3600.0, 3600.0):
        monkeypatch.setattr(time, "time", lambda jump=jump: real() + jump)
        monkeypatch.setattr(time, "time_ns", lambda jump=jump: int((real() + jump) * 1e9))
        assert abs(steady() - before) < 5
        assert not lease.is_over()
        assert watch.dead([OTHER], "me", lease.now()) == []


def watched(watch: Watch, clock: Clock, seconds: float, worker: WorkerRow = OTHER) -> list[WorkerRow]:
    """What is dead after looking at every beat for that long."""
    dead: list[WorkerRow] = []
    for _ in range(round(seconds / BEAT)):
        dead = watch.dead([worker], "me", clock.now)
        clock.now += BEAT
    return dead


def test_who_does_not_beat_for_a_lease_is_dead(clock: Clock) -> None:
    """Seen by one's own clock, from the first look on."""
    assert watched(Watch(), clock, LEASE) == []
    assert watched(Watch(), clock, LEASE + BEAT) == [OTHER]


def test_who_beats_is_alive_whatever_its_times_say(clock: Clock) -> None:
    """A counter that moves in either direction is a sign of life; beat_time is for people."""
    watch = Watch()
    for beat in (7, 8, 9, 3, 4):
        worker = replace(OTHER, beat=beat, beat_time=0)
        assert watched(watch, clock, LEASE - BEAT, worker) == []


def test_after_a_gap_everybody_has_a_whole_lease_again(clock: Clock) -> None:
    """The database was away, or this process was stopped: the others were perhaps kept from beating too."""
    watch = Watch()
    assert watched(watch, clock, LEASE - BEAT) == []
    clock.now += 60
    assert watched(watch, clock, LEASE) == []
    assert watched(watch, clock, 2 * BEAT) == [OTHER]


def test_who_has_left_needs_no_waiting_and_nobody_takes_himself_over(clock: Clock) -> None:
    """What it left of its callbacks is looked after at once."""
    left = replace(OTHER, state=WorkerState.LEFT)
    assert Watch().dead([left], "me", clock.now) == [left]
    watch = Watch()
    for _ in range(20):
        assert watch.dead([OTHER], OTHER.id, clock.now) == []
        clock.now += BEAT
