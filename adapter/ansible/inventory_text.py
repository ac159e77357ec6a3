"""The text of a run's inventory, as a whole or of some of its hosts.

YAML in the form of JSON, a line a host, because Ansible reads that five times faster; all the same it takes 0.1 ms
for each, so a play on a few of very many hosts is given these alone.
"""

from __future__ import annotations

import json
from collections.abc import Container, Mapping
from dataclasses import dataclass

from adapter.ansible.text import to_json


@dataclass(frozen=True)
class InventoryText:
    """`shared` are the variables that all hosts have alike; `hosts` the others of each, as JSON by name."""

    shared: str
    hosts: Mapping[str, str]
    groups: Mapping[str, tuple[str, ...]]

    @property
    def whole(self) -> str:
        """hosts.yml with every host."""
        return self.of(self.hosts)

    def of(self, names: Container[str]) -> str:
        """The same with those of these names alone."""
        lines = [f"  {json.dumps(name)}: {values}" for name, values in self.hosts.items() if name in names]
        children = {
            group: {"hosts": {name: None for name in members if name in names}}
            for group, members in self.groups.items()
        }
        hosts = ",\n".join(lines)
        return (
            f'{{"all": {{\n "vars": {self.shared},\n "hosts": {{\n{hosts}\n }},\n'
            f' "children": {json.dumps(children)}\n}}}}\n'
        )


def inventory_text(
    hosts: Mapping[str, Mapping[str, object]], groups: Mapping[str, tuple[str, ...]]
) -> InventoryText:
    """The text of hosts with these variables: what all of them have alike is told apart."""
    texts = {host: {name: to_json(value) for name, value in values.items()} for host, values in hosts.items()}
    shared = _shared(texts)
    return InventoryText(
        _object(shared),
        {
            host: _object({name: text for name, text in values.items() if name not in shared})
            for host, values in texts.items()
        },
        groups,
    )


def _shared(texts: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    """Variables with the same value, of the same type, on each of several hosts."""
    if len(texts) < 2:
        return {}
    first, *others = texts.values()
    same = set(first.items()).intersection(*(other.items() for other in others))
    return {name: text for name, text in first.items() if (name, text) in same}


def _object(values: Mapping[str, str]) -> str:
    return "{" + ", ".join(f"{json.dumps(name)}: {text}" for name, text in values.items()) + "}"
