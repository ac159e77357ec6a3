"""Hosts of a job that a cron launches: those that are no more are marked, and the others run (contract f4)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import TypeVar

from adapter.errors import HostsNotInScope, HostsUnknown
from adapter.job.model import Host, IpRef, Scope, Server
from adapter.ports import Hosts

T = TypeVar("T")


def resolved(hosts: Hosts, scope: Scope, server: Server) -> tuple[Host, ...]:
    """As Hosts.resolve(), but what that refuses are invalid hosts among the others.

    One that was named by an address only has a number below 0 instead of an id. Raises GroupUnknown.
    """
    try:
        return hosts.resolve(scope, server)
    except (HostsUnknown, HostsNotInScope):
        pass
    # With ids JOB does not look at addresses.
    ids, refs = server.host_ids, server.ips
    found = _by_id(hosts, scope, ids) if ids else _by_address(hosts, scope, refs)
    gathered = replace(server, host_ids=(), ips=())
    if not gathered.is_empty:
        found |= {host.bk_host_id: host for host in hosts.resolve(scope, gathered)}
    return tuple(found.values())


def _by_id(hosts: Hosts, scope: Scope, ids: Sequence[int]) -> dict[int, Host]:
    def of(some: Sequence[int]) -> tuple[Host, ...]:
        return hosts.resolve(scope, Server(host_ids=tuple(some)))

    each = _each(of, ids)
    named = list(each)
    known = hosts.find([one for one in named if not isinstance(one, Host)])
    found = [
        one if isinstance(one, Host) else replace(known.get(one, _invalid(one)), is_invalid=True)
        for one in named
    ]
    return {host.bk_host_id: host for host in found}


def _by_address(hosts: Hosts, scope: Scope, refs: Sequence[IpRef]) -> dict[int, Host]:
    def of(some: Sequence[IpRef]) -> tuple[Host, ...]:
        return hosts.resolve(scope, Server(ips=tuple(some)))

    numbers = {ref: number for number, ref in enumerate(refs, 1)}
    found = [
        one if isinstance(one, Host) else _invalid(-numbers[one], one.bk_cloud_id, one.ip)
        for one in _each(of, refs)
    ]
    return {host.bk_host_id: host for host in found}


def _each(resolve: Callable[[Sequence[T]], tuple[Host, ...]], named: Sequence[T]) -> Iterator[Host | T]:
    """The hosts that are named, and what names none. By halves: a few of these among many cost a few look-ups."""
    try:
        yield from resolve(named)
    except (HostsUnknown, HostsNotInScope):
        if len(named) == 1:
            yield named[0]
            return
        middle = len(named) // 2
        yield from _each(resolve, named[:middle])
        yield from _each(resolve, named[middle:])


def _invalid(bk_host_id: int, bk_cloud_id: int = 0, ip: str = "") -> Host:
    """Its name is none that an inventory can have, so it is never taken for another host."""
    label = f"{bk_cloud_id}:{ip}" if ip else str(bk_host_id)
    name = f"invalid host {label}"
    return Host(bk_host_id=bk_host_id, bk_cloud_id=bk_cloud_id, ip=ip, name=name, is_invalid=True)
