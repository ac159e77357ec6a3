"""Small inventories for these tests, as `ansible-inventory --list` would print them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from adapter.hosts.index import HostIndex, build_index


class CountingIds:
    """Hands out 1000001, 1000002 … and remembers, like the store but in memory."""

    def __init__(self) -> None:
        self.ids: dict[str, int] = {}

    def __call__(self, names: list[str], taken: Collection[int]) -> dict[str, int]:
        for name in names:
            if name not in self.ids or self.ids[name] in taken:
                self.ids[name] = max([1_000_000, *self.ids.values(), *taken]) + 1
        return {name: self.ids[name] for name in names}


def listing(
    hosts: Mapping[str, Mapping[str, Any]],
    groups: Mapping[str, list[str]] | None = None,
    children: Mapping[str, list[str]] | None = None,
) -> dict[str, Any]:
    """The JSON of an inventory; hosts in no group are in `ungrouped`, groups in no group below `all`."""
    data: dict[str, Any] = {name: {"hosts": members} for name, members in (groups or {}).items()}
    for name, below in (children or {}).items():
        data.setdefault(name, {})["children"] = below
    grouped = {host for members in (groups or {}).values() for host in members}
    nested = {child for below in (children or {}).values() for child in below}
    return {
        "_meta": {"hostvars": {name: variables for name, variables in hosts.items() if variables}},
        "all": {"children": ["ungrouped", *(name for name in data if name not in nested)]},
        "ungrouped": {"hosts": [name for name in hosts if name not in grouped]},
        **data,
    }


def index_of(
    hosts: Mapping[str, Mapping[str, Any]],
    groups: Mapping[str, list[str]] | None = None,
    children: Mapping[str, list[str]] | None = None,
    default_biz: str = "2",
) -> HostIndex:
    """The index of such an inventory."""
    return build_index(listing(hosts, groups, children), ids_for=CountingIds(), default_biz=default_biz)
