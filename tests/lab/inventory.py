"""The lab as an ordinary Ansible inventory, with BlueKing's meaning in the group names."""

from __future__ import annotations

import getpass
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml

from tests.lab.model import LabHost

Group = dict[str, Any]


def inventory(hosts: list[LabHost], down: LabHost, private_key: Path, known_hosts: Path) -> Group:
    """The tree that `hosts.yml` holds."""
    user = getpass.getuser() if hosts[0].home else "root"  # an asyncssh host has one user, whoever logs in
    first = [host for host in hosts if host.biz == 1]
    second = [host for host in hosts if host.biz == 2]
    half = max(1, len(first) // 2)
    businesses: dict[str, Group] = {
        "biz_1": {
            "hosts": _names([down]),
            "children": {
                "set_11": {
                    "children": {
                        "module_1000": {"hosts": _names(first[:half])},
                        "module_1001": {"hosts": _names(first[half:])},
                    }
                },
                "module_1999": {"hosts": _names([down])},
            },
        },
        "biz_2": {"children": {"set_21": {"children": {"module_2000": {"hosts": _names(second)}}}}},
    }
    groups: dict[str, Group] = {
        "lab": {
            "hosts": {host.name: _host_vars(host) for host in [*hosts, down]},
            "vars": _common_vars(private_key, known_hosts, user),
            "children": businesses,
        },
        "biz_set_9": {"children": {"biz_1": {}, "biz_2": {}}},
        "dynamic_group_blo8gojho0skft7pr5q0": {"hosts": _names(first[:2])},
        "dynamic_group_3": {"hosts": _names(first[:1] + second[:1])},
        "dynamic_group_down": {"hosts": _names([down])},
        "dynamic_group_empty": {"hosts": {}},
    }
    return {"all": {"children": groups}}


def _names(hosts: Iterable[LabHost]) -> dict[str, Group]:
    return {host.name: {} for host in hosts}


def _host_vars(host: LabHost) -> dict[str, Any]:
    # Ansible asks for the home of the user it logs in as; all users of an asyncssh host are one.
    remote_tmp = {"ansible_remote_tmp": f"{host.home}/.ansible/tmp"} if host.home else {}
    return {
        "ansible_host": host.ip,
        "ansible_port": host.port,
        "bk_host_id": host.bk_host_id,
        "bk_cloud_id": host.bk_cloud_id,
        **remote_tmp,
    }


def _common_vars(private_key: Path, known_hosts: Path, user: str) -> dict[str, str]:
    return {
        "ansible_user": user,
        "ansible_ssh_private_key_file": str(private_key),
        "ansible_ssh_common_args": f"-o UserKnownHostsFile={known_hosts} -o StrictHostKeyChecking=yes",
    }


def known_hosts_lines(hosts: Iterable[LabHost], public_key: str) -> str:
    """One line per host; a port other than 22 is looked up as `[ip]:port`."""
    key = " ".join(public_key.split()[:2])
    return "".join(f"{host.ip},[{host.ip}]:{host.port} {key}\n" for host in hosts)


def write_inventory(directory: Path, hosts: list[LabHost], down: LabHost, host_public_key: str) -> None:
    """Writes `inventory/hosts.yml` and `known_hosts` into the lab's directory."""
    known_hosts = directory / "known_hosts"
    known_hosts.write_text(known_hosts_lines([*hosts, down], host_public_key))
    tree = inventory(hosts, down, directory / "id_ed25519", known_hosts)
    (directory / "inventory").mkdir()
    (directory / "inventory" / "hosts.yml").write_text(yaml.safe_dump(tree, sort_keys=False))
