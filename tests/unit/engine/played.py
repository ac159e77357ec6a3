"""A worker whose hosts are played: the service's own workflow, step runs and store, and no Ansible.

The workflow runs in a thread of its own, which stands still wherever a run of the play would be: there it is told
what comes of the hosts. So whatever happens happens between two of its steps, in an order that can be repeated.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from adapter.ansible.inventory_text import inventory_text
from adapter.ansible.run_input import RunInput
from adapter.ansible.runner_events import HostEvent
from adapter.engine import execution, step_run, workflows
from adapter.engine.execution import Execution
from adapter.engine.file_cache import FileCache
from adapter.engine.playing import Playing
from adapter.engine.preparation import Preparation
from adapter.engine.private_data import PrivateData
from adapter.engine.step_run import StepRuns
from adapter.engine.surroundings import HandedOver, Order
from adapter.engine.workflows import Parts, _Run
from adapter.job.model import Host, StepInstance
from adapter.job.status import HostStatus
from adapter.store.claims import Claim, ClaimLost
from adapter.store.collected import CollectedRuns

from .conftest import Bench

#: Seconds that the service may take for its part of anything.
_PATIENCE = 30


class Crash(BaseException):
    """The process is gone: nothing is written, nothing let go of."""


class Stage:
    """Where one thread stands, and what it is told."""

    def __init__(self) -> None:
        self._told: queue.Queue[Callable[[Playing], None]] = queue.Queue()
        self._stands = threading.Event()
        self.playing: Playing | None = None
        self.end: BaseException | str | None = None  #: how the thread ended
        self.must_let_go = False

    def play(self, playing: Playing) -> None:
        """In the thread: stand still until told what comes."""
        self.playing = playing
        self._stands.set()
        what = self._told.get()
        self.playing = None
        what(playing)

    def ended(self, how: BaseException | str) -> None:
        """In the thread: the last thing it does."""
        self.end = how
        self._stands.set()

    def tell(self, what: Callable[[Playing], None]) -> None:
        """What happens to the hosts; returns once the thread stands again, or has ended."""
        self._stands.clear()
        self._told.put(what)
        self.wait()

    def wait(self) -> None:
        """Until the thread stands, or has ended."""
        assert self._stands.wait(_PATIENCE), "the workflow neither stands nor ends"


class PlayedPreparation(Preparation):
    """Every host is there, and nothing has to be made for it."""

    def present(self, hosts: Any) -> tuple[list[Host], list[Host]]:
        """All of them."""
        return list(hosts), []

    def run_input(self, step: StepInstance, targets: Any, *_: Any, **__: Any) -> RunInput:
        """An empty one."""
        return RunInput(
            inventory=inventory_text({}, {}),
            hosts=tuple(host.name for host in targets),
            playbooks={},
            forks=10_000,
        )


class PlayedWorker:
    """Runs claims of jobs, one thread each."""

    def __init__(self, bench: Bench, runtime: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self._bench = bench
        self._runtime = runtime
        self._stages: dict[str, Stage] = {}
        stages = self._stages

        class Played(Playing):
            def attempt(self, run_input: RunInput, environ: dict[str, str]) -> None:
                self.answers = 1
                stages[threading.current_thread().name].play(self)

            def end_earlier_attempts(self) -> None:
                pass

        def write(self: PrivateData, *_: object) -> None:
            self.spool.mkdir(parents=True, exist_ok=True)

        monkeypatch.setattr(execution, "Playing", Played)
        monkeypatch.setattr(Execution, "_rest", lambda *_: None)
        monkeypatch.setattr(step_run, "end_leftovers", lambda _: 0)
        monkeypatch.setattr(PrivateData, "write", write)
        monkeypatch.setattr(workflows, "_PATIENT", {"max_attempts": 1, "interval_seconds": 0})

    def start(self, claim: Claim) -> Stage:
        """Go on with a job; returns once it stands, or has ended."""
        stage = Stage()
        name = f"played-{claim.job_instance_id}-{claim.number}"
        self._stages[name] = stage
        threading.Thread(target=self._work, args=(claim, stage), name=name, daemon=True).start()
        stage.wait()
        return stage

    def _work(self, claim: Claim, stage: Stage) -> None:
        try:
            stage.ended(_Run(self._parts(stage), _Owner(stage), claim).to_its_end().name)
        except (HandedOver, ClaimLost, Crash) as end:
            stage.ended(end)
        except BaseException as end:  # noqa: BLE001 it is looked at by who waits
            stage.ended(end)

    def _parts(self, stage: Stage) -> Parts:
        bench = self._bench
        preparation = PlayedPreparation(
            jobs=bench.jobs,
            accounts=bench.accounts,
            hosts=bench.hosts,
            settings=bench.settings,
            installation="played",
        )
        steps = StepRuns(
            jobs=bench.jobs,
            logs=bench.logs,
            collected=CollectedRuns(bench.engine),
            preparation=preparation,
            clock=bench,
            artifacts=bench.directory / "artifacts",
            file_cache=FileCache(bench.directory / "cache", 2**30),
            placing=bench.placing(),
            providing=bench.providing(),
            runtime=self._runtime,
            handover=lambda: stage.must_let_go,
        )
        return Parts(jobs=bench.jobs, steps=steps, callbacks=bench.callbacks(), clock=bench)


class _Owner:
    def __init__(self, stage: Stage) -> None:
        self._stage = stage

    def has(self, claim: Claim) -> bool:
        return True

    def must_let_go(self) -> bool:
        return self._stage.must_let_go

    def let_go(self, claim: Claim, *, closed: bool) -> None:
        pass


def begins(name: str) -> Callable[[Playing], None]:
    """Ansible takes a host up."""
    return _event(HostEvent(name=name, status=HostStatus.RUNNING))


def ends(name: str, status: HostStatus) -> Callable[[Playing], None]:
    """A host has ended."""
    code = {HostStatus.SUCCESS: 0, HostStatus.NON_ZERO_EXIT: 3}.get(status)
    return _event(HostEvent(name=name, status=status, exit_code=code, is_answer=True))


def _event(event: HostEvent) -> Callable[[Playing], None]:
    def play(playing: Playing) -> None:
        playing.recorder.apply(event)
        playing.recorder.flush()

    return play


def stops(confirmed: bool) -> Callable[[Playing], None]:
    """The worker sees that the job is terminated, and the hosts are killed, or do not answer."""

    def play(playing: Playing) -> None:
        assert playing.order is Order.STOP
        playing.stopping_since = 0.0
        for item in playing.board.unfinished if confirmed else ():
            playing.recorder.apply(HostEvent(name=item.host.name, status=HostStatus.TERMINATED))

    return play


def looks(_: Playing) -> None:
    """Nothing has happened."""


def crashes(_: Playing) -> None:
    """The process dies."""
    raise Crash


def breaks(_: Playing) -> None:
    """The service fails over what it does."""
    raise RuntimeError("played")
