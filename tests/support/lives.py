"""Jobs to which anything happens that the store can write of a job, in any order."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import count

from adapter.job.model import FileSource, FileTask, Host, JobInstance, Scope, ScriptTask, StepInstance
from adapter.job.operations import StepOperation, move_of
from adapter.job.rolling import Rolling, RollingType
from adapter.job.status import HostStatus, RunStatus, StepType, TaskType
from adapter.store.jobs import JobStore

HOSTS = (
    *(Host(bk_host_id=n, bk_cloud_id=n % 2, ip=f"10.0.0.{n}", name=f"h{n}") for n in range(101, 106)),
    Host(bk_host_id=-3, bk_cloud_id=0, ip="10.0.0.9", name="gone", is_invalid=True),
)
_ENDS = (HostStatus.SUCCESS, HostStatus.NON_ZERO_EXIT, HostStatus.AGENT_ABNORMAL, HostStatus.LAST_SUCCESS)
_STEP_ENDS = (RunStatus.FAILED, RunStatus.FAILED, RunStatus.STOPPED, RunStatus.SUCCESS)


def new_job(jobs: JobStore) -> JobInstance:
    """Of a script, one that rolls over its hosts, and files that come in batches of sources: on all hosts each."""
    script = ScriptTask(language=1, content="echo", account_id=7)
    sources = tuple(FileSource(files=(f"/tmp/{n}",), account_id=7, hosts=HOSTS[:1]) for n in range(2))
    files = FileTask(sources=sources, target_path="/tmp/", account_id=7)
    by_sources = Rolling(type=RollingType.FILE_SOURCES, sizes=(len(HOSTS),) * 2)
    steps = (
        StepInstance(name="all", order=0, script=script, create_time=1),
        StepInstance(name="rolls", order=1, script=script, create_time=1, rolling=Rolling(sizes=(2, 4))),
        StepInstance(
            name="files", order=2, type=StepType.FILE, file=files, create_time=1, rolling=by_sources
        ),
    )
    job = JobInstance(scope=Scope("biz", "1"), type=TaskType.PLAN, create_time=1, steps=steps)
    return jobs.add(job, [HOSTS] * len(steps))


@dataclass
class Life:
    """One job, and what happens to it next. What the job is in no state for is tried as well."""

    jobs: JobStore
    job_id: int
    rng: random.Random

    def __post_init__(self) -> None:
        self._clock = count(100)

    @property
    def job(self) -> JobInstance:
        """As it is now."""
        found = self.jobs.get(self.job_id)
        assert found is not None
        return found

    def goes_on(self) -> str:
        """Let one thing happen; what it was."""
        happens: tuple[Callable[[StepInstance, int], object], ...] = (
            self._hosts_move, self._hosts_move, self._hosts_move, self._begins, self._ends, self._operated,
            self._operated, self._stopped, self._next_batch,
        )  # fmt: skip
        chosen = self.rng.choice(happens)
        step = self.rng.choice(self.job.steps)
        return f"{chosen.__name__} {step.name}: {chosen(step, next(self._clock))}"

    def _hosts_move(self, step: StepInstance, now: int) -> object:
        results = self.jobs.hosts(step.id, step.execute_count)
        moved = []
        for item in self.rng.sample(results, self.rng.randint(1, 3)):
            if self.rng.random() < 0.5:
                ended = replace(item, status=self.rng.choice(_ENDS), end_time=now + 7, exit_code=now % 3)
                moved.append(replace(ended, tag=self.rng.choice(("", 'a "b"\\', "好 },{ ")), log_bytes=now))
            else:
                moved.append(replace(item, status=HostStatus.RUNNING, start_time=now))
        self.jobs.save_hosts(step.id, step.execute_count, moved)
        return [(item.host.bk_host_id, int(item.status)) for item in moved]

    def _begins(self, step: StepInstance, now: int) -> object:
        return self.jobs.begin_job(self.job_id, now), self.jobs.begin_step(step.id, now)

    def _ends(self, step: StepInstance, now: int) -> object:
        status = self.rng.choice(_STEP_ENDS)
        has_ended = self.jobs.finish_step(step.id, status, now)
        return has_ended, has_ended and self.jobs.finish_job(self.job_id, status, now)

    def _operated(self, step: StepInstance, now: int) -> object:
        moves = {operation: move for operation in StepOperation if (move := move_of(operation, step))}
        legal = [operation for operation, move in moves.items() if step.status in move.step_from]
        operation = self.rng.choice(legal or list(moves))
        move = moves[operation]
        return operation.name, self.jobs.operate(operation, move, step, now)

    def _stopped(self, _step: StepInstance, now: int) -> object:
        return self.rng.random() < 0.3 and self.jobs.request_stop(self.job_id, now)

    def _next_batch(self, step: StepInstance, now: int) -> object:
        if self.rng.random() < 0.5:
            return self.jobs.open_batch(step.id, step.batch + 1)
        return self.jobs.wait_for_operator(step, now)
