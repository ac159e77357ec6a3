"""The lab's network: one bridge on this machine and one cable (a veth pair) to each host.

Neighbour entries are permanent. The kernel keeps one neighbour table, of 1024 entries, for all namespaces
together; permanent entries don't count there. So a cut host is silent, where an address that nobody ever had,
the down host's, gives "No route to host" after three seconds.
"""

from __future__ import annotations

import ipaddress
import json
import random
import subprocess
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network

from tests.lab.model import LabError, LabHost

MAX_HOSTS = 1000  # a Linux bridge has 1023 ports


def bridge_name(lab_id: str) -> str:
    """The bridge of a lab; an interface name has at most 15 characters."""
    return f"lab{lab_id}"


def link_name(lab_id: str, number: int) -> str:
    """This machine's end of the cable to the host with this number."""
    return f"lab{lab_id}-{number}"


def link_group(lab_id: str) -> int:
    """The interface group of a lab: all its links are in it, no other is, and it goes as one."""
    return 0x6C000000 + int(lab_id, 16)


def mac(ip: str | IPv4Address) -> str:
    """A locally administered address that says which ip it belongs to."""
    return "02:6c:" + ":".join(f"{byte:02x}" for byte in IPv4Address(ip).packed)


def gateway(subnet: IPv4Network) -> IPv4Address:
    """This machine's address in the lab's network."""
    return subnet[1]


def choose_subnet(hosts: int) -> IPv4Network:
    """A random free network under 10.200–10.250 with room for the hosts, the down host and this machine."""
    prefix = min(24, 32 - (hosts + 3).bit_length())
    taken = _routed_networks()
    for _ in range(200):
        address = IPv4Address(f"10.{random.randint(200, 250)}.{random.randint(0, 255)}.0")
        subnet = IPv4Network((int(address) & ~(2 ** (32 - prefix) - 1), prefix))
        if not any(subnet.overlaps(network) for network in taken):
            return subnet
    raise LabError("no free network between 10.200.0.0 and 10.250.255.255")


def _routed_networks() -> list[IPv4Network]:
    command = ["ip", "-j", "-4", "route", "show", "table", "all"]
    output = subprocess.run(command, check=True, capture_output=True)
    destinations = [route["dst"] for route in json.loads(output.stdout)]
    return [ipaddress.IPv4Network(dst) for dst in destinations if dst not in ("default", "0.0.0.0/0")]


def add_links(lab_id: str, subnet: IPv4Network, hosts: Iterable[LabHost]) -> None:
    """Makes the bridge and, for each booted host, a cable whose other end is `eth0` in that host."""
    bridge, group = bridge_name(lab_id), link_group(lab_id)
    address = gateway(subnet)
    lines = [
        f"link add {bridge} group {group} address {mac(address)} type bridge stp_state 0 mcast_snooping 0",
        f"link set {bridge} addrgenmode none",
        f"addr add {address}/{subnet.prefixlen} dev {bridge}",
        f"link set {bridge} up",
    ]
    for host in hosts:
        peer = f"name eth0 address {mac(host.ip)} netns {host.pid}"
        lines += [
            f"link add {host.link} group {group} type veth peer {peer}",
            f"link set {host.link} addrgenmode none",
            f"link set {host.link} master {bridge} up",
            f"neigh add {host.ip} lladdr {mac(host.ip)} dev {bridge} nud permanent",
        ]
    _ip_batch(lines)


def remove_links(lab_id: str) -> None:
    """Removes all that `add_links` made, in one transaction; nothing there is fine too."""
    command = ["ip", "link", "delete", "group", str(link_group(lab_id))]
    subprocess.run(command, check=False, capture_output=True)


def switch_link(link: str, *, on: bool) -> None:
    """Plugs a host's cable in or pulls it out."""
    subprocess.run(["ip", "link", "set", link, "up" if on else "down"], check=True)


def _ip_batch(lines: list[str]) -> None:
    text = "\n".join(lines) + "\n"
    done = subprocess.run(["ip", "-batch", "-"], input=text, text=True, capture_output=True, check=False)
    if done.returncode:
        raise LabError(f"ip -batch: {done.stderr.strip()}")
