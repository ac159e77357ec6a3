"""The protocols between the parts that have more than one implementation; their duties in prose."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

from adapter.job.commands import PlannedRun
from adapter.job.model import Host, Scope, Seen, Server, StepInstance
from adapter.job.status import HostStatus
from adapter.job.variables import StepVariables


class Clock(Protocol):
    """Tells the time."""

    def now_ms(self) -> int:
        """Milliseconds since the epoch."""
        ...


class Planner(Protocol):
    """Says what Ansible would be given to run a step. Answers from memory and the store, runs nothing."""

    def plan(
        self, step: StepInstance, targets: Sequence[Host], variables: StepVariables | None = None
    ) -> PlannedRun | None:
        """The run of a step that is not stored, on these hosts; None if the step needs no Ansible.

        `variables` are those of a plan's step.
        """
        ...


class Hosts(Protocol):
    """Targets to hosts.

    An inventory answers from memory (design D1). BlueKing CMDB is asked over HTTP, within a bounded time, and its
    answers count for a while (decision 41): resolve(), has_scope(), scopes() and find() may raise CmdbUnreachable
    (1211001) and CmdbFailed (1211002). What the engine needs of hosts that a job has already, present() and
    variables(), never asks anybody: jobs go on whatever becomes of CMDB.
    """

    def is_ready(self) -> bool:
        """True once hosts have been loaded at least once."""
        ...

    def has_scope(self, scope: Scope) -> bool:
        """True if the business or business set exists."""
        ...

    def scopes(self) -> frozenset[Scope]:
        """The businesses and business sets that there are."""
        ...

    def resolve(self, scope: Scope, server: Server) -> tuple[Host, ...]:
        """The hosts that `server` lists, as contract section f: static, then groups, then topo nodes, once each.

        host_ids non-empty means that ips are ignored. Groups and topo nodes give the members that are in the
        scope, possibly none. `server.variable` is not looked at.

        Raises HostsUnknown (1244030), HostsNotInScope (1244002), GroupUnknown (1211003).
        """
        ...

    def within(self, scope: Scope, bk_host_ids: Iterable[int]) -> tuple[Host, ...]:
        """Those of the hosts that are in the scope, in the order of the ids; the others are left out."""
        ...

    def find(self, bk_host_ids: Iterable[int]) -> Mapping[int, Host]:
        """Those hosts that there are, by id, of whatever business."""
        ...

    def present(self, hosts: Iterable[Host]) -> Mapping[int, Host]:
        """Hosts of a job that can still be reached, by id, under the names that Ansible now knows them by."""
        ...

    def absence(self, host: Host) -> tuple[HostStatus, str]:
        """How a host ends that is not present, and why, in words for its log."""
        ...

    def variables(self, hosts: Iterable[Host]) -> Mapping[str, Mapping[str, Any]]:
        """Ansible's variables of hosts that are present, by name, merged as Ansible merges them.

        Values are as `ansible-inventory --list` prints them: {"__ansible_unsafe": text} marks text that must
        not be rendered, {"__ansible_vault": text} stays encrypted. Hosts that are gone are absent.
        """
        ...


class Reachability(Protocol):
    """Which hosts answer (decision 42). Says nothing of a host about which that cannot be told from here."""

    def seen(self, hosts: Sequence[Host], wait: float = 0) -> Mapping[int, Seen]:
        """What is known, by bk_host_id; hosts that nobody has seen lately are looked at for `wait` seconds.

        With 0 nobody is looked at.
        """
        ...
