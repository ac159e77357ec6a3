"""5,000 things that can happen to jobs, in an order nobody thought of, beside a small model of section e.

Operations, events of hosts, crashes, workers that were thought dead, faults of the service and a clock that jumps.
After each the states of job, steps and hosts are those of the model, and nothing disagrees within the store.
`PROPERTY_SEED` repeats a run, `PROPERTY_STEPS` is how many things happen.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from structlog.testing import capture_logs

from adapter.audit import states
from adapter.errors import AlreadyStarted, NotAConfirmer, UnsupportedOperation
from adapter.job.commands import Caller
from adapter.job.model import Approval, Host, JobInstance, ScriptTask, StepInstance
from adapter.job.operations import StepOperation
from adapter.job.rolling import Rolling, RollingMode
from adapter.job.status import HostStatus, StepType, TaskType
from adapter.service.operate import Operate
from adapter.store.claims import Claim, ClaimLost, ClaimStore, Limits
from adapter.store.workers import WorkerStore

from .conftest import SCOPE, Bench, made_bench
from .played import PlayedWorker, Stage, begins, breaks, crashes, ends, looks, stops
from .section_e import KILLED, STOPPING, Model, ModelHost, ModelStep

SEED = int(os.environ.get("PROPERTY_SEED") or 20261123)
STEPS = int(os.environ.get("PROPERTY_STEPS") or 5000)
_STEPS_OF_ONE = 50
ENDS = [HostStatus.SUCCESS, HostStatus.SUCCESS, HostStatus.NON_ZERO_EXIT, HostStatus.AGENT_ABNORMAL]
ANN = Caller(app_code="app", user="ann")
LIMITS = Limits(per_worker=1000)

steps_of_plans = st.lists(
    st.fixed_dictionaries(
        {
            "kind": st.sampled_from(["script", "script", "rolling", "approval"]),
            "hosts": st.integers(1, 4),
            "mode": st.sampled_from([1, 2, 3]),
            "sizes": st.integers(1, 2),
            "ignore_error": st.booleans(),
        }
    ),
    min_size=1,
    max_size=3,
)


class Played:
    """What all examples share: a database, and its workers."""

    bench: Bench
    worker: PlayedWorker


class Jobs(RuleBasedStateMachine):
    """One job and its model; a new one when it has come to its end."""

    def __init__(self) -> None:
        super().__init__()
        self.bench, self.worker = Played.bench, Played.worker
        self.operator = Operate(self.bench.jobs, self.bench, lambda: None)
        self.claims = ClaimStore(self.bench.engine)
        self.me = WorkerStore(self.bench.engine).register("h", 1, 1000, 1).id
        self.stage: Stage | None = None  # the thread that has the job
        self.claim: Claim | None = None
        self.is_up = True

    @initialize(plan=steps_of_plans, started=st.booleans())
    def launch(self, plan: list[dict[str, object]], started: bool) -> None:
        """A job of any shape."""
        self.model = Model([_model(one) for one in plan], started=started)
        steps = tuple(_step(order, one) for order, one in enumerate(plan))
        job = JobInstance(
            scope=SCOPE, type=TaskType.PLAN, steps=steps, started=started, create_time=self.bench.now
        )
        hosts = [_hosts(len(step.hosts)) for step in self.model.steps]
        self.job_id = self.bench.jobs.add(job, hosts).id
        self.go_on()

    # --- the engine ------------------------------------------------------------------------------------

    def go_on(self) -> None:
        """Workers do what there is to do, up to where hosts are waited for."""
        if not self.is_up:
            return
        self.model.run()
        if self.stage is not None and self.stage.end is None and not self.has_claim():
            self.stage.tell(looks)  # an operation took the job from it
            assert self.stage.end is not None
        if self.stage is not None and self.stage.end is not None:
            if not isinstance(self.stage.end, (str, ClaimLost)) and self.claim is not None:
                self.claims.release(self.claim)
            self.stage = self.claim = None
        while self.stage is None:
            found = [c for c in self.claims.claim(self.me, LIMITS, 0) if c.job_instance_id == self.job_id]
            if not found:
                return
            self.claim = found[0]
            self.stage = self.worker.start(self.claim)
            if self.stage.end is not None:
                assert isinstance(self.stage.end, str), self.stage.end
                self.stage = None

    def has_claim(self) -> bool:
        return self.claim in self.claims.of(self.me)

    @property
    def stands(self) -> bool:
        return self.is_up and self.stage is not None and self.stage.playing is not None

    def current(self) -> tuple[int, ModelStep]:
        return next((n, step) for n, step in enumerate(self.model.steps) if step is self.model.current())

    def due_host(self, pick: int) -> tuple[str, ModelHost]:
        _, step = self.current()
        due = step.due()
        host = due[pick % len(due)]
        return f"h{step.hosts.index(host)}", host

    # --- what happens to hosts and workers ---------------------------------------------------------------

    @precondition(lambda self: self.stands)
    @rule(pick=st.integers(0, 9))
    def a_host_begins(self, pick: int) -> None:
        assert self.stage is not None
        name, host = self.due_host(pick)
        self.stage.tell(begins(name))
        self.model.host_begins(host)
        self.go_on()

    @precondition(lambda self: self.stands)
    @rule(pick=st.integers(0, 9), status=st.sampled_from(ENDS), also=st.integers(0, 3))
    def hosts_end(self, pick: int, status: HostStatus, also: int) -> None:
        for _ in range(also + 1):
            if not self.stands:
                return
            assert self.stage is not None
            name, host = self.due_host(pick)
            self.stage.tell(ends(name, status))
            self.model.host_ends(host, int(status))
            self.go_on()

    @precondition(lambda self: self.stands and self.model.job == STOPPING)
    @rule(confirmed=st.booleans())
    def the_stop_is_carried_out(self, confirmed: bool) -> None:
        assert self.stage is not None
        self.stage.tell(stops(confirmed))
        self.model.hosts_stop(KILLED if confirmed else int(HostStatus.TERMINATE_FAILED))
        self.go_on()

    @precondition(lambda self: self.stands)
    @rule()
    def the_process_dies(self) -> None:
        """Until it is started again nobody does anything."""
        assert self.stage is not None
        self.stage.tell(crashes)
        self.is_up = False

    @precondition(lambda self: not self.is_up)
    @rule()
    def it_is_started_again(self) -> None:
        self.is_up = True
        self.go_on()

    @precondition(lambda self: self.stands)
    @rule(pick=st.integers(0, 9))
    def another_worker_takes_over(self, pick: int) -> None:
        """What the one before still wants to write is not written."""
        assert self.stage is not None
        assert self.claim is not None
        name, _ = self.due_host(pick)
        before, stage = self._seen(), self.stage
        assert self.claims.release(self.claim)
        stage.tell(ends(name, HostStatus.SUCCESS))
        assert isinstance(stage.end, ClaimLost), stage.end
        assert self._seen() == before
        self.go_on()

    @precondition(lambda self: self.stands)
    @rule()
    def the_service_breaks(self) -> None:
        """The step is ended with what is known, and the job."""
        assert self.stage is not None
        self.stage.tell(breaks)
        self.model.breaks()
        self.go_on()

    @precondition(lambda self: self.stands)
    @rule()
    def it_is_handed_over(self) -> None:
        """In good order: the next start goes on."""
        assert self.stage is not None
        self.stage.must_let_go = True
        self.stage.tell(looks)
        self.go_on()

    @rule(seconds=st.integers(-3600, 3600))
    def the_clock_jumps(self, seconds: int) -> None:
        self.bench.now += seconds * 1000

    # --- operations ------------------------------------------------------------------------------------

    @rule()
    def terminate(self) -> None:
        self._operate(self.model.terminate, lambda: self.operator.terminate(ANN, SCOPE, self.job_id))

    @rule()
    def start(self) -> None:
        self._operate(self.model.start, lambda: self.operator.start(ANN, SCOPE, self.job_id))

    @rule(code=st.sampled_from(list(StepOperation)), pick=st.integers(0, 9))
    def operate(self, code: StepOperation, pick: int) -> None:
        number = pick % len(self.model.steps)
        self._operate_step(code, number)

    @precondition(lambda self: self.model.current() is not None)
    @rule(code=st.sampled_from(list(StepOperation)))
    def operate_where_it_stands(self, code: StepOperation) -> None:
        """As above; more of these are legal."""
        self._operate_step(code, self.current()[0])

    @precondition(lambda self: self.model.current() is not None)
    @rule(code=st.sampled_from(list(StepOperation)))
    def a_stranger_answers(self, code: StepOperation) -> None:
        """Whoever is not asked changes nothing of an approval."""
        number, step = self.current()
        if not step.is_approval or code not in (6, 9, 10):
            return
        with pytest.raises((NotAConfirmer, UnsupportedOperation)):
            self.operator.step(
                Caller(app_code="app", user="bob"), SCOPE, self.job_id, self._ids()[number], code
            )

    def _operate_step(self, code: StepOperation, number: int) -> None:
        step_id = self._ids()[number]
        self._operate(
            lambda: self.model.operate(int(code), self.model.steps[number]),
            lambda: self.operator.step(ANN, SCOPE, self.job_id, step_id, code),
        )

    def _operate(self, model: object, service: object) -> None:
        legal = model()  # type: ignore[operator]
        try:
            service()  # type: ignore[operator]
            was_done = True
        except (UnsupportedOperation, AlreadyStarted):
            was_done = False
        assert was_done == legal
        self.go_on()

    # --- what is always so -----------------------------------------------------------------------------

    @invariant()
    def it_is_as_the_model_says(self) -> None:
        if hasattr(self, "job_id"):
            assert self._seen() == self._expected()

    @invariant()
    def nothing_disagrees(self) -> None:
        """The audit's own rules."""
        if not hasattr(self, "job_id"):
            return
        job = self.bench.jobs.get(self.job_id)
        assert job is not None
        found = list(states.of_job(job))
        for step in job.steps:
            stopped = int(job.status) in (STOPPING, 11)
            results = self.bench.jobs.hosts(step.id, step.execute_count)
            found += states.of_step(step, results, stopped)
            found += [problem for result in results for problem in states.of_host(step, result)]
        assert found == []

    def teardown(self) -> None:
        if self.stage is not None and self.stage.end is None:
            self.stage.tell(crashes)

    def _ids(self) -> list[int]:
        job = self.bench.jobs.get(self.job_id)
        assert job is not None
        return [step.id for step in job.steps]

    def _seen(self) -> object:
        job = self.bench.jobs.get(self.job_id)
        assert job is not None
        return int(job.status), [
            (
                int(step.status),
                step.execute_count,
                step.batch,
                [
                    (int(item.status), item.batch, item.executed_in)
                    for item in self.bench.jobs.hosts(step.id, step.execute_count)
                ],
            )
            for step in job.steps
        ]

    def _expected(self) -> object:
        return self.model.job, [
            (
                step.status,
                step.execution,
                step.batch,
                [(host.status, host.batch, host.executed_in) for host in step.hosts],
            )
            for step in self.model.steps
        ]


def _hosts(count: int) -> tuple[Host, ...]:
    return tuple(Host(bk_host_id=n + 1, bk_cloud_id=0, ip=f"10.0.0.{n}", name=f"h{n}") for n in range(count))


def _sizes(one: dict[str, object]) -> tuple[int, ...]:
    hosts, size = int(str(one["hosts"])), int(str(one["sizes"]))
    return tuple(min(size, hosts - begin) for begin in range(0, hosts, size))


def _model(one: dict[str, object]) -> ModelStep:
    ignore_error = bool(one["ignore_error"])
    if one["kind"] == "approval":
        return ModelStep(is_approval=True)
    if one["kind"] == "script":
        return ModelStep([ModelHost() for _ in range(int(str(one["hosts"])))], ignore_error=ignore_error)
    numbers = [number for number, size in enumerate(_sizes(one), start=1) for _ in range(size)]
    hosts = [ModelHost(batch=number) for number in numbers]
    return ModelStep(hosts, ignore_error=ignore_error, mode=int(str(one["mode"])), batch=1)


def _step(order: int, one: dict[str, object]) -> StepInstance:
    common = StepInstance(order=order, name=f"step {order}", create_time=1)
    if one["kind"] == "approval":
        asked = Approval(message="sure?", users=("ann",))
        return StepInstance(order=order, name="ask", type=StepType.APPROVAL, approval=asked, create_time=1)
    rolling = None
    if one["kind"] == "rolling":
        rolling = Rolling(mode=RollingMode(int(str(one["mode"]))), expression="1", sizes=_sizes(one))
    return StepInstance(
        order=order,
        name=common.name,
        script=ScriptTask(language=1, content="true"),
        ignore_error=bool(one["ignore_error"]),
        rolling=rolling,
        batch=0 if rolling is None else 1,
        create_time=1,
    )


@pytest.fixture
def played(monkeypatch: pytest.MonkeyPatch, runtime: Path) -> Iterator[None]:
    with ExitStack() as stack:
        stack.enter_context(capture_logs())  # a traceback written out takes longer than what it is about
        memory = "/dev/shm" if Path("/dev/shm").is_dir() else None  # a disk would take most of the time
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=memory)))
        made = made_bench(directory)
        Played.bench = next(made)
        Played.worker = PlayedWorker(Played.bench, runtime, monkeypatch)
        yield
        next(made, None)


def test_section_e(played: None) -> None:
    """No illegal state, no lost host, no disagreement between job, steps and hosts."""
    print(f"PROPERTY_SEED={SEED} PROPERTY_STEPS={STEPS}")
    run_state_machine_as_test(
        seed(SEED)(Jobs),
        settings=settings(
            max_examples=max(1, STEPS // _STEPS_OF_ONE),
            stateful_step_count=_STEPS_OF_ONE,
            deadline=None,
            phases=(Phase.generate,),  # fifty things that happened are read faster than made fewer
            database=None,
            print_blob=True,
            suppress_health_check=list(HealthCheck),
        ),
    )
