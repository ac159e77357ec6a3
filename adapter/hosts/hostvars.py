"""A host's variables, as `ansible-inventory --list` prints them, to what JOB knows a host by.

They are data: a template is never evaluated here, its field counts as absent.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_MAX_ID = 2**63 - 1
_TEMPLATE_MARKS = ("{{", "{%", "{#")


@dataclass(frozen=True, kw_only=True)
class Identity:
    """What the variables say about who a host is; `problems` are the ones that could not be used."""

    bk_host_id: int | None
    bk_cloud_id: int
    ip: str  #: canonical, "" if there is none
    problems: tuple[str, ...] = ()


def identify(name: str, variables: Mapping[str, Any]) -> Identity:
    """The identity of the host `name`."""
    problems: list[str] = []
    bk_host_id = _number("bk_host_id", variables, 1, problems)
    bk_cloud_id = _number("bk_cloud_id", variables, 0, problems)
    return Identity(
        bk_host_id=bk_host_id,
        bk_cloud_id=bk_cloud_id or 0,
        ip=_address(name, variables),
        problems=tuple(problems),
    )


def canonical_ip(text: str) -> str | None:
    """The one way to write this IPv4 or IPv6 address, None if it is none."""
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        return None


def literal(value: Any) -> Any:
    """The value itself; text marked unsafe is unwrapped; None for what only Ansible could tell.

    That is a template, or a value encrypted with a vault.
    """
    if isinstance(value, dict):
        unsafe = value.get("__ansible_unsafe")
        return unsafe if isinstance(unsafe, str) else None
    if isinstance(value, str) and any(mark in value for mark in _TEMPLATE_MARKS):
        return None
    return value


def _number(field: str, variables: Mapping[str, Any], least: int, problems: list[str]) -> int | None:
    given = variables.get(field)
    if given is None:
        return None
    value = literal(given)
    number: int | None = None
    if isinstance(value, int) and not isinstance(value, bool):
        number = value
    # The length comes first: Python refuses to convert thousands of digits.
    elif isinstance(value, str) and len(value) <= len(str(_MAX_ID)) and value.isascii() and value.isdecimal():
        number = int(value)
    if number is None or not least <= number <= _MAX_ID:
        problems.append(f"{field} is not a whole number of at least {least}, written as such; it is ignored")
        return None
    return number


def _address(name: str, variables: Mapping[str, Any]) -> str:
    for field in ("ansible_host", "ansible_ssh_host", "bk_host_innerip"):
        value = literal(variables.get(field))
        # CMDB writes several inner addresses with commas; the first is the one JOB shows.
        if isinstance(value, str) and (ip := canonical_ip(value.partition(",")[0].strip())):
            return ip
    if ip := canonical_ip(name):
        return ip
    return "127.0.0.1" if literal(variables.get("ansible_connection")) == "local" else ""
