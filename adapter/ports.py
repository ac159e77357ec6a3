"""The protocols between the parts that have more than one implementation; their duties in prose."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

from adapter.job.commands import PlannedRun
from adapter.job.model import Host, Scope, Server, StepInstance
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
    """Targets to hosts. Answers from memory: never an I/O on a request's path (design D1)."""

    def is_ready(self) -> bool:
        """True once hosts have been loaded at least once."""
        ...

    def has_scope(self, scope: Scope) -> bool:
        """True if the business or business set exists."""
        ...

    def resolve(self, scope: Scope, server: Server) -> tuple[Host, ...]:
        """The hosts that `server` lists, as contract section f: static, then groups, then topo nodes, once each.

        host_ids non-empty means that ips are ignored. Groups and topo nodes give the members that are in the
        scope, possibly none. `server.variable` is not looked at.

        Raises HostsUnknown (1244030), HostsNotInScope (1244002), GroupUnknown (1211003).
        """
        ...

    def get(self, bk_host_id: int) -> Host | None:
        """The host of that id, None if the inventory has it no longer."""
        ...

    def variables(self, names: Iterable[str]) -> Mapping[str, Mapping[str, Any]]:
        """Ansible's variables of hosts by inventory name, merged as Ansible merges them.

        Values are as `ansible-inventory --list` prints them: {"__ansible_unsafe": text} marks text that must
        not be rendered, {"__ansible_vault": text} stays encrypted. Hosts that are gone are absent.
        """
        ...
