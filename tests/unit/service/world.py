"""A small world to launch in: two businesses with hosts, accounts and scripts, on a real database."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from adapter.job.commands import (
    AccountRef,
    Caller,
    ExecuteScript,
    PlannedRun,
    ScriptRef,
    SourceSpec,
    TransferFile,
)
from adapter.job.model import Host, HostResult, Scope, Server, StepInstance
from adapter.job.plan import GlobalVariable, JobPlan, PlanStep
from adapter.job.variables import StepVariables
from adapter.service.catalog import Catalog
from adapter.service.dangerous_scripts import DangerousScripts
from adapter.service.launch import Launch
from adapter.service.operate import Operate
from adapter.service.query import Query
from adapter.store.accounts import AccountStore
from adapter.store.dangerous import DangerousRuleStore
from adapter.store.file_sources import FileSourceStore
from adapter.store.jobs import JobStore
from adapter.store.logs import LogStore
from adapter.store.password_key import PasswordKey
from adapter.store.plans import PlanStore
from adapter.store.quota import JobQuota, Room
from adapter.store.scripts import ScriptStore
from adapter.store.uploads import UploadStore
from adapter.testing.hosts import MemoryHosts
from tests.support.startable import to_start

SOURCE, TARGET, THIRD = Scope("biz", "2"), Scope("biz", "3"), Scope("biz", "4")
BOTH = Host(bk_host_id=9, bk_cloud_id=0, ip="10.0.0.9", name="both")
SRC1 = Host(bk_host_id=1, bk_cloud_id=0, ip="10.0.0.1", name="src1")
SRC2 = Host(bk_host_id=2, bk_cloud_id=0, ip="10.0.0.2", name="src2")
DST1 = Host(bk_host_id=3, bk_cloud_id=0, ip="10.0.0.3", name="dst1")
DST2 = Host(bk_host_id=4, bk_cloud_id=0, ip="10.0.0.4", name="dst2")
GROUPS = {
    "biz_2": ["src1", "src2", "both"],
    "biz_3": ["dst1", "dst2", "both"],
    "biz_4": ["both"],
    "dynamic_group_src": ["src1", "src2"],
    "dynamic_group_dst": ["dst2", "dst1"],
    "dynamic_group_empty": [],
}
CALLER = Caller(app_code="app", user="ann")
NOW = 1_720_069_567_089


def on(*hosts: Host) -> Server:
    return Server(host_ids=tuple(host.bk_host_id for host in hosts))


def alias(name: str) -> AccountRef:
    return AccountRef(alias=name)


class NamingPlanner:
    """Says of a run what it is of."""

    def plan(
        self, step: StepInstance, targets: Sequence[Host], variables: StepVariables | None = None
    ) -> PlannedRun:
        return PlannedRun(inventory=",".join(host.name for host in targets), playbook=step.name)


@dataclass(kw_only=True)
class World:
    """Everything the use cases are made of; `woken` counts the engine's wake-ups."""

    jobs: JobStore
    logs: LogStore
    accounts: AccountStore
    scripts: ScriptStore
    plans: PlanStore
    hosts: MemoryHosts
    woken: int = 0

    def __post_init__(self) -> None:
        self.rules = DangerousRuleStore(self.jobs._engine)
        self.dangerous = DangerousScripts(self.rules, self)
        self.password_key = PasswordKey(self.jobs._engine, self.jobs._box)
        catalog = Catalog(
            accounts=self.accounts,
            scripts=self.scripts,
            plans=self.plans,
            clock=self,
            passwords=self.password_key,
        )
        self.launch = Launch(
            self.jobs,
            catalog,
            self.hosts,
            self,
            self.wake,
            self.dangerous,
            NamingPlanner(),
            self.password_key,
            UploadStore(self.jobs._engine),
            FileSourceStore(self.jobs._engine),
        )
        self.operate = Operate(self.jobs, self, self.wake)
        self.query = Query(self.jobs, self.logs)

    def allow(self, quota: JobQuota) -> None:
        """From now on launches are held to `quota`."""
        self.jobs._room = Room(quota)

    def now_ms(self) -> int:
        return NOW

    def wake(self) -> None:
        self.woken += 1

    def account(self, scope: Scope, name: str, **fields: Any) -> int:
        created = self.accounts.create(scope, operator="ann", now_ms=1, alias=name, account=name, **fields)
        return created.id

    def script(self, scope: Scope, content: str, *, language: int = 1, online: bool = True) -> int:
        version = self.scripts.create_with_version(
            scope,
            name=f"{content[:20]}-{scope}",
            language=language,
            content=content,
            version="1",
            operator="ann",
            now_ms=1,
        )
        if online:
            self.scripts.publish(version.script_id, version.id, operator="ann", now_ms=1)
        return version.id

    def plan(
        self,
        scope: Scope,
        *steps: PlanStep,
        variables: tuple[GlobalVariable, ...] = (),
        leave_out: tuple[str, ...] = (),
    ) -> JobPlan:
        template = self.plans.create_template(
            scope, name="template", steps=steps, variables=variables, operator="ann", now_ms=1
        )
        enabled = frozenset(step.id for step in template.steps if step.name not in leave_out)
        plan_id = self.plans.create_plan(template, name="the plan", steps=enabled, operator="ann", now_ms=1)
        plan = self.plans.get(plan_id)
        assert plan is not None
        return plan

    def results(self, step_instance_id: int) -> tuple[HostResult, ...]:
        return self.jobs.hosts(step_instance_id, 0)

    def targets(self, step_instance_id: int) -> list[str]:
        return [result.host.name for result in self.results(step_instance_id)]

    def count(self) -> int:
        """How many jobs there are at all."""
        return len(to_start(self.jobs))


def execute_script(**changes: Any) -> ExecuteScript:
    command = ExecuteScript(
        caller=CALLER,
        scope=SOURCE,
        script=ScriptRef(content="echo hi", language=1),
        account=alias("root"),
        target=on(SRC2, SRC1),
    )
    return replace(command, **changes)


def transfer_file(**changes: Any) -> TransferFile:
    command = TransferFile(
        caller=CALLER,
        scope=SOURCE,
        target_path="/data",
        account=alias("root"),
        target=on(SRC2),
        sources=(SourceSpec(files=("/tmp/a",), account=alias("root"), server=on(SRC1)),),
    )
    return replace(command, **changes)
