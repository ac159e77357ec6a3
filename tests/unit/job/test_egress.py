"""Where callbacks may go, address by address and form by form."""

from __future__ import annotations

import ipaddress
import socket

import pytest
from hypothesis import example, given, settings, strategies

from adapter.job.egress import EgressRule, literal

NONE = EgressRule()
REFUSED = (
    "127.0.0.1",
    "127.8.9.10",
    "0.0.0.0",
    "0.1.2.3",
    "169.254.1.1",
    "169.254.169.254",
    "100.100.100.200",
    "168.63.129.16",
    "255.255.255.255",
    "224.0.0.1",
    "::",
    "::1",
    "fe80::1",
    "fe80::1%eth0",
    "fd00:ec2::254",
    "fd20:ce::254",
    "ff02::1",
    "::ffff:127.0.0.1",
    "::ffff:a9fe:a9fe",
    "::127.0.0.1",
    "64:ff9b::169.254.169.254",
    "64:ff9b:1::7f00:1",
    "2002:7f00:1::",
)
ALLOWED = (
    "10.0.0.1",
    "172.16.3.4",
    "192.168.1.1",
    "100.64.0.1",
    "8.8.8.8",
    "fd12::1",
    "2001:db8::1",
    "::ffff:10.0.0.1",
)


@pytest.mark.parametrize("text", REFUSED)
def test_what_only_this_machine_reaches_is_refused(text: str) -> None:
    """Loopback, link-local, metadata, in every coat IPv6 has for an address of IPv4."""
    reason = NONE.refusal("name", ipaddress.ip_address(text))
    assert reason is not None
    assert str(ipaddress.ip_address(text)) in reason
    assert NONE.refusal_of_name(text) == reason


@pytest.mark.parametrize("text", ALLOWED)
def test_private_and_public_networks_are_open(text: str) -> None:
    """JOB's clients live in 10/8 and the like."""
    assert NONE.refusal("name", ipaddress.ip_address(text)) is None
    assert NONE.refusal_of_name(text) is None


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("127.1", "127.0.0.1"),
        ("2130706433", "127.0.0.1"),
        ("0x7f000001", "127.0.0.1"),
        ("017700000001", "127.0.0.1"),
        ("0x7f.0.0.1", "127.0.0.1"),
        ("0251.0376.0251.0376", "169.254.169.254"),
        ("169.254.43518", "169.254.169.254"),
        ("0", "0.0.0.0"),
        ("0x", "0.0.0.0"),
        ("127.0.0.1.", "127.0.0.1"),
        ("[::1]", "::1"),
        ("fe80::1%25eth0", "fe80::1%eth0"),
    ],
)
def test_an_address_is_seen_in_every_form_that_resolvers_take(text: str, address: str) -> None:
    """What inet_aton reads is no name."""
    assert literal(text) == ipaddress.ip_address(address)
    assert NONE.refusal_of_name(text) is not None


@settings(max_examples=400, deadline=None)
@given(strategies.text("0123456789abcdefxX.", min_size=1, max_size=20))
@example("1.2.3")
@example("0x.0x.1")
def test_what_the_resolver_takes_for_an_address_is_one(text: str) -> None:
    """No form gets past as a name."""
    try:
        found = socket.getaddrinfo(
            text, None, socket.AF_INET, socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST
        )
    except (OSError, UnicodeError):
        return
    assert str(literal(text)) == found[0][4][0]


@pytest.mark.parametrize(
    "text", ["example.com", "1.2.3.4.5", "256.1.1.1", "4294967296", "09", "0xg", "a.1", ""]
)
def test_what_is_no_address_is_a_name(text: str) -> None:
    """It is looked up when the callback is told."""
    assert literal(text) is None
    assert NONE.refusal_of_name(text) is None


@pytest.mark.parametrize("name", ["localhost", "LOCALHOST.", "a.localhost", "metadata.google.internal"])
def test_names_that_stand_for_such_an_address_are_refused_at_once(name: str) -> None:
    """Without a look-up."""
    assert NONE.refusal_of_name(name) is not None


def test_what_is_allowed_may_be_called() -> None:
    """Networks by what is in them, names by their name, whatever they resolve to."""
    rule = EgressRule.of(["127.0.0.0/8", "169.254.169.254", "Receiver.internal.", "fe80::/10"])
    assert rule.refusal_of_name("127.0.0.1") is None
    assert rule.refusal_of_name("2130706433") is None
    assert rule.refusal_of_name("[::ffff:127.0.0.1]") is None
    assert rule.refusal_of_name("169.254.169.254") is None
    assert rule.refusal_of_name("169.254.169.253") == "the link-local address 169.254.169.253"
    assert rule.refusal_of_name("::1") == "the loopback address ::1"
    assert rule.refusal("fe80::1%eth0", ipaddress.ip_address("fe80::1%eth0")) is None
    assert rule.refusal("receiver.INTERNAL", ipaddress.ip_address("::1")) is None
    assert rule.refusal("other.internal", ipaddress.ip_address("::1")) is not None


def test_localhost_is_called_if_one_of_its_addresses_may_be() -> None:
    """Which one is decided when it is."""
    assert EgressRule.of(["127.0.0.1"]).refusal_of_name("localhost") is None
    assert EgressRule.of(["localhost"]).refusal_of_name("localhost") is None
    assert EgressRule.of(["10.0.0.0/8"]).refusal_of_name("localhost") is not None
