"""The inventory of one run: only the hosts that take part, with their variables, and no secret in it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from adapter.ansible.inventory_text import InventoryText, inventory_text
from adapter.ansible.text import UserText, VaultText, is_template
from adapter.job.model import Host

#: Names of variables, and of keys in them, whose plain values do not go into an artifact.
_SECRET_NAME = re.compile(
    r"pass(word|wd|phrase)?s?$|secret|tokens?$|credential|(private|access|api)_?key$", re.IGNORECASE
)
_NAME = re.compile(r"[A-Za-z_]\w*")
_UNSAFE = {"__ansible_unsafe"}
_NEVER_BY_REFERENCE = ("ansible_", "bk_")


@dataclass(frozen=True)
class RunInventory:
    """Variables by host and members by group; `secrets` are the values that are looked up while the run lasts."""

    hosts: dict[str, dict[str, Any]]
    groups: dict[str, tuple[str, ...]]
    secrets: dict[str, str]
    windows: frozenset[str] = frozenset()  #: hosts of Windows; then each host says whom Ansible logs in as

    def give(self, name: str, variable: str, values: Mapping[str, str]) -> None:
        """A variable more of one host: texts by name, which are never rendered."""
        self.hosts[name][variable] = {key: UserText(value) for key, value in values.items()}

    def of(self, group: str) -> list[dict[str, Any]]:
        """The variables of a group's hosts."""
        return [self.hosts[name] for name in self.groups[group]]

    def text(self) -> InventoryText:
        """What Ansible reads."""
        return inventory_text(self.hosts, self.groups)


def run_inventory(
    groups: Mapping[str, Iterable[Host]], variables: Mapping[str, Mapping[str, Any]], service_user: str
) -> RunInventory:
    """The inventory of a run.

    `groups` are the run's own groups; `variables` are Ansible's variables of each host by inventory name, as
    ports.Hosts gives them; `service_user` is whom ssh logs in as when nothing else is said.
    """
    secrets: dict[str, str] = {}
    hosts: dict[str, dict[str, Any]] = {}
    for members in groups.values():
        for host in members:
            if host.name not in hosts:
                hosts[host.name] = _host_variables(host, variables[host.name], service_user, secrets)
    names = {group: tuple(dict.fromkeys(host.name for host in members)) for group, members in groups.items()}
    return RunInventory(hosts, names, secrets)


def _host_variables(
    host: Host, given: Mapping[str, Any], service_user: str, secrets: dict[str, str]
) -> dict[str, Any]:
    hidden = _secret_names(given)

    def kept(value: Any, is_secret: bool) -> Any:
        text = _unmarked(value)
        if is_secret and isinstance(text, (str, int)) and not isinstance(text, bool):
            if text is value and is_template(value):
                return value
            name = f"{host.bk_host_id}.{len(secrets)}"
            secrets[name] = str(text)
            return secret_lookup(name)
        if isinstance(value, Mapping) and text is value and "__ansible_vault" not in value:
            return {key: kept(item, is_secret or is_secret_name(key)) for key, item in value.items()}
        if isinstance(value, list):
            return [kept(item, is_secret) for item in value]
        return _trusted_as_given(value)

    result = {name: kept(value, name in hidden) for name, value in given.items()}
    result["bk_host_id"] = host.bk_host_id
    result["job_login_user"] = login_user(given, service_user)
    # Last on ssh's command line, where anything said before wins: a new host's key is taken, a changed one refused.
    result.setdefault("ansible_ssh_extra_args", "-o StrictHostKeyChecking=accept-new")
    result["job_become_method"] = _trusted_as_given(given.get("ansible_become_method", ""))
    return result


def _secret_names(given: Mapping[str, Any]) -> set[str]:
    """Variables that are secret by their names, and those that templates in secret ones refer to."""
    secret = {name for name in given if is_secret_name(name)}
    looked_at: set[str] = set()
    while new := secret - looked_at:
        looked_at |= new
        words = {word for name in new for word in _NAME.findall(" ".join(_templates(given[name])))}
        secret |= {word for word in words if word in given and not word.startswith(_NEVER_BY_REFERENCE)}
    return secret


def is_secret_name(name: object) -> bool:
    """True of a variable whose plain value goes into no artifact."""
    return _SECRET_NAME.search(str(name)) is not None


def _templates(value: Any) -> Iterator[str]:
    if isinstance(value, (Mapping, list)):
        for item in value.values() if isinstance(value, Mapping) else value:
            yield from _templates(item)
    elif is_template(value):
        yield value


def _unmarked(value: Any) -> Any:
    """The text within the mark of what must not be rendered; anything else as it is."""
    return value["__ansible_unsafe"] if isinstance(value, Mapping) and set(value) == _UNSAFE else value


def secret_lookup(name: str) -> str:
    """The template that asks the service for a secret; `name` is one of ours, never a request's."""
    return "{{ lookup('adapter.job.secret', '" + name + "') }}"


def login_user(variables: Mapping[str, Any], service_user: str) -> str:
    """Whom Ansible logs in as: the supervisor on the host checks it, so a wrong guess is found out."""
    if variables.get("ansible_connection") == "local":
        return service_user
    for name in ("ansible_ssh_user", "ansible_user"):
        if variables.get(name):
            value = _trusted_as_given(variables[name])
            return value if isinstance(value, str) else str(value)
    return service_user


def _trusted_as_given(value: Any) -> Any:
    """`ansible-inventory --list` wraps what must not be rendered, and what is encrypted: keep both so."""
    if isinstance(value, Mapping):
        if set(value) == _UNSAFE:
            return UserText(value["__ansible_unsafe"])
        if set(value) == {"__ansible_vault"}:
            return VaultText(value["__ansible_vault"])
        return {key: _trusted_as_given(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_trusted_as_given(item) for item in value]
    return value
