"""The Hosts port over BlueKing CMDB: asked at submit, its answers kept for a while; the second implementation."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

import structlog

from adapter.errors import (
    CmdbFailed,
    CmdbGroupFailed,
    CmdbRefused,
    CmdbUnreachable,
    HostsNotInScope,
    HostsUnknown,
    InvalidParameter,
    NotSupported,
)
from adapter.hosts import connections
from adapter.hosts.cmdb_client import CmdbClient, Deadline
from adapter.hosts.cmdb_questions import CmdbHost, CmdbQuestions, number_of
from adapter.hosts.hostvars import canonical_ip
from adapter.hosts.inventory import InventoryHosts
from adapter.hosts.kept import Kept
from adapter.job.model import Host, IpRef, Scope, Server, TopoNode
from adapter.job.status import HostStatus
from adapter.messages import say

Businesses = tuple[int, ...]

log = structlog.get_logger(__name__)

_AGAIN_SECONDS = 5.0  #: for which a step that begins waits for CMDB, which told of its hosts at the launch
_GROUP_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")  # it becomes a part of a path
_MOST_SEARCHED = 50  #: businesses of a set in which a dynamic group is looked for


class CmdbHosts:
    """Hosts, businesses and groups are CMDB's; how Ansible reaches them is the inventory's (connections.py).

    `ttl` is seconds that an answer counts; an error is never kept, nor that something is not there. `timeout` is
    seconds for everything that one question of the service needs of CMDB. With `inventory` go the same duties
    as where it is the only source: it is read in the background, before that nothing is answered.
    """

    def __init__(self, client: CmdbClient, inventory: InventoryHosts, *, ttl: float, timeout: float) -> None:
        self._client = client
        self._ask = CmdbQuestions(client)
        self._inventory = inventory
        self._timeout = timeout
        self._scopes = Kept[Scope, Businesses](ttl)
        self._hosts = Kept[int, CmdbHost](ttl)
        self._addresses = Kept[IpRef, tuple[int, ...]](ttl)
        self._groups = Kept[tuple[int, str], tuple[int, ...]](ttl)
        self._nodes = Kept[TopoNode, tuple[int, ...]](ttl)

    def start(self) -> None:
        """Read the inventory in the background, now and whenever it changes."""
        self._inventory.start()

    def stop(self) -> None:
        """End the background thread and the connections to CMDB."""
        self._inventory.stop()
        self._client.close()

    def reload(self) -> None:
        """Read the inventory now. Raises InventoryError."""
        self._inventory.reload()

    def is_ready(self) -> bool:
        """True once the inventory has been read. Whether CMDB answers, each launch sees: jobs go on without it."""
        return self._inventory.is_ready()

    def has_scope(self, scope: Scope) -> bool:
        """True if CMDB has the business or business set, and it is not archived."""
        return self._businesses(scope, Deadline(self._timeout)) is not None

    def scopes(self) -> frozenset[Scope]:
        """The businesses and business sets that CMDB has, asked anew each time."""
        deadline = Deadline(self._timeout)
        businesses, sets = self._ask.businesses(deadline), self._ask.business_sets(deadline)
        return frozenset(
            [Scope("biz", str(id_)) for id_ in businesses] + [Scope("biz_set", str(id_)) for id_ in sets]
        )

    def resolve(self, scope: Scope, server: Server) -> tuple[Host, ...]:
        """The hosts `server` lists within `scope`."""
        deadline = Deadline(self._timeout)
        index = self._inventory.index
        inside = self._businesses(scope, deadline) or ()
        chosen = {host.id: host for host in self._static(scope, inside, server, deadline)}
        for group_id in dict.fromkeys(server.dynamic_groups):
            chosen |= {host.id: host for host in self._group(inside, group_id, deadline)}
        for node in dict.fromkeys(server.topo_nodes):
            chosen |= {host.id: host for host in self._node(inside, node, deadline)}
        return tuple(connections.named(index, _plain(host)) for host in chosen.values())

    def within(self, scope: Scope, bk_host_ids: Iterable[int]) -> tuple[Host, ...]:
        """Those of the hosts that are in the scope."""
        deadline, index = Deadline(self._timeout), self._inventory.index
        inside = self._businesses(scope, deadline) or ()
        found = self._by_ids(bk_host_ids, deadline).values()
        return tuple(connections.named(index, _plain(host)) for host in found if host.biz in inside)

    def find(self, bk_host_ids: Iterable[int]) -> Mapping[int, Host]:
        """Those hosts that CMDB has, by id."""
        index = self._inventory.index
        found = self._by_ids(bk_host_ids, Deadline(self._timeout))
        return {id_: connections.named(index, _plain(host)) for id_, host in found.items()}

    def named(self, word: str) -> Host | None:
        """The host that a person means: a name in the inventory, a bk_host_id, or an address in cloud area 0."""
        deadline, index = Deadline(self._timeout), self._inventory.index
        own = index.names.get(word)
        if own is not None and own.bk_host_id < 0:
            word = own.ip
        ids = (
            [own.bk_host_id]
            if own is not None and own.bk_host_id > 0
            else [int(word)]
            if word.isdecimal()
            else []
        )
        if ids:
            return self.find(ids).get(ids[0])
        ip = canonical_ip(word)
        cloud = own.bk_cloud_id if own is not None else 0
        at = self._addressed([IpRef(bk_cloud_id=cloud, ip=ip)], deadline) if ip else {}
        hosts = [host for found in at.values() for host in found]
        return connections.named(index, _plain(hosts[0])) if len(hosts) == 1 else None

    def some_names(self) -> str:
        """What names of hosts there are, in words."""
        return "hosts are CMDB's"

    def businesses_of(self, bk_host_id: int) -> tuple[str, ...]:
        """The id of the business a host is in."""
        host = self._by_ids([bk_host_id], Deadline(self._timeout)).get(bk_host_id)
        return () if host is None or host.biz is None else (str(host.biz),)

    def present(self, hosts: Iterable[Host]) -> Mapping[int, Host]:
        """Hosts of a job that CMDB still has, where they now are; all as the job has them if CMDB does not answer.

        A host without an address is not present. What is waited for CMDB is bounded: see _AGAIN_SECONDS.
        """
        index = self._inventory.index
        hosts = list(hosts)
        try:
            now = self._by_ids(
                (host.bk_host_id for host in hosts), Deadline(min(self._timeout, _AGAIN_SECONDS))
            )
            hosts = [_plain(now[host.bk_host_id]) for host in hosts if host.bk_host_id in now]
        except (CmdbUnreachable, CmdbFailed) as error:
            log.warning("hosts_are_taken_as_they_were_at_the_launch", hosts=len(hosts), error=error.message)
        return {
            host.bk_host_id: connections.named(index, host)
            for host in hosts
            if connections.is_reachable(index, host)
        }

    def absence(self, host: Host) -> tuple[HostStatus, str]:
        """As JOB has it: a host without an agent and an address (contract f5), or one that CMDB has no longer."""
        if connections.is_reachable(self._inventory.index, host):
            return HostStatus.INVALID_HOST, "CMDB has it no longer"
        return (
            HostStatus.NO_AGENT,
            f"CMDB has no inner address of it, and the inventory no host with bk_host_id {host.bk_host_id}",
        )

    def variables(self, hosts: Iterable[Host]) -> Mapping[str, Mapping[str, Any]]:
        """What the inventory says of each, with the address that CMDB has of it."""
        index = self._inventory.index
        return {host.name: connections.variables(index, host) for host in hosts}

    def _businesses(self, scope: Scope, deadline: Deadline) -> Businesses | None:
        """Those of a scope, None if there is no such scope."""
        if (kept := self._scopes.of([scope])) or (number := number_of(scope)) is None:
            return kept.get(scope)
        asked = self._scopes.now()
        if scope.type == "biz_set":
            found = self._ask.members(number, deadline)
        else:
            found = (number,) if self._ask.has_business(number, deadline) else None
        if found is not None:
            self._scopes.put({scope: found}, asked)
        return found

    def _static(self, scope: Scope, inside: Businesses, server: Server, deadline: Deadline) -> list[CmdbHost]:
        if server.host_ids:
            known = self._by_ids(server.host_ids, deadline)
            _refuse(str(id_) for id_ in server.host_ids if id_ not in known)
            hosts = [known[id_] for id_ in dict.fromkeys(server.host_ids)]
            outside = [str(host.id) for host in hosts if host.biz not in inside]
        else:
            hosts = self._at(inside, server.ips, deadline)
            outside = [_plain(host).label for host in hosts if host.biz not in inside]
        if outside:
            raise HostsNotInScope(scope.id, outside)
        return hosts

    def _by_ids(self, ids: Iterable[int], deadline: Deadline) -> dict[int, CmdbHost]:
        """Those that there are, in the order of the ids."""
        wanted = list(dict.fromkeys(ids))
        found = self._hosts.of(wanted)
        missing = [id_ for id_ in wanted if id_ not in found]
        if missing:
            asked = self._hosts.now()
            answers = {host.id: host for host in self._ask.by_ids(missing, deadline)}
            self._hosts.put(answers, asked)
            found |= answers
        return {id_: found[id_] for id_ in wanted if id_ in found}

    def _at(self, inside: Businesses, refs: tuple[IpRef, ...], deadline: Deadline) -> list[CmdbHost]:
        """The host of each address. Two of one address are told apart by business, or refused."""
        canonical = {
            ref: IpRef(bk_cloud_id=ref.bk_cloud_id, ip=ip) for ref in refs if (ip := canonical_ip(ref.ip))
        }
        at = self._addressed(list(dict.fromkeys(canonical.values())), deadline)
        _refuse(f"{ref.bk_cloud_id}:{ref.ip}" for ref in refs if not at.get(canonical.get(ref, ref)))
        return [_one(ref, at[canonical[ref]], inside) for ref in dict.fromkeys(refs)]

    def _addressed(self, refs: list[IpRef], deadline: Deadline) -> dict[IpRef, list[CmdbHost]]:
        """The hosts at canonical addresses; an address that nobody has is absent."""
        found = self._kept_at(refs)
        missing: dict[tuple[int, bool], list[str]] = {}
        for ref in refs:
            if ref not in found:
                missing.setdefault((ref.bk_cloud_id, ":" in ref.ip), []).append(ref.ip)
        for (cloud, _), ips in missing.items():
            asked = self._hosts.now()
            hosts = {host.id: host for host in self._ask.at(cloud, ips, deadline)}
            answers: dict[IpRef, list[CmdbHost]] = {}
            for host in hosts.values():
                for ip in set(ips).intersection(host.ips):
                    answers.setdefault(IpRef(bk_cloud_id=cloud, ip=ip), []).append(host)
            self._hosts.put(hosts, asked)
            self._addresses.put(
                {ref: tuple(host.id for host in each) for ref, each in answers.items()}, asked
            )
            found |= answers
        return found

    def _kept_at(self, refs: list[IpRef]) -> dict[IpRef, list[CmdbHost]]:
        """Those of which everything still counts, and agrees."""
        kept = self._addresses.of(refs)
        hosts = self._hosts.of(id_ for ids in kept.values() for id_ in ids)
        return {
            ref: [hosts[id_] for id_ in ids]
            for ref, ids in kept.items()
            if all(_is_at(hosts.get(id_), ref) for id_ in ids)
        }

    def _group(self, inside: Businesses, group_id: str, deadline: Deadline) -> list[CmdbHost]:
        """The members of a dynamic group, which belongs to one of the businesses."""
        if not _GROUP_ID.fullmatch(group_id):
            raise CmdbGroupFailed(group_id, say("no dynamic group has such an id"))
        if len(inside) > _MOST_SEARCHED:
            raise NotSupported(
                say(
                    "dynamic groups in a business set of more than {limit} businesses; name the group's business",
                    limit=_MOST_SEARCHED,
                )
            )
        refusal = None
        for biz in inside:
            try:
                return self._members(biz, group_id, deadline)
            except CmdbRefused as error:
                refusal = error.detail
        if refusal is not None:
            raise CmdbGroupFailed(group_id, refusal)
        return []

    def _members(self, biz: int, group_id: str, deadline: Deadline) -> list[CmdbHost]:
        key = (biz, group_id)
        if (kept := self._groups.of([key]).get(key)) is not None:
            return [host for host in self._by_ids(kept, deadline).values() if host.biz == biz]
        asked = self._groups.now()
        hosts = self._ask.of_group(biz, group_id, deadline)
        self._keep(hosts, asked)
        self._groups.put({key: tuple(host.id for host in hosts)}, asked)
        return hosts

    def _node(self, inside: Businesses, node: TopoNode, deadline: Deadline) -> list[CmdbHost]:
        """The hosts below a topo node that are in the businesses."""
        if node.node_type == "biz_set":
            members = self._businesses(Scope("biz_set", str(node.id)), deadline) or ()
        else:
            members = (node.id,)
        if node.node_type in ("biz", "biz_set"):
            mine = [biz for biz in members if biz in inside]
            return [host for biz in mine for host in self._of_business(biz, deadline)]
        if node.id < 1 or not node.node_type or not inside:
            return []
        kept = self._nodes.of([node]).get(node)
        if kept is None:
            asked = self._nodes.now()
            kept = tuple(self._ask.of_node(node, deadline))
            self._nodes.put({node: kept}, asked)
        return [host for host in self._by_ids(kept, deadline).values() if host.biz in inside]

    def _of_business(self, biz: int, deadline: Deadline) -> list[CmdbHost]:
        node = TopoNode(id=biz, node_type="biz")
        kept = self._nodes.of([node]).get(node)
        if kept is not None:
            return [host for host in self._by_ids(kept, deadline).values() if host.biz == biz]
        asked = self._nodes.now()
        hosts = self._ask.of_business(biz, deadline)
        self._keep(hosts, asked)
        self._nodes.put({node: tuple(host.id for host in hosts)}, asked)
        return hosts

    def _keep(self, hosts: Iterable[CmdbHost], asked: float) -> None:
        self._hosts.put({host.id: host for host in hosts}, asked)


def _plain(host: CmdbHost) -> Host:
    return Host(bk_host_id=host.id, bk_cloud_id=host.cloud, ip=host.ip, name="")


def _is_at(host: CmdbHost | None, ref: IpRef) -> bool:
    return host is not None and host.cloud == ref.bk_cloud_id and ref.ip in host.ips


def _refuse(unknown: Iterable[str]) -> None:
    if labels := list(dict.fromkeys(unknown)):
        raise HostsUnknown(labels)


def _one(ref: IpRef, hosts: list[CmdbHost], inside: Businesses) -> CmdbHost:
    mine = [host for host in hosts if host.biz in inside] or hosts
    if len(mine) > 1:
        raise InvalidParameter(
            "ip_list",
            say(
                "{cloud}:{ip} is the address of hosts {ids}; name one by its bk_host_id",
                cloud=ref.bk_cloud_id,
                ip=ref.ip,
                ids=", ".join(str(host.id) for host in mine),
            ),
        )
    return mine[0]
