"""What the queries find, on its way to a dialect's view."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from adapter.api.use_cases import Query
from adapter.api.written_rows import View, WrittenRows
from adapter.job.cron import Cron
from adapter.job.groups import ResultGroup
from adapter.job.model import (
    Account,
    FileLog,
    Host,
    HostResult,
    JobInstance,
    JobVariable,
    ScriptVersion,
    StepInstance,
)
from adapter.job.plan import JobPlan, JobTemplate
from adapter.messages import Language
from adapter.ports import Hosts
from adapter.service.pages import Page


@dataclass(frozen=True)
class Operated:
    """What an operation was done to; without a step, the whole job."""

    job_instance_id: int
    step_instance_id: int | None = None


@dataclass(frozen=True, kw_only=True)
class JobReport:
    """A job instance; `hosts` by step instance id, None if nobody asked; `alive` as far as it is known."""

    job: JobInstance
    hosts: Mapping[int, tuple[HostResult, ...]] | None = None
    alive: Mapping[int, int] = field(default_factory=dict)
    written: WrittenRows = field(default_factory=WrittenRows)

    def rows(self, step: StepInstance, view: View) -> list[Any]:
        """What a dialect's view makes of the step's hosts: [] if nobody asked."""
        return self.written.of(step, (self.hosts or {}).get(step.id, ()), view, self.alive)


@dataclass(frozen=True, kw_only=True)
class HostRef:
    """A host as a request names it: by id, else by cloud area and address."""

    bk_host_id: int | None = None
    bk_cloud_id: int | None = None
    ip: str | None = None

    @property
    def names_a_host(self) -> bool:
        """True if either way is complete."""
        return self.bk_host_id is not None or (self.bk_cloud_id is not None and self.ip is not None)


@dataclass(frozen=True, kw_only=True)
class HostLog:
    """One host's log of a step: `text` of a script step, `files` of a file step. `host` None: not in it."""

    asked: HostRef
    host: Host | None
    text: str = ""
    files: tuple[FileLog, ...] = ()


@dataclass(frozen=True, kw_only=True)
class StepLogs:
    """Logs of some hosts of a step; `known` has every host that a file entry may name."""

    step: StepInstance
    logs: tuple[HostLog, ...]
    known: Mapping[int, Host]
    alive: Mapping[int, int] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class StepDetail:
    """What a step executes, on which hosts; the accounts are those that still exist."""

    step: StepInstance
    targets: tuple[Host, ...]
    accounts: Mapping[int, Account]
    alive: Mapping[int, int]


@dataclass(frozen=True, kw_only=True)
class StepStatus:
    """One execution of a step: all its hosts, and the groups that are to be told."""

    job: JobInstance
    step: StepInstance
    hosts: tuple[HostResult, ...]
    groups: tuple[ResultGroup, ...]
    language: Language


@dataclass(frozen=True, kw_only=True)
class VariablesReport:
    """The variables of a job by step instance."""

    job: JobInstance
    variables: Mapping[int, tuple[JobVariable, ...]]


@dataclass(frozen=True, kw_only=True)
class JobPage:
    """A part of the job instances that were looked for."""

    start: int
    length: int
    total: int
    jobs: tuple[JobInstance, ...]


@dataclass(frozen=True, kw_only=True)
class HostRecord:
    """A host's result with its whole log, for v2's log API."""

    result: HostResult
    text: str = ""
    files: tuple[FileLog, ...] = ()


@dataclass(frozen=True, kw_only=True)
class StepRecord:
    """A step with everything of its hosts."""

    step: StepInstance
    records: tuple[HostRecord, ...]


@dataclass(frozen=True, kw_only=True)
class JobRecord:
    """Every step of a job with the logs of its hosts, for v2's log API."""

    steps: tuple[StepRecord, ...]
    html_encode: bool = True


@dataclass(frozen=True, kw_only=True)
class PlanReport:
    """A plan with what its ids stand for: the accounts that still exist, its steps' scripts, and the hosts."""

    plan: JobPlan
    accounts: Mapping[int, Account]
    scripts: Mapping[int, ScriptVersion]  #: by step id, of those that name a script that may run
    hosts: Hosts


@dataclass(frozen=True, kw_only=True)
class TemplateReport:
    """A template with what its ids stand for, as a plan."""

    template: JobTemplate
    accounts: Mapping[int, Account]
    scripts: Mapping[int, ScriptVersion]
    hosts: Hosts


@dataclass(frozen=True, kw_only=True)
class VersionPage:
    """A page of a script's versions, with their texts if asked for."""

    page: Page[ScriptVersion]
    with_content: bool


def found_hosts(asked: Iterable[HostRef], known: Mapping[int, Host]) -> list[tuple[HostRef, Host | None]]:
    """Each with the host that is meant, None if it is none of these; the first where two have one address."""
    at: dict[tuple[int | None, str | None], Host] = {}
    for host in known.values():
        at.setdefault((host.bk_cloud_id, host.ip), host)
    return [
        (ref, at.get((ref.bk_cloud_id, ref.ip)) if ref.bk_host_id is None else known.get(ref.bk_host_id))
        for ref in asked
    ]


def known_hosts(query: Query, step: StepInstance, asked: Collection[HostRef]) -> dict[int, Host]:
    """Those of the step's targets that are asked for, and the hosts its files come from, by id."""
    ids = {ref.bk_host_id for ref in asked if ref.bk_host_id is not None}
    ips = {ref.ip for ref in asked if ref.bk_host_id is None and ref.ip is not None}
    targets = {result.host.bk_host_id: result.host for result in query.hosts_named(step, ids, ips)}
    return source_hosts(step) | targets


def source_hosts(step: StepInstance) -> dict[int, Host]:
    """The hosts a file step reads from, by id."""
    sources = step.file.sources if step.file else ()
    return {host.bk_host_id: host for source in sources for host in source.hosts}


def by_host(entries: Iterable[FileLog]) -> dict[int, tuple[FileLog, ...]]:
    """File entries by the host they belong to, in order."""
    found: dict[int, list[FileLog]] = {}
    for entry in entries:
        found.setdefault(entry.bk_host_id, []).append(entry)
    return {bk_host_id: tuple(items) for bk_host_id, items in found.items()}


@dataclass(frozen=True, kw_only=True)
class CronReport:
    """A cron, and who knows the hosts that its variables list."""

    cron: Cron
    hosts: Hosts


@dataclass(frozen=True, kw_only=True)
class CronReports:
    """A page of crons."""

    page: Page[Cron]
