"""Hosts of a step by what became of them: JOB's result groups (contract c, get_step_instance_status)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from adapter.job.model import HostResult
from adapter.job.status import HostStatus


@dataclass(frozen=True, kw_only=True)
class ResultGroup:
    """The hosts with one status and one tag. `size` counts also those that are not listed."""

    status: HostStatus
    tag: str
    size: int
    hosts: tuple[HostResult, ...]


def grouped(results: Iterable[HostResult]) -> tuple[ResultGroup, ...]:
    """Every group that has a host, by status, then by tag; hosts stay in order."""
    found: dict[tuple[HostStatus, str], list[HostResult]] = {}
    for result in results:
        found.setdefault((result.status, result.tag), []).append(result)
    return tuple(
        ResultGroup(status=status, tag=tag, size=len(hosts), hosts=tuple(hosts))
        for (status, tag), hosts in sorted(found.items())
    )


def matching(groups: Iterable[ResultGroup], bk_host_ids: set[int]) -> tuple[ResultGroup, ...]:
    """The same groups with only those of the hosts, also where none is left."""
    kept = [
        replace(group, hosts=tuple(item for item in group.hosts if item.host.bk_host_id in bk_host_ids))
        for group in groups
    ]
    return tuple(replace(group, size=len(group.hosts)) for group in kept)


def only(groups: tuple[ResultGroup, ...], status: int, tag: str) -> tuple[ResultGroup, ...]:
    """Hosts are listed in this group alone; in the first one if there is no such group, as JOB does."""
    wanted = next((group for group in groups if (group.status, group.tag) == (status, tag)), None)
    wanted = wanted or next(iter(groups), None)
    return tuple(group if group is wanted else replace(group, hosts=()) for group in groups)


def at_most(groups: Iterable[ResultGroup], hosts: int) -> tuple[ResultGroup, ...]:
    """No more than so many hosts are listed in each."""
    return tuple(replace(group, hosts=group.hosts[:hosts]) for group in groups)
