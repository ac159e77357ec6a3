"""What this service wants to know of BlueKing CMDB, in CMDB's words, and its answers as values.

A reply is believed row by row: one without an id, or about a host that was not asked for, is CmdbFailed. A job must
not run on a host because a filter was not understood.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from adapter.errors import CmdbFailed
from adapter.hosts.cmdb_client import Api, CmdbClient, Deadline, Row
from adapter.hosts.hostvars import canonical_ip
from adapter.job.model import Scope, TopoNode
from adapter.messages import say

BUSINESS = Api("search_business", "/api/v3/biz/search/{bk_supplier_account}", 200, "bk_biz_id")
BUSINESS_SET = Api("list_business_set", "/api/v3/findmany/biz_set", 500, "bk_biz_set_id", counts=False)
MEMBERS = Api(
    "list_business_in_business_set", "/api/v3/find/biz_set/biz_list", 500, "bk_biz_id", counts=False
)
OF_BUSINESS = Api("list_biz_hosts", "/api/v3/hosts/app/{bk_biz_id}/list_hosts", 500, "bk_host_id")
HOSTS = Api("list_hosts_without_biz", "/api/v3/hosts/list_hosts_without_app", 500, "bk_host_id")
RELATIONS = Api("find_host_biz_relations", "/api/v3/hosts/modules/read", 500)
#: A host is there once for each of its modules, so that its id alone gives no order.
OF_NODE = Api(
    "find_host_relations_with_topo",
    "/api/v3/findmany/hosts/relation/with_topo",
    500,
    "bk_host_id,bk_module_id",
)
OF_GROUP = Api("execute_dynamic_group", "/api/v3/dynamicgroup/data/{bk_biz_id}/{id}", 200, "bk_host_id")

_FIELDS = ["bk_host_id", "bk_cloud_id", "bk_host_innerip", "bk_host_innerip_v6"]
_RELATION = ["bk_biz_id", "bk_set_id", "bk_module_id", "bk_host_id"]
_VALUES = 500  #: most values of one filter, and hosts of one question about relations
_MAX_ID = 2**63 - 1


@dataclass(frozen=True, kw_only=True)
class CmdbHost:
    """A host as CMDB has it. It is in one business, or in none (the pool of resources)."""

    id: int
    cloud: int
    ips: tuple[str, ...]  #: canonical inner addresses, IPv4 first
    biz: int | None

    @property
    def ip(self) -> str:
        """The address that stands for it, "" if it has none."""
        return self.ips[0] if self.ips else ""


@dataclass(frozen=True)
class CmdbQuestions:
    """Asks; keeps nothing."""

    client: CmdbClient

    def has_business(self, biz_id: int, deadline: Deadline) -> bool:
        """True if there is such a business. CMDB leaves out those that are archived; the pool of hosts is none."""
        body = {"fields": ["bk_biz_id", "default"], "condition": {"bk_biz_id": biz_id}}
        rows = self.client.rows(BUSINESS, body, lambda row: _id(BUSINESS, row, "bk_biz_id"), deadline)
        _only(BUSINESS, (_id(BUSINESS, row, "bk_biz_id") for row in rows), {biz_id})
        return any(not row.get("default") for row in rows)

    def businesses(self, deadline: Deadline) -> tuple[int, ...]:
        """All businesses that are not archived; the pool of hosts is none."""
        body = {"fields": ["bk_biz_id", "default"]}
        rows = self.client.rows(BUSINESS, body, lambda row: _id(BUSINESS, row, "bk_biz_id"), deadline)
        return tuple(_id(BUSINESS, row, "bk_biz_id") for row in rows if not row.get("default"))

    def business_sets(self, deadline: Deadline) -> tuple[int, ...]:
        """All business sets."""
        body = {"fields": ["bk_biz_set_id"]}
        rows = self.client.rows(
            BUSINESS_SET, body, lambda row: _id(BUSINESS_SET, row, "bk_biz_set_id"), deadline
        )
        return tuple(_id(BUSINESS_SET, row, "bk_biz_set_id") for row in rows)

    def members(self, set_id: int, deadline: Deadline) -> tuple[int, ...] | None:
        """The businesses of a business set, None if there is no such set."""
        one = {
            "condition": "AND",
            "rules": [{"field": "bk_biz_set_id", "operator": "equal", "value": set_id}],
        }
        body: dict[str, Any] = {"bk_biz_set_filter": one, "fields": ["bk_biz_set_id"]}
        sets = self.client.rows(
            BUSINESS_SET, body, lambda row: _id(BUSINESS_SET, row, "bk_biz_set_id"), deadline
        )
        if not _only(BUSINESS_SET, (_id(BUSINESS_SET, row, "bk_biz_set_id") for row in sets), {set_id}):
            return None
        body = {"bk_biz_set_id": set_id, "fields": ["bk_biz_id"]}
        rows = self.client.rows(MEMBERS, body, lambda row: _id(MEMBERS, row, "bk_biz_id"), deadline)
        return tuple(_id(MEMBERS, row, "bk_biz_id") for row in rows)

    def of_business(self, biz_id: int, deadline: Deadline) -> list[CmdbHost]:
        """All hosts of a business, by id."""
        return self._hosts(OF_BUSINESS, {"bk_biz_id": biz_id, "fields": _FIELDS}, deadline, biz_id)

    def of_group(self, biz_id: int, group_id: str, deadline: Deadline) -> list[CmdbHost]:
        """The hosts of a dynamic group of a business. Raises CmdbRefused if CMDB does not give them."""
        body = {"bk_biz_id": biz_id, "id": group_id, "fields": _FIELDS, "disable_counter": False}
        return self._hosts(OF_GROUP, body, deadline, biz_id)

    def of_node(self, node: TopoNode, deadline: Deadline) -> dict[int, int]:
        """The hosts below a set, a module or a node of a level of one's own: the business of each host."""
        body = {"bk_obj_id": node.node_type, "bk_inst_ids": [node.id], "fields": _RELATION}
        rows = self.client.rows(
            OF_NODE, body, lambda row: tuple(row.get(name) for name in _RELATION), deadline
        )
        return {_id(OF_NODE, row, "bk_host_id"): _id(OF_NODE, row, "bk_biz_id") for row in rows}

    def by_ids(self, ids: Sequence[int], deadline: Deadline) -> list[CmdbHost]:
        """Those of the hosts that there are, of whatever business."""

        def chunk(wanted: Sequence[int]) -> list[CmdbHost]:
            rules = [{"field": "bk_host_id", "operator": "in", "value": list(wanted)}]
            hosts = self._hosts(HOSTS, _filtered(rules), deadline)
            _only(HOSTS, (host.id for host in hosts), set(wanted))
            return self._with_business(hosts, deadline)

        return [host for hosts in self.client.spread(chunk, _chunks(ids)) for host in hosts]

    def at(self, cloud: int, ips: Sequence[str], deadline: Deadline) -> list[CmdbHost]:
        """The hosts of a cloud area that have any of these canonical addresses, of one version of IP."""
        is_v6 = ":" in ips[0]
        name = "bk_host_innerip_v6" if is_v6 else "bk_host_innerip"

        def chunk(wanted: Sequence[str]) -> list[CmdbHost]:
            rules: list[dict[str, Any]] = [
                {"field": "bk_cloud_id", "operator": "equal", "value": cloud},
                {"field": name, "operator": "in", "value": _spellings(wanted) if is_v6 else list(wanted)},
            ]
            hosts = self._hosts(HOSTS, _filtered(rules), deadline)
            if any(host.cloud != cloud or not set(wanted).intersection(host.ips) for host in hosts):
                raise CmdbFailed(_not_asked_for(HOSTS))
            return self._with_business(hosts, deadline)

        size = _VALUES // 2 if is_v6 else _VALUES
        return [host for hosts in self.client.spread(chunk, _chunks(ips, size)) for host in hosts]

    def _with_business(self, hosts: Sequence[CmdbHost], deadline: Deadline) -> list[CmdbHost]:
        found: dict[int, int] = {}
        for chunk in _chunks([host.id for host in hosts]):
            rows = self.client.ask(RELATIONS, {"bk_host_id": list(chunk)}, deadline)
            if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
                raise CmdbFailed(
                    say("API {api}: {reason}", api=RELATIONS.name, reason="data is no list of rows")
                )
            found |= {_id(RELATIONS, row, "bk_host_id"): _id(RELATIONS, row, "bk_biz_id") for row in rows}
        return [replace(host, biz=found.get(host.id)) for host in hosts]

    def _hosts(
        self, api: Api, body: Mapping[str, Any], deadline: Deadline, biz: int | None = None
    ) -> list[CmdbHost]:
        rows = self.client.rows(api, body, lambda row: _id(api, row, "bk_host_id"), deadline)
        return [_host(api, row, biz) for row in rows]


def number_of(scope: Scope) -> int | None:
    """A scope's id as CMDB has ids, None for what cannot be one."""
    number = int(scope.id) if scope.id.isascii() and scope.id.isdecimal() and len(scope.id) < 20 else 0
    return number if 0 < number <= _MAX_ID else None


def _host(api: Api, row: Row, biz: int | None) -> CmdbHost:
    cloud = _number(row.get("bk_cloud_id"))
    if cloud is None:
        raise CmdbFailed(_no_number(api, "bk_cloud_id"))
    texts = [row.get("bk_host_innerip"), row.get("bk_host_innerip_v6")]
    words = [word.strip() for text in texts if isinstance(text, str) for word in text.split(",")]
    ips = dict.fromkeys(ip for word in words if (ip := canonical_ip(word)))
    return CmdbHost(id=_id(api, row, "bk_host_id"), cloud=cloud, ips=tuple(ips), biz=biz)


def _id(api: Api, row: Row, name: str) -> int:
    number = _number(row.get(name))
    if not number:
        raise CmdbFailed(_no_number(api, name))
    return number


def _number(value: Any) -> int | None:
    is_number = isinstance(value, int) and not isinstance(value, bool)
    return value if is_number and 0 <= value <= _MAX_ID else None


def _only(api: Api, found: Iterable[int], wanted: set[int]) -> bool:
    """True if any was found. Raises CmdbFailed for one that was not asked for: the filter was not understood."""
    ids = set(found)
    if ids - wanted:
        raise CmdbFailed(_not_asked_for(api))
    return bool(ids)


def _no_number(api: Api, name: str) -> str:
    return say("API {api}: {reason}", api=api.name, reason=f"a row has no {name}")


def _not_asked_for(api: Api) -> str:
    return say("API {api}: {reason}", api=api.name, reason="it answers with what was not asked for")


def _filtered(rules: list[dict[str, Any]]) -> dict[str, Any]:
    return {"fields": _FIELDS, "host_property_filter": {"condition": "AND", "rules": rules}}


def _spellings(ips: Iterable[str]) -> list[str]:
    """IPv6 as people write it and in full, as CMDB keeps it."""
    return [text for ip in ips for text in dict.fromkeys((ipaddress.ip_address(ip).exploded, ip))]


def _chunks(items: Sequence[Any], size: int = _VALUES) -> Iterator[Sequence[Any]]:
    return (items[start : start + size] for start in range(0, len(items), size))
