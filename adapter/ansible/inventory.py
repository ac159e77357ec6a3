"""The inventory of one run: only the hosts that take part, with their variables, and no secret in it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from adapter.ansible.text import UserText, VaultText
from adapter.job.model import Host

#: Names of variables whose plain values do not go into an artifact.
_SECRET_NAME = re.compile(r"(pass(word|wd|phrase)?|secret|token|private_key|api_?key)$", re.IGNORECASE)


@dataclass(frozen=True)
class RunInventory:
    """`content` is the mapping of hosts.yml; `secrets` are the values it looks up while the run lasts."""

    content: dict[str, Any]
    secrets: dict[str, str]


def run_inventory(
    groups: Mapping[str, Iterable[Host]], variables: Mapping[str, Mapping[str, Any]], service_user: str
) -> RunInventory:
    """hosts.yml of a run.

    `groups` are the run's own groups; `variables` are Ansible's variables of each host by inventory name, as
    ports.Hosts gives them; `service_user` is whom ssh logs in as when nothing else is said.
    """
    secrets: dict[str, str] = {}
    hosts: dict[str, Any] = {}
    children: dict[str, Any] = {}
    for group, members in groups.items():
        names: dict[str, None] = {}
        for host in members:
            names[host.name] = None
            if host.name not in hosts:
                hosts[host.name] = _host_variables(host, variables[host.name], service_user, secrets)
        children[group] = {"hosts": names}
    return RunInventory({"all": {"hosts": hosts, "children": children}}, secrets)


def _host_variables(
    host: Host, given: Mapping[str, Any], service_user: str, secrets: dict[str, str]
) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for name, value in given.items():
        if _SECRET_NAME.search(name) and isinstance(value, (str, int)) and "{{" not in str(value):
            secret = f"{host.bk_host_id}.{name}"
            secrets[secret] = str(value)
            result[name] = secret_lookup(secret)
        else:
            result[name] = _trusted_as_given(value)
    result["bk_host_id"] = host.bk_host_id
    result["job_login_user"] = login_user(given, service_user)
    result["job_become_method"] = _trusted_as_given(given.get("ansible_become_method", ""))
    return result


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
        if set(value) == {"__ansible_unsafe"}:
            return UserText(value["__ansible_unsafe"])
        if set(value) == {"__ansible_vault"}:
            return VaultText(value["__ansible_vault"])
        return {key: _trusted_as_given(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_trusted_as_given(item) for item in value]
    return value
