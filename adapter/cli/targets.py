"""TARGET of the local commands: hosts as a person names them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import click

from adapter.hosts.index import HostIndex
from adapter.job.model import IpRef, Scope, Server, TopoNode


@dataclass(frozen=True)
class Target:
    """What was named, and the business it is in."""

    scope: Scope
    server: Server


def parse_target(text: str, index: HostIndex, scope: Scope | None) -> Target:
    """Comma-separated: an inventory name, a bk_host_id, an ip, `module:1000` (any topo node), `group:<id>`.

    Without `scope` it is the business of the named hosts; they must then share one.
    """
    ids: list[int] = []
    groups: list[str] = []
    nodes: list[TopoNode] = []
    for word in filter(None, (part.strip() for part in text.split(","))):
        kind, _, name = word.partition(":")
        if kind == "group" and name:
            groups.append(name)
        elif name.isdigit() and kind.isidentifier():
            nodes.append(TopoNode(id=int(name), node_type=kind))
        else:
            ids.append(_host_id(word, index))
    server = Server(host_ids=tuple(ids), dynamic_groups=tuple(groups), topo_nodes=tuple(nodes))
    if server.is_empty:
        raise click.BadParameter("names no host", param_hint="TARGET")
    return Target(scope or _scope_of(ids, index), server)


def split_source(text: str) -> tuple[str, str]:
    """`HOST:/path` as host and path, `/path` as one of `localhost`; names of hosts and of files may have colons."""
    host, colon, path = text.partition(":/")
    if text.startswith("/"):
        return "localhost", text
    if not (host and colon):
        raise click.BadParameter(f"{text!r} is neither HOST:/path nor /path", param_hint="SRC")
    return host, f"/{path}"


def _host_id(word: str, index: HostIndex) -> int:
    if word in index.names:
        return index.names[word].bk_host_id
    if word.isdigit() and int(word) in index.hosts:
        return int(word)
    found = index.at(0, IpRef(bk_cloud_id=0, ip=word).ip)
    if found is not None:
        return found.bk_host_id
    known = ", ".join(list(index.names)[:5])
    raise click.BadParameter(
        f"{word!r} is no host of the inventory (name, bk_host_id or ip); it has {known} …",
        param_hint="TARGET",
    )


def _scope_of(ids: Iterable[int], index: HostIndex) -> Scope:
    shared: set[str] | None = None
    for host_id in ids:
        businesses = set(index.businesses_of(host_id))
        shared = businesses if shared is None else shared & businesses
    if not shared:
        raise click.BadParameter("name the business with --scope biz:ID", param_hint="TARGET")
    return Scope("biz", sorted(shared)[0])
