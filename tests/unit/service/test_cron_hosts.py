"""Hosts that are no more, or not in the business, are marked among the others (contract f4)."""

from __future__ import annotations

import pytest

from adapter.errors import GroupUnknown, HostsNotInScope, HostsUnknown
from adapter.job.model import Host, IpRef, Scope, Server, TopoNode
from adapter.service.cron_hosts import resolved
from adapter.testing.hosts import MemoryHosts

HERE, ELSEWHERE = Scope("biz", "2"), Scope("biz", "3")
MANY = [Host(bk_host_id=n, bk_cloud_id=0, ip=f"10.0.0.{n}", name=f"h{n}") for n in range(1, 41)]
OTHER = Host(bk_host_id=99, bk_cloud_id=0, ip="10.9.9.9", name="other")


class Counting(MemoryHosts):
    """Counts look-ups: with hosts from far away each has its price."""

    asked = 0

    def resolve(self, scope: Scope, server: Server) -> tuple[Host, ...]:
        self.asked += 1
        return super().resolve(scope, server)


@pytest.fixture
def hosts() -> Counting:
    groups = {"biz_2": [host.name for host in MANY], "biz_3": ["other"], "module_5": ["h40", "other"]}
    return Counting([*MANY, OTHER], groups)


def test_hosts_that_are_all_there_cost_one_look(hosts: Counting) -> None:
    """They are what every launch gets."""
    server = Server(host_ids=(3, 1))
    assert resolved(hosts, HERE, server) == hosts.resolve(HERE, server)
    assert hosts.asked == 2


def test_by_id(hosts: Counting) -> None:
    """In their order; one of another business keeps its names, and none is taken for usable."""
    found = resolved(hosts, HERE, Server(host_ids=(1, 500, 99, 2)))
    assert [(host.bk_host_id, host.is_invalid) for host in found] == [
        (1, False),
        (500, True),
        (99, True),
        (2, False),
    ]
    assert (found[2].ip, found[2].name) == ("10.9.9.9", "other")
    assert found[1].ip == ""
    assert [host.told_id for host in found] == [1, 500, 99, 2]


def test_by_address(hosts: Counting) -> None:
    """They have no id; their names are none that an inventory has."""
    refs = tuple(IpRef(bk_cloud_id=0, ip=ip) for ip in ("10.0.0.1", "10.7.7.7", "10.9.9.9", "10.7.7.7"))
    found = resolved(hosts, HERE, Server(ips=refs))
    assert [(host.told_id, host.ip) for host in found] == [
        (1, "10.0.0.1"),
        (None, "10.7.7.7"),
        (None, "10.9.9.9"),
    ]
    assert len({host.bk_host_id for host in found}) == 3
    assert hosts.find([host.bk_host_id for host in found[1:]]) == {}


def test_a_few_among_many_cost_a_few_looks(hosts: Counting) -> None:
    """Not one for each host."""
    found = resolved(hosts, HERE, Server(host_ids=(*range(1, 41), 777)))
    assert [host.bk_host_id for host in found if host.is_invalid] == [777]
    assert len(found) == 41
    assert hosts.asked < 16


def test_groups_give_what_is_in_the_business(hosts: Counting) -> None:
    """As ever; a host that is in both is there once."""
    server = Server(host_ids=(40, 500), topo_nodes=(TopoNode(id=5, node_type="module"),))
    assert [(host.bk_host_id, host.is_invalid) for host in resolved(hosts, HERE, server)] == [
        (40, False),
        (500, True),
    ]


def test_a_group_that_is_none_is_an_error(hosts: Counting) -> None:
    """It is no host that could be marked."""
    with pytest.raises(GroupUnknown):
        resolved(hosts, HERE, Server(host_ids=(500,), dynamic_groups=("none",)))


def test_what_other_launches_say(hosts: Counting) -> None:
    """The whole request fails."""
    with pytest.raises(HostsUnknown):
        hosts.resolve(HERE, Server(host_ids=(500,)))
    with pytest.raises(HostsNotInScope):
        hosts.resolve(HERE, Server(host_ids=(99,)))
