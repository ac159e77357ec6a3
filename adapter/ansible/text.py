"""Plain data dumped for Ansible, a request's text marked as unsafe so that it is never rendered."""

from __future__ import annotations

import json
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


#: Line breaks to YAML only: in all but double quotes they would be read as blanks.
_OTHER_BREAKS = ("\x85", "\u2028", "\u2029")


def _style(text: str) -> str | None:
    return '"' if any(char in text for char in _OTHER_BREAKS) else None


_Dumper.add_representer(
    str, lambda dumper, data: dumper.represent_scalar("tag:yaml.org,2002:str", data, style=_style(data))
)
_Dumper.add_representer(
    UserText, lambda dumper, data: dumper.represent_scalar("!unsafe", str(data), style=_style(data))
)


def to_yaml(value: Any) -> str:
    """YAML text that Ansible reads back as `value`."""
    return yaml.dump(value, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=110)


def is_template(value: Any) -> bool:
    """True for text that Ansible would render."""
    return isinstance(value, str) and not isinstance(value, UserText) and ("{{" in value or "{%" in value)


def to_json(value: Any) -> str:
    """JSON text that Ansible reads back as `value`: it knows marked text by `__ansible_unsafe`."""
    return json.dumps(_marked(value), ensure_ascii=False)


def _marked(value: Any) -> Any:
    if isinstance(value, UserText):
        return {"__ansible_unsafe": str(value)}
    if isinstance(value, VaultText):
        return {"__ansible_vault": str(value)}
    if isinstance(value, dict):
        return {key: _marked(item) for key, item in value.items()}
    return [_marked(item) for item in value] if isinstance(value, list) else value
