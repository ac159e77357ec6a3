"""Targets to hosts (contract section f): a pure look-up in a HostIndex."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from adapter.errors import GroupUnknown, HostsNotInScope, HostsUnknown
from adapter.hosts.groups import dynamic_group, topo_node
from adapter.hosts.index import HostIndex
from adapter.job.model import Host, IpRef, Scope, Server, TopoNode
from adapter.job.status import HostStatus

_NOBODY: frozenset[int] = frozenset()


def has_scope(index: HostIndex, scope: Scope) -> bool:
    """True if the inventory has the scope's group, or it is the default business."""
    return scope in index.scopes


def resolve(index: HostIndex, scope: Scope, server: Server) -> tuple[Host, ...]:
    """The hosts `server` lists within `scope`, as the Hosts port promises."""
    inside = index.scopes.get(scope, _NOBODY)
    chosen = dict.fromkeys(_static(index, scope, inside, server))
    for ids in _gathered(index, server):
        chosen.update(dict.fromkeys(filter(inside.__contains__, ids)))
    return tuple(map(index.hosts.__getitem__, chosen))


def within(index: HostIndex, scope: Scope, bk_host_ids: Iterable[int]) -> tuple[Host, ...]:
    """Those of the hosts that are in the scope."""
    inside = index.scopes.get(scope, _NOBODY)
    return tuple(index.hosts[bk_host_id] for bk_host_id in dict.fromkeys(bk_host_ids) if bk_host_id in inside)


def find(index: HostIndex, bk_host_ids: Iterable[int]) -> dict[int, Host]:
    """Those of the hosts that the inventory has."""
    wanted = dict.fromkeys(bk_host_ids)
    return {bk_host_id: index.hosts[bk_host_id] for bk_host_id in wanted if bk_host_id in index.hosts}


def present(index: HostIndex, hosts: Iterable[Host]) -> dict[int, Host]:
    """Hosts that the inventory still has, as they were but for the name it now has for them."""
    found = {}
    for host in hosts:
        now = index.hosts.get(host.bk_host_id)
        if now is not None:
            found[host.bk_host_id] = host if host.name == now.name else replace(host, name=now.name)
    return found


def absence(_host: Host) -> tuple[HostStatus, str]:
    """Of a host that is not present."""
    return HostStatus.INVALID_HOST, "the inventory has it no longer"


def variables(index: HostIndex, hosts: Iterable[Host]) -> dict[str, Mapping[str, Any]]:
    """Variables by name; hosts that are gone are absent."""
    return {host.name: index.variables.get(host.name, {}) for host in hosts if host.name in index.names}


def _static(index: HostIndex, scope: Scope, inside: frozenset[int], server: Server) -> tuple[int, ...]:
    if server.host_ids:
        # What is inside is known as well; only the rest is worth telling apart.
        outside = {bk_host_id: str(bk_host_id) for bk_host_id in server.host_ids if bk_host_id not in inside}
        _refuse([label for bk_host_id, label in outside.items() if bk_host_id not in index.hosts])
        ids = server.host_ids
    else:
        ids = _at(index, server.ips)
        outside = {
            bk_host_id: index.hosts[bk_host_id].label for bk_host_id in ids if bk_host_id not in inside
        }
    if outside:
        raise HostsNotInScope(scope.id, list(outside.values()))
    return ids


def _at(index: HostIndex, ips: tuple[IpRef, ...]) -> tuple[int, ...]:
    clouds = {ref.bk_cloud_id: index.addresses.get(ref.bk_cloud_id, {}) for ref in ips}
    ids = [bk_host_id for ref in ips if (bk_host_id := clouds[ref.bk_cloud_id].get(ref.ip)) is not None]
    if len(ids) == len(ips):
        return tuple(ids)
    found = {ref: index.at(ref.bk_cloud_id, ref.ip) for ref in ips}  # some are spelled otherwise, or unknown
    _refuse([f"{ref.bk_cloud_id}:{ref.ip}" for ref, host in found.items() if host is None])
    return tuple(host.bk_host_id for host in found.values() if host is not None)


def _refuse(unknown: list[str]) -> None:
    if unknown:
        raise HostsUnknown(unknown)


def _gathered(index: HostIndex, server: Server) -> Iterator[tuple[int, ...]]:
    """The members of each group, then of each topo node, still of any business."""
    for group_id in dict.fromkeys(server.dynamic_groups):
        name = dynamic_group(group_id)
        if name not in index.groups:
            raise GroupUnknown(group_id)
        yield index.groups[name]
    for node in dict.fromkeys(server.topo_nodes):
        yield _node(index, node)


def _node(index: HostIndex, node: TopoNode) -> tuple[int, ...]:
    if node.node_type == "biz":  # its group alone would lack what the default business has besides
        return index.businesses.get(str(node.id), ())
    return index.groups.get(topo_node(node.node_type, node.id), ())
