"""A round: a mix of jobs, faults at random moments while they run, and then everything is looked at."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tests.chaos.faults import KILLS, OTHERS, Fault
from tests.chaos.stage import Stage, begin_anew
from tests.chaos.work import Task, Work
from tests.e2e.jobs import Jobs
from tests.e2e.restarts import no_ansible_left
from tests.lab import Lab, LabHost
from tests.support.audits import audited
from tests.support.service import Service

#: Seconds that all jobs of a round may take to end once the last fault was mended.
_PATIENCE = 420


@dataclass(frozen=True, kw_only=True)
class Measure:
    """How much of a round there is."""

    kills: int = 10
    others: int = 3
    long_seconds: float = 40
    pause: float = 3  #: seconds between two things at most
    file_bytes: int = 3_000_000
    cut: float = 20  #: seconds that a cable is cut for


@dataclass
class Round:
    """One round, on a stage of its own. `log` is told what happens; `begin` starts the service."""

    lab: Lab
    directory: Path
    number: int
    chance: random.Random
    measure: Measure
    log: Callable[[str], object] = print
    begin: Callable[[Service], object] = begin_anew
    tasks: list[Task] = field(default_factory=list)
    shaken: set[int] = field(default_factory=set)  #: hosts whose connection was broken
    happened: Counter[str] = field(default_factory=Counter)

    def run(self) -> list[str]:
        """What is wrong after it: nothing, or each thing in a line."""
        apart = self.chance.random() < 0.5
        stage = Stage(self.lab, self.directory / f"round{self.number}", apart=apart, cut=self.measure.cut)
        self.log(f"round {self.number}: {'API and worker apart' if stage.worker else 'one process'}")
        stage.start(self.begin)
        try:
            work = Work(self.lab, Jobs(stage.api))
            for name, act in self._program(stage, work):
                self.log(f"  {name}")
                act()
                stage.pause(self.chance.uniform(0, self.measure.pause))
            stage.mend()
            return self._judged(stage)
        finally:
            stage.stop()
            no_ansible_left(stage.api)

    def _program(self, stage: Stage, work: Work) -> Iterator[tuple[str, Callable[[], object]]]:
        """Jobs and faults, shuffled; the long job first, so that faults have something to hit."""
        hosts = self.lab.hosts_of(1)
        few = self.chance.sample(hosts, min(5, len(hosts)))
        long_one = self.measure.long_seconds
        mark = f"chaos-{self.number}"
        yield "a long script", self._adds(lambda: work.script(f"{mark}-long", hosts, long_one))
        things: list[tuple[str, Callable[[], object]]] = [
            ("a short script", self._adds(lambda: work.script(f"{mark}-short", hosts, 0.4))),
            ("a script that fails", self._adds(lambda: work.script(f"{mark}-fails", few, 2, exit_code=7))),
            (
                "a transfer",
                self._adds(lambda: work.files(f"{mark}-file", few[0], few[1:], self.measure.file_bytes)),
            ),
            ("a script that is terminated", lambda: self._terminated(stage, work, f"{mark}-stop", few, 60)),
            ("a terminate at the end", lambda: self._terminated(stage, work, f"{mark}-late", few, 1)),
        ]
        things += [self._fault(stage, KILLS) for _ in range(self.measure.kills)]
        others = OTHERS if self.lab.isolated else {"SIGTERM": OTHERS["SIGTERM"]}
        things += [self._fault(stage, others) for _ in range(self.measure.others)]
        self.chance.shuffle(things)
        yield from things

    def _adds(self, start: Callable[[], Task]) -> Callable[[], object]:
        return lambda: self.tasks.append(start())

    def _terminated(self, stage: Stage, work: Work, name: str, hosts: list[LabHost], seconds: float) -> None:
        task = work.script(name, hosts, seconds)
        self.tasks.append(task)
        stage.pause(self.chance.uniform(0, 3))
        work.stop(task)

    def _fault(self, stage: Stage, faults: dict[str, Fault]) -> tuple[str, Callable[[], object]]:
        name = self.chance.choice(sorted(faults))

        def happen() -> None:
            self.happened[name] += 1
            self.shaken |= faults[name](stage, self.chance)

        return f"fault: {name}", happen

    def _judged(self, stage: Stage) -> list[str]:
        until = time.monotonic() + _PATIENCE
        wrong = []
        for task in self.tasks:
            try:
                stage.api.finished(1, task.job.id, timeout=max(1, until - time.monotonic()))
            except AssertionError as error:
                wrong.append(f"{task.what} has not ended: {str(error)[:500]}")
            else:
                wrong += task.wrong(self.shaken)
        report = audited(stage.api.data_dir, self.lab.inventory)
        self.log(
            f"  audit: {report.jobs} jobs, {report.hosts} hosts, not looked at {dict(report.not_looked_at)}"
        )
        return wrong + [f"audit: {finding}" for finding in report.findings]
