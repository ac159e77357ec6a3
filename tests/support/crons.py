"""A service's crons on a clock that tests move: launched by as many nodes as a test wants."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import Executor
from typing import Any, ClassVar

import sqlalchemy as sa

from adapter.job.commands import Caller, VariableValue
from adapter.job.cron import Cron, CronRun, MissedPolicy
from adapter.job.model import JobInstance, Server
from adapter.job.plan import GlobalVariable, PlanScript, PlanStep
from adapter.job.status import StepType
from adapter.service.applications import Applications
from adapter.service.authentication import Authentication
from adapter.service.catalog import Catalog
from adapter.service.cron_firing import CronFiring
from adapter.service.crons import CronFields, Crons
from adapter.store.accounts import AccountStore
from adapter.store.apps import AppStore
from adapter.store.crons import CronStore
from adapter.store.jobs import JobStore
from adapter.store.logs import LogStore
from adapter.store.plans import PlanStore
from adapter.store.scripts import ScriptStore
from adapter.store.secrets import SecretBox
from adapter.testing.hosts import MemoryHosts
from tests.unit.service.world import BOTH, DST1, DST2, GROUPS, SOURCE, SRC1, SRC2, World, on

MINUTE = 60_000
START = 1_767_225_600_000  #: 2026-01-01 00:00 UTC
LATE = 60_000


class Inline(Executor):
    """Runs what it is given at once, in the thread that gives it."""

    def map(self, fn: Callable[..., Any], *iterables: Iterable[Any], **_: Any) -> Any:
        return iter([fn(*args) for args in zip(*iterables, strict=True)])


class Node(World):
    """One process's objects on a database; `now` is the database's clock as all nodes of a test see it."""

    now: ClassVar[list[int]] = [START]

    @classmethod
    def on(cls, engine: sa.Engine, box: SecretBox) -> Node:
        """With hosts, and no account yet."""
        made = cls(
            jobs=JobStore(engine, box),
            logs=LogStore(engine),
            accounts=AccountStore(engine, box),
            scripts=ScriptStore(engine),
            plans=PlanStore(engine, box),
            hosts=MemoryHosts([SRC1, SRC2, DST1, DST2, BOTH], GROUPS),
        )
        made.apps = AppStore(engine)
        made.store = CronStore(engine, box, lambda _connection: sa.literal(cls.now[0], sa.BigInteger))
        catalog = Catalog(
            accounts=made.accounts,
            scripts=made.scripts,
            plans=made.plans,
            clock=made,
            passwords=made.password_key,
        )
        made.crons = Crons(made.store, catalog, "UTC")
        made.steady = 0.0
        return made

    apps: AppStore
    store: CronStore
    crons: Crons
    steady: float

    def firing(self, policy: MissedPolicy = MissedPolicy.SKIP) -> CronFiring:
        """What launches, as a process that has just started has it."""
        return CronFiring(
            self.store,
            self.launch,
            Authentication(self.apps, self),
            self.hosts,
            Inline(),
            late_after_ms=LATE,
            policy=policy,
            steady=lambda: self.steady,
        )

    def set_up(self) -> None:
        """An application, and an account for steps."""
        Applications(self.apps, self).create("app")
        self.account(SOURCE, "root")

    def step(self, target: Server | None = None) -> PlanStep:
        account = self.accounts.by_alias(SOURCE, "root")
        assert account is not None
        script = PlanScript(account_id=account.id, language=1, content="true")
        return PlanStep(id=0, name="run", type=StepType.SCRIPT, target=target or on(SRC1), script=script)

    def plan_id(self, *steps: PlanStep, variables: tuple[GlobalVariable, ...] = ()) -> int:
        return self.plan(SOURCE, *(steps or (self.step(),)), variables=variables).id

    def plan_id_again(self) -> int:
        """A plan of the template that is there."""
        template = self.plans.template_named(SOURCE, "template")
        assert template is not None
        self.plans_made += 1
        return self.plans.create_plan(template, name=f"plan {self.plans_made}", operator="ann", now_ms=1)

    plans_made = 0

    def started(
        self,
        plan_id: int,
        name: str = "c",
        *,
        expression: str | None = "* * * * *",
        execute_time: int | None = None,
        user: str = "ann",
        variables: tuple[VariableValue, ...] | None = None,
    ) -> Cron:
        """A cron that is to be launched."""
        caller = Caller(app_code="app", user=user)
        fields = CronFields(
            plan_id=plan_id,
            name=name,
            expression=expression if execute_time is None else None,
            execute_time=execute_time,
            variables=variables,
        )
        cron = self.crons.create(caller, SOURCE, fields)
        self.crons.start(caller, SOURCE, cron.id)
        return self.again(cron)

    def again(self, cron: Cron) -> Cron:
        """As it is stored now."""
        found = self.store.get(cron.id)
        assert found is not None
        return found

    def told(self, cron: Cron) -> list[CronRun]:
        """What became of its times, the oldest first."""
        return list(reversed(self.store.runs(cron.id, 0, 1000)[1]))

    def launched(self, cron: Cron) -> list[JobInstance]:
        """Its jobs, the oldest first."""
        found = [self.jobs.get(run.job_instance_id) for run in self.told(cron) if run.job_instance_id]
        assert all(found)
        return [job for job in found if job is not None]
