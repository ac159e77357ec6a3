"""How Ansible gets at hosts that CMDB knows: their names and variables, from an ordinary inventory (decision 41).

CMDB says who a host is, not how to log in to it. The inventory may have
- the host itself, recognized by its `bk_host_id`, or if it has none by cloud area and address: its name and all its
  variables are the host's;
- a host `cmdb_cloud_<id>`: its variables, merged by Ansible as ever, are those of all others of that cloud area;
- a host `cmdb_default`: the same for what is left.
These last stand for others: no request finds them.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

from adapter.hosts.index import HostIndex
from adapter.job.model import Host

DEFAULT = "cmdb_default"
_OF_CLOUD = "cmdb_cloud_"
#: What CMDB says of a host, or what stands for one host alone: a pattern's own is not another host's.
_OWN = ("bk_host_id", "bk_cloud_id", "bk_host_innerip", "ansible_host", "ansible_ssh_host")
_GIVEN_NAME = re.compile(r"cmdb-[0-9]+|cmdb_cloud_.*|cmdb_default")


def no_ids(names: list[str], _taken: Collection[int]) -> dict[str, int]:
    """Ids for hosts that the inventory gives none: negative, so that none is taken for one of CMDB's."""
    return {name: -number for number, name in enumerate(names, 1)}


def advice(index: HostIndex) -> tuple[str, ...]:
    """What whoever runs the service should know of an inventory that says nothing of most hosts."""
    if DEFAULT in index.names:
        return ()
    return (
        f"it has no host {DEFAULT}: of other hosts of CMDB Ansible knows the address and no more, and"
        " logs in as the user this service runs as, to port 22, with that user's keys;"
        f" add a host {DEFAULT} with ansible_user and the rest, as in inventories/examples/cmdb,"
        " without variables if that is meant",
    )


def named(index: HostIndex, host: Host) -> Host:
    """The host under its name in the inventory, else under one made of its id."""
    own = _own(index, host)
    name = _name(host) if own is None else own.name
    return replace(host, name=name)


def is_reachable(index: HostIndex, host: Host) -> bool:
    """False if nobody knows an address of it."""
    return bool(host.ip) or _own(index, host) is not None


def variables(index: HostIndex, host: Host) -> Mapping[str, Any]:
    """Ansible's variables of the host."""
    own = _own(index, host)
    if own is not None:
        return {**_address(host), **index.variables.get(own.name, {}), "bk_cloud_id": host.bk_cloud_id}
    for pattern in (f"{_OF_CLOUD}{host.bk_cloud_id}", DEFAULT):
        if pattern in index.names:
            of_all = index.variables.get(pattern, {})
            shared = {name: value for name, value in of_all.items() if name not in _OWN}
            return {**shared, **_address(host), "bk_cloud_id": host.bk_cloud_id}
    return {**_address(host), "bk_cloud_id": host.bk_cloud_id}


def _own(index: HostIndex, host: Host) -> Host | None:
    """The inventory's host that this one is."""
    # Ids below 0 are those of hosts that the inventory gives none; a job's host without an id is another.
    found = index.hosts.get(host.bk_host_id) if host.bk_host_id > 0 else None
    if found is None and host.ip:
        found = index.at(host.bk_cloud_id, host.ip)
        if found is not None and found.bk_host_id > 0:
            found = None  # it says itself that it is another
    if found is not None and _GIVEN_NAME.fullmatch(found.name) and found.name != _name(host):
        return None  # the name stands for another
    return found


def _name(host: Host) -> str:
    return f"cmdb-{host.bk_host_id}"


def _address(host: Host) -> dict[str, str]:
    return {"ansible_host": host.ip} if host.ip else {}
