"""Where callbacks may go: not to this machine, not to the link, not to a cloud's metadata (decision 24).

A URL comes from a client, and who connects is the service: without a rule every client could reach what only the
service's machine can. Private networks stay open, JOB's clients live there.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from dataclasses import dataclass

from adapter.messages import Phrase, say

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_METADATA = "the metadata address {address}"
_LOOPBACK = "the loopback address {address}"
_UNSPECIFIED = "the unspecified address {address}"
_LINK_LOCAL = "the link-local address {address}"
_MULTICAST = "the multicast address {address}"
_BROADCAST = "the broadcast address {address}"

#: What is refused unless it is allowed, and what to call it.
_REFUSED: tuple[tuple[Network, str], ...] = tuple(
    (ipaddress.ip_network(network), kind)
    for network, kind in (
        # Metadata first: some of it lies in the other networks, and deserves its own name.
        ("169.254.169.254/32", _METADATA),
        ("169.254.170.2/32", _METADATA),
        ("100.100.100.200/32", _METADATA),
        ("168.63.129.16/32", _METADATA),
        ("192.0.0.192/32", _METADATA),
        ("fd00:ec2::254/128", _METADATA),
        ("fd20:ce::254/128", _METADATA),
        ("127.0.0.0/8", _LOOPBACK),
        ("::1/128", _LOOPBACK),
        ("0.0.0.0/8", _UNSPECIFIED),  # Linux connects it to itself
        ("::/128", _UNSPECIFIED),
        ("169.254.0.0/16", _LINK_LOCAL),
        ("fe80::/10", _LINK_LOCAL),
        ("224.0.0.0/4", _MULTICAST),
        ("ff00::/8", _MULTICAST),
        ("255.255.255.255/32", _BROADCAST),
    )
)
#: Networks of IPv6 whose last 32 bits are an address of IPv4 that is meant.
_ENDS_IN_IPV4 = tuple(
    map(ipaddress.IPv6Network, ("::ffff:0:0/96", "::/96", "64:ff9b::/96", "64:ff9b:1::/48"))
)
_LOCALHOST = (ipaddress.ip_address("127.0.0.1"), ipaddress.ip_address("::1"))
_METADATA_NAMES = ("metadata.google.internal", "metadata.goog", "instance-data.ec2.internal")
_METADATA_SERVICE = (ipaddress.ip_address("169.254.169.254"),)
_PART = re.compile(r"0[xX][0-9a-fA-F]*|[0-9]+")


@dataclass(frozen=True)
class EgressRule:
    """What may be called. Allowed names are whatever they resolve to, allowed networks whatever is in them."""

    networks: tuple[Network, ...] = ()
    names: frozenset[str] = frozenset()

    @classmethod
    def of(cls, allowed: Iterable[str]) -> EgressRule:
        """The rule with exceptions: networks, addresses and host names."""
        networks, names = [], set()
        for word in allowed:
            try:
                networks.append(ipaddress.ip_network(word))
            except ValueError:
                names.add(_folded(word))
        return cls(tuple(networks), frozenset(names))

    def refusal(self, host: str, address: Address) -> Phrase | None:
        """Why this address of the host is not called, `the link-local address fe80::1`; None if it is."""
        if _folded(host) in self.names:
            return None
        meant = _meant(address)
        if any(one in network for one in (address, meant) for network in self.networks):
            return None
        kind = next((kind for network, kind in _REFUSED if meant in network), None)
        return None if kind is None else say(kind, address=address)

    def refusal_of_name(self, host: str) -> Phrase | None:
        """The same as far as it is certain without a look-up: of addresses, and of names that stand for one."""
        reasons = [self.refusal(host, address) for address in _known(host)]
        return reasons[0] if reasons and all(reasons) else None


def literal(host: str) -> Address | None:
    """The address that `host` is, in any form that resolvers take (127.1, 0x7f.0.0.1, 2130706433), or None."""
    try:
        return ipaddress.ip_address(host.strip("[]").replace("%25", "%"))
    except ValueError:
        return _old_form(host.rstrip("."))


def _known(host: str) -> tuple[Address, ...]:
    address = literal(host)
    if address is not None:
        return (address,)
    name = _folded(host)
    if name == "localhost" or name.endswith(".localhost"):
        return _LOCALHOST
    return _METADATA_SERVICE if name in _METADATA_NAMES else ()


def _folded(name: str) -> str:
    return name.lower().rstrip(".")


def _old_form(text: str) -> Address | None:
    """As inet_aton reads it: one to four parts, decimal, octal or hexadecimal, the last for all that is left."""
    parts = text.split(".")
    if len(parts) > 4 or not all(_PART.fullmatch(part) for part in parts):
        return None
    try:
        *first, last = (_number(part) for part in parts)
    except ValueError:
        return None
    room = 256 ** (4 - len(first))
    if any(part > 255 for part in first) or last >= room:
        return None
    value = sum(part << 8 * (3 - place) for place, part in enumerate(first)) + last
    return ipaddress.IPv4Address(value)


def _number(part: str) -> int:
    if part[:2].lower() == "0x":
        return int(part[2:] or "0", 16)
    return int(part, 8) if part.startswith("0") and len(part) > 1 else int(part)


def _meant(address: Address) -> Address:
    """The IPv4 address within one of IPv6 (mapped, NAT64, 6to4), else the address itself, without its zone."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address.sixtofour is not None:
        return address.sixtofour
    number = int(address)
    if number > 1 and any(address in network for network in _ENDS_IN_IPV4):
        return ipaddress.IPv4Address(number & 0xFFFFFFFF)
    return ipaddress.IPv6Address(number)
