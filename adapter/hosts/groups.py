"""Groups of an inventory: who is in them through their children, and what their names mean to BlueKing."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator, Mapping
from typing import Any

from adapter.hosts.hostvars import literal
from adapter.job.model import Scope

#: Groups a request can name; all others are Ansible's own business and take no memory.
_MEANING = re.compile(r"(?:dynamic_group|biz_set|biz)_.+|.+_[0-9]+", re.DOTALL)


class GroupTree:
    """The groups of `ansible-inventory --list`'s JSON."""

    def __init__(self, data: Mapping[str, Any]) -> None:
        self._hosts: dict[str, list[str]] = {}
        self._children: dict[str, list[str]] = {}
        for name, group in data.items():
            if name != "_meta" and isinstance(group, dict):
                self._hosts[name] = _names(group.get("hosts"))
                self._children[name] = _names(group.get("children"))

    def names(self) -> dict[str, None]:
        """Every group once. An empty group has no key of its own in the JSON; its parent still names it."""
        names = dict.fromkeys(self._hosts)
        for children in self._children.values():
            names.update(dict.fromkeys(children))
        return names

    def meaningful(self) -> Iterator[str]:
        """The groups whose name can stand for a scope, a topo node or a dynamic group."""
        return (name for name in self.names() if _MEANING.fullmatch(name))

    def members(self, group: str) -> dict[str, None]:
        """Host names in the group or below it, once each, in Ansible's order: the nearer ones first."""
        members: dict[str, None] = {}
        seen = {group}
        waiting = deque([group])
        while waiting:
            name = waiting.popleft()
            members.update(dict.fromkeys(self._hosts.get(name, ())))
            for child in self._children.get(name, ()):
                if child not in seen:
                    seen.add(child)
                    waiting.append(child)
        return members

    def all_hosts(self) -> dict[str, None]:
        """Every host, in inventory order."""
        hosts = self.members("all")
        for group in self._hosts.values():
            hosts.update(dict.fromkeys(group))
        return hosts


def scope_of(group: str) -> Scope | None:
    """The business or business set that a group's name stands for."""
    for kind in ("biz_set", "biz"):
        if group.startswith(f"{kind}_"):
            identifier = group.removeprefix(f"{kind}_")
            return Scope(kind, identifier) if identifier else None
    return None


def dynamic_group(group_id: str) -> str:
    """The name of the inventory group that stands for a dynamic group."""
    return f"dynamic_group_{group_id}"


def topo_node(node_type: str, node_id: int) -> str:
    """The name of the inventory group that stands for a topo node."""
    return f"{node_type}_{node_id}"


def _names(value: Any) -> list[str]:
    # Names may be wrapped like values. A name is never rendered by anyone, so braces in it are fine.
    found = value if isinstance(value, list) else []
    unwrapped = (name if isinstance(name, str) else literal(name) for name in found)
    return [name for name in unwrapped if isinstance(name, str)]
