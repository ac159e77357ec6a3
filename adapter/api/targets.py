"""Hosts and accounts as requests list them, in both dialects, and the values made of them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from adapter.api.fields import BaseSchema, Many, Number, Object, Text
from adapter.job.commands import AccountRef
from adapter.job.model import IpRef, Server, TopoNode
from adapter.messages import say

_OCTET = "(25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
_IPV4 = re.compile(rf"{_OCTET}(\.{_OCTET}){{3}}")


class Ipv4(Text):
    """An IPv4 address; blanks around it are an error, as in JOB."""

    def read(self, value: Any) -> str:
        """The address."""
        text = super().read(value)
        if not _IPV4.fullmatch(text):
            raise self.wrong(say("an IPv4 address without blanks"), value)
        return text


class Timeout(Number):
    """Seconds a step may take; 7200 unless another default is given."""

    def __init__(self, *, at_least: int = 1, at_most: int = 259_200, load_default: int | None = 7200) -> None:
        super().__init__(at_least=at_least, at_most=at_most, load_default=load_default)


class HostIp(BaseSchema):
    """v3 `ip_list`."""

    bk_cloud_id = Number(required=True, at_least=0)
    ip = Ipv4(required=True)


class HostIpV2(BaseSchema):
    """v2 `ip_list`: blanks are cut off, the form is not checked."""

    bk_cloud_id = Number(required=True, at_least=0)
    ip = Text(required=True, strip=True, at_most=64)


class DynamicGroup(BaseSchema):
    """`dynamic_group_list`."""

    id = Text(required=True, strip=True)


class TopoNodeFields(BaseSchema):
    """`topo_node_list`."""

    id = Number(required=True)
    node_type = Text(required=True, strip=True)


class ServerFields(BaseSchema):
    """v3 `target_server`, `file_source.server`, `global_var.server`."""

    host_id_list = Many(Number(required=True))
    ip_list = Many(Object(HostIp, required=True))
    dynamic_group_list = Many(Object(DynamicGroup, required=True))
    topo_node_list = Many(Object(TopoNodeFields, required=True))


class UncheckedServerFields(ServerFields):
    """`target_server` of the v3 APIs that trim addresses before they look at them."""

    ip_list = Many(Object(HostIpV2, required=True))


class _ServerFieldsV2(BaseSchema):
    ip_list = Many(Object(HostIpV2, required=True))
    dynamic_group_id_list = Many(Text(required=True, strip=True))
    topo_node_list = Many(Object(TopoNodeFields, required=True))


class TargetsV2(BaseSchema):
    """The three ways v2 lists hosts."""

    ip_list = Many(Object(HostIpV2, required=True))
    custom_query_id = Many(Text(required=True, strip=True))
    target_server = Object(_ServerFieldsV2)


class AccountFields(BaseSchema):
    """v3 `file_source.account`."""

    id = Number()
    alias = Text(strip=True)


def server(fields: Mapping[str, Any] | None) -> Server:
    """A v3 server; the empty one for None."""
    if fields is None:
        return Server()
    return Server(
        host_ids=tuple(fields["host_id_list"]),
        ips=_ips(fields["ip_list"]),
        dynamic_groups=tuple(group["id"] for group in fields["dynamic_group_list"]),
        topo_nodes=topo_nodes(fields["topo_node_list"]),
    )


def server_v2(fields: Mapping[str, Any]) -> Server:
    """`target_server` if it is there, else ip_list and custom_query_id merged (contract f2)."""
    whole = fields["target_server"]
    if whole is None:
        return Server(ips=_ips(fields["ip_list"]), dynamic_groups=tuple(fields["custom_query_id"]))
    return Server(
        ips=_ips(whole["ip_list"]),
        dynamic_groups=tuple(whole["dynamic_group_id_list"]),
        topo_nodes=topo_nodes(whole["topo_node_list"]),
    )


def account(id_: int | None, alias: str | None) -> AccountRef | None:
    """The account that is meant: an id of at least 1 wins. None if neither names one."""
    if id_ is not None and id_ >= 1:
        return AccountRef(id=id_)
    return AccountRef(alias=alias) if alias else None


def _ips(items: Iterable[Mapping[str, Any]]) -> tuple[IpRef, ...]:
    return tuple(IpRef(bk_cloud_id=item["bk_cloud_id"], ip=item["ip"]) for item in items)


def topo_nodes(items: Iterable[Mapping[str, Any]]) -> tuple[TopoNode, ...]:
    """The nodes of a `topo_node_list`."""
    return tuple(TopoNode(id=item["id"], node_type=item["node_type"]) for item in items)
