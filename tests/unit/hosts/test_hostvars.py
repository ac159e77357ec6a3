"""Who a host is, by its variables."""

from __future__ import annotations

from typing import Any

import pytest

from adapter.hosts.hostvars import canonical_ip, identify, literal


@pytest.mark.parametrize(
    ("name", "variables", "ip"),
    [
        ("web", {"ansible_host": "10.0.0.1", "bk_host_innerip": "10.0.0.9"}, "10.0.0.1"),
        ("web", {"ansible_ssh_host": "10.0.0.2"}, "10.0.0.2"),
        ("web", {"ansible_host": "web.example.com", "bk_host_innerip": "10.0.0.3"}, "10.0.0.3"),
        ("web", {"bk_host_innerip": "10.0.0.4,10.1.0.4"}, "10.0.0.4"),
        ("10.0.0.5", {"ansible_host": "web.example.com"}, "10.0.0.5"),
        ("web", {"ansible_host": "2001:DB8:0::1"}, "2001:db8::1"),
        ("web", {"ansible_host": {"__ansible_unsafe": "10.0.0.6"}}, "10.0.0.6"),
        ("web", {"ansible_host": "{{ address }}"}, ""),
        ("web", {"ansible_host": {"__ansible_vault": "$ANSIBLE_VAULT;1.1;AES256\n33"}}, ""),
        ("web", {"ansible_host": 42}, ""),
        ("web", {"ansible_host": None}, ""),
        ("localhost", {"ansible_connection": "local"}, "127.0.0.1"),
        ("web", {}, ""),
    ],
)
def test_the_address_is_the_first_that_is_an_ip(name: str, variables: dict[str, Any], ip: str) -> None:
    """ansible_host, then ansible_ssh_host, bk_host_innerip, the name, and 127.0.0.1 for a local connection."""
    assert identify(name, variables).ip == ip


@pytest.mark.parametrize("given", [7, "7", {"__ansible_unsafe": "7"}])
def test_ids_may_be_numbers_or_their_text(given: object) -> None:
    """An INI inventory and cloud tags give text."""
    identity = identify("a", {"bk_host_id": given, "bk_cloud_id": given})
    assert (identity.bk_host_id, identity.bk_cloud_id, identity.problems) == (7, 7, ())


@pytest.mark.parametrize(
    "given", ["{{ 7 }}", "{% x %}", True, -1, 7.0, "7a", "", "٧", "9" * 5000, 2**63, [7], {"a": 7}]
)
def test_an_id_that_is_no_number_is_ignored_and_told(given: object) -> None:
    """Nothing is evaluated or guessed; the problem names the variable."""
    identity = identify("a", {"bk_host_id": given, "bk_cloud_id": given})
    assert (identity.bk_host_id, identity.bk_cloud_id) == (None, 0)
    assert [problem.split()[0] for problem in identity.problems] == ["bk_host_id", "bk_cloud_id"]


def test_absent_ids_are_no_problem() -> None:
    """An ordinary inventory has none."""
    assert identify("a", {"bk_host_id": None}).problems == ()


def test_a_template_in_text_marked_unsafe_is_only_text() -> None:
    """Unsafe means that nobody renders it, so its braces are braces."""
    assert literal({"__ansible_unsafe": "{{ x }}"}) == "{{ x }}"
    assert literal("{{ x }}") is None


def test_an_address_has_one_canonical_form() -> None:
    """Nonsense has none."""
    assert canonical_ip("FE80::0:1") == "fe80::1"
    assert canonical_ip("10.0.0.256") is None
    assert canonical_ip(" 10.0.0.1") is None
