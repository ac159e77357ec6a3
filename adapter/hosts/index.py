"""What an inventory says, arranged so that a request's targets are found without searching."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from adapter.hosts.groups import GroupTree, scope_of
from adapter.hosts.hostvars import Identity, canonical_ip, identify
from adapter.job.model import Host, Scope

#: Gives hosts without a bk_host_id a stable one: (names, ids that are taken) -> {name: id}.
IdsFor = Callable[[list[str], Collection[int]], Mapping[str, int]]

_MAX_NAME = 255  #: characters; the width of the store's columns


@dataclass(frozen=True, kw_only=True)
class HostIndex:
    """One reading of an inventory. Nothing in it changes: a new reading is a new index."""

    hosts: Mapping[int, Host] = field(default_factory=dict)  #: by bk_host_id, in inventory order
    names: Mapping[str, Host] = field(default_factory=dict)
    addresses: Mapping[int, Mapping[str, int]] = field(default_factory=dict)  #: cloud, canonical ip: id
    groups: Mapping[str, tuple[int, ...]] = field(default_factory=dict)  #: groups that have a meaning
    scopes: Mapping[Scope, frozenset[int]] = field(default_factory=dict)
    businesses: Mapping[str, tuple[int, ...]] = field(default_factory=dict)  #: hosts by business id, in order
    variables: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)  #: by name; may lack a host
    warnings: tuple[str, ...] = ()  #: what in the inventory was left out or ignored, and why

    def at(self, bk_cloud_id: int, ip: str) -> Host | None:
        """The host of an address in any spelling, None if there is none."""
        cloud = self.addresses.get(bk_cloud_id, {})
        bk_host_id = cloud.get(ip)
        if bk_host_id is None and (canonical := canonical_ip(ip)):
            bk_host_id = cloud.get(canonical)
        return None if bk_host_id is None else self.hosts[bk_host_id]

    def named(self, word: str) -> Host | None:
        """The host that a person means: a name, a bk_host_id, or an address in cloud area 0."""
        if word in self.names:
            return self.names[word]
        if word.isdecimal() and int(word) in self.hosts:
            return self.hosts[int(word)]
        return self.at(0, word)

    def some_names(self) -> str:
        """A few names of hosts, in words."""
        return f"the inventory has {', '.join(list(self.names)[:5])} …"

    def businesses_of(self, bk_host_id: int) -> tuple[str, ...]:
        """The ids of the businesses a host is in."""
        return tuple(
            scope.id for scope, hosts in self.scopes.items() if scope.type == "biz" and bk_host_id in hosts
        )


def build_index(data: Mapping[str, Any], *, ids_for: IdsFor, default_biz: str) -> HostIndex:
    """The index of what `ansible-inventory --list` printed."""
    tree = GroupTree(data)
    variables = _hostvars(data)
    warnings: list[str] = []
    hosts = _hosts(tree, variables, ids_for, warnings)
    names = {host.name: host for host in hosts.values()}
    groups = {group: _ids(tree.members(group), names) for group in tree.meaningful()}
    scopes = {scope: frozenset(ids) for group, ids in groups.items() if (scope := scope_of(group))}
    businesses = {scope.id: groups[str(scope)] for scope in scopes if scope.type == "biz"}

    placed = frozenset[int]().union(*(scopes[Scope("biz", biz)] for biz in businesses))
    home = Scope("biz", default_biz)
    scopes[home] = scopes.get(home, frozenset()) | (hosts.keys() - placed)
    businesses[default_biz] = tuple(bk_host_id for bk_host_id in hosts if bk_host_id in scopes[home])
    return HostIndex(
        hosts=hosts,
        names=names,
        addresses=_addresses(hosts, warnings),
        groups=groups,
        scopes=scopes,
        businesses=businesses,
        variables={name: variables[name] for name in names if name in variables},
        warnings=tuple(warnings),
    )


def _hostvars(data: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    meta = data.get("_meta")
    hostvars = meta.get("hostvars") if isinstance(meta, dict) else None
    found = hostvars if isinstance(hostvars, dict) else {}
    return {name: values for name, values in found.items() if isinstance(values, dict)}


def _hosts(
    tree: GroupTree, variables: Mapping[str, Mapping[str, Any]], ids_for: IdsFor, warnings: list[str]
) -> dict[int, Host]:
    identities: dict[str, Identity] = {}
    for name in tree.all_hosts():
        # Printable also means that every database can store it.
        if not 0 < len(name) <= _MAX_NAME or not name.isprintable():
            shown = name[:40]
            warnings.append(
                f"host {shown!r} is left out: a name has at most {_MAX_NAME} characters, all printable"
            )
            continue
        identities[name] = identity = identify(name, variables.get(name, {}))
        warnings.extend(f"host {name}: {problem}" for problem in identity.problems)

    given = {i.bk_host_id for i in identities.values() if i.bk_host_id is not None}
    without = [name for name, identity in identities.items() if identity.bk_host_id is None]
    generated = ids_for(without, given) if without else {}

    hosts: dict[int, Host] = {}
    for name, identity in identities.items():
        bk_host_id = generated[name] if identity.bk_host_id is None else identity.bk_host_id
        if bk_host_id in hosts:
            warnings.append(
                f"host {name} is left out: its bk_host_id {bk_host_id} is that of {hosts[bk_host_id].name};"
                " give it another or none"
            )
            continue
        hosts[bk_host_id] = Host(
            bk_host_id=bk_host_id, bk_cloud_id=identity.bk_cloud_id, ip=identity.ip, name=name
        )
    return hosts


def _addresses(hosts: Mapping[int, Host], warnings: list[str]) -> dict[int, dict[str, int]]:
    addresses: dict[int, dict[str, int]] = {}
    for host in hosts.values():
        if not host.ip:
            continue
        first = hosts[addresses.setdefault(host.bk_cloud_id, {}).setdefault(host.ip, host.bk_host_id)]
        if first is not host:
            warnings.append(
                f"host {host.name} has the address {host.label} of {first.name}: by ip only {first.name} is"
                f" found, {host.name} by its bk_host_id {host.bk_host_id} and its groups;"
                " separate networks need different bk_cloud_id"
            )
    return addresses


def _ids(members: Mapping[str, None], names: Mapping[str, Host]) -> tuple[int, ...]:
    return tuple(names[name].bk_host_id for name in members if name in names)
