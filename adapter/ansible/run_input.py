"""Everything one run needs, as data; engine.private_data writes it out, engine.runner runs it."""

from __future__ import annotations

from dataclasses import dataclass, field

from adapter.ansible.inventory import RunInventory
from adapter.ansible.inventory_text import InventoryText
from adapter.ansible.playbook import TARGETS, Play


@dataclass(frozen=True, kw_only=True)
class RunInput:
    """What becomes an ansible-runner private data directory. `secrets` never reach a file."""

    inventory: InventoryText  #: of hosts.yml
    hosts: tuple[str, ...]  #: inventory names of all that take part
    sources: frozenset[str] = frozenset()  #: of those that files come from
    playbooks: dict[str, list[Play]]  #: by file name below project/
    files: dict[str, bytes] = field(default_factory=dict)  #: by path below project/
    secrets: dict[str, str] = field(default_factory=dict)
    forks: int = 50
    windows: frozenset[str] = frozenset()  #: hosts on which a script cannot be found again once it runs

    @property
    def needs_agent(self) -> bool:
        """True if somebody logs in with a key that is no file: Ansible hands such a key to an ssh-agent."""
        return any(name.endswith("private_key") for name in self.secrets)

    @classmethod
    def of(
        cls,
        inventory: RunInventory,
        playbooks: dict[str, list[Play]],
        *,
        forks: int,
        files: dict[str, bytes] | None = None,
        secrets: dict[str, str] | None = None,
    ) -> RunInput:
        """A run's input; the inventory's secrets and `secrets` are merged."""
        return cls(
            inventory=inventory.text(),
            hosts=tuple(inventory.hosts),
            sources=frozenset(
                name for group in inventory.groups if group != TARGETS for name in inventory.groups[group]
            ),
            playbooks=playbooks,
            files=files or {},
            secrets={**inventory.secrets, **(secrets or {})},
            forks=forks,
            windows=inventory.windows,
        )
