"""The thread that looks for crons goes on whatever a look meets, and ends when it is told to."""

from __future__ import annotations

import threading
import time

import sqlalchemy as sa

from adapter.engine.scheduler import Scheduler, launchers


def test_it_goes_on_whatever_happens() -> None:
    """A database that is away, a mistake of ours: the next look comes."""
    looks: list[float] = []
    enough = threading.Event()

    def look() -> float:
        looks.append(time.monotonic())
        if len(looks) == 1:
            raise sa.exc.OperationalError("select", {}, OSError("gone"))
        if len(looks) == 2:
            raise RuntimeError("a mistake")
        enough.set()
        return 60.0

    scheduler = Scheduler(look, launchers())
    scheduler.start()
    assert enough.wait(10)
    began = time.monotonic()
    scheduler.stop()
    assert time.monotonic() - began < 2
    assert len(looks) == 3


def test_what_is_being_launched_is_launched() -> None:
    """stop() waits for it."""
    done: list[int] = []
    looking = threading.Event()
    executor = launchers()

    def launch(number: int) -> None:
        time.sleep(0.2)
        done.append(number)

    def look() -> float:
        looking.set()
        list(executor.map(launch, range(6)))
        return 60.0

    scheduler = Scheduler(look, executor)
    scheduler.start()
    assert looking.wait(10)
    scheduler.stop()
    assert sorted(done) == list(range(6))


def test_one_that_was_never_started_is_stopped() -> None:
    """As when another process already works in the data directory."""
    Scheduler(lambda: 1.0, launchers()).stop()
