"""YAML for Ansible: plain data dumped, a request's text marked `!unsafe` so that it is never rendered."""

from __future__ import annotations

from typing import Any

import yaml


class UserText(str):
    """Text of a request: Ansible must take it as it is, `{{ }}` and all."""

    __slots__ = ()


class VaultText(str):
    """A vault-encrypted value of the inventory: stays encrypted in the artifact."""

    __slots__ = ()


class _Dumper(yaml.SafeDumper):
    def ignore_aliases(self, data: Any) -> bool:
        return True


_Dumper.add_representer(UserText, lambda dumper, data: dumper.represent_scalar("!unsafe", str(data)))
_Dumper.add_representer(
    VaultText, lambda dumper, data: dumper.represent_scalar("!vault", str(data), style="|")
)


def to_yaml(value: Any) -> str:
    """YAML text that Ansible reads back as `value`."""
    return yaml.dump(value, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=110)
