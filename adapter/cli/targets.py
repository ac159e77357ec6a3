"""TARGET of the local commands: hosts as a person names them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

import click

from adapter.job.model import Host, Scope, Server, TopoNode


class Known(Protocol):
    """What there is to be named: a HostIndex, or CmdbHosts."""

    def named(self, word: str) -> Host | None:
        """The host of a name, an id or an address."""
        ...

    def businesses_of(self, bk_host_id: int) -> tuple[str, ...]:
        """The ids of the businesses a host is in."""
        ...

    def some_names(self) -> str:
        """A few names, for who has forgotten them."""
        ...


@dataclass(frozen=True)
class Target:
    """What was named, and the business it is in."""

    scope: Scope
    server: Server


def parse_target(text: str, known: Known, scope: Scope | None) -> Target:
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
            ids.append(_host_id(word, known))
    server = Server(host_ids=tuple(ids), dynamic_groups=tuple(groups), topo_nodes=tuple(nodes))
    if server.is_empty:
        raise click.BadParameter("names no host", param_hint="TARGET")
    return Target(scope or _scope_of(ids, known), server)


def split_source(text: str) -> tuple[str, str]:
    """`HOST:/path` as host and path, `/path` as one of `localhost`; names of hosts and of files may have colons."""
    host, colon, path = text.partition(":/")
    if text.startswith("/"):
        return "localhost", text
    if not (host and colon):
        raise click.BadParameter(f"{text!r} is neither HOST:/path nor /path", param_hint="SRC")
    return host, f"/{path}"


def _host_id(word: str, known: Known) -> int:
    found = known.named(word)
    if found is not None:
        return found.bk_host_id
    raise click.BadParameter(
        f"{word!r} is no host (name in the inventory, bk_host_id or ip); {known.some_names()}",
        param_hint="TARGET",
    )


def _scope_of(ids: Iterable[int], known: Known) -> Scope:
    shared: set[str] | None = None
    for host_id in ids:
        businesses = set(known.businesses_of(host_id))
        shared = businesses if shared is None else shared & businesses
    if not shared:
        raise click.BadParameter("name the business with --scope biz:ID", param_hint="TARGET")
    return Scope("biz", sorted(shared)[0])
