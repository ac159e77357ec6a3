"""The double of Hosts follows the rules of the real one."""

from __future__ import annotations

from dataclasses import replace

import pytest

from adapter.errors import HostsNotInScope, Internal
from adapter.job.model import Host, Scope, Server, TopoNode
from adapter.ports import Hosts
from adapter.testing.hosts import MemoryHosts

A = Host(bk_host_id=1, bk_cloud_id=0, ip="10.0.0.1", name="a")
B = Host(bk_host_id=2, bk_cloud_id=1, ip="", name="b.example.com")


def test_hosts_come_back_as_they_were_given() -> None:
    """With the variables that were given for them."""
    hosts: Hosts = MemoryHosts([A, B], variables={"a": {"ansible_user": "x"}})
    assert hosts.is_ready()
    assert hosts.resolve(Scope("biz", "2"), Server(host_ids=(2, 1))) == (B, A)
    assert hosts.find([1, 2, 3]) == {1: A, 2: B}
    variables = hosts.variables([A, replace(A, name="gone")])
    assert list(variables) == ["a"]
    assert variables["a"]["ansible_user"] == "x"


def test_groups_have_their_meaning() -> None:
    """A host with a business group is no longer in the default business."""
    hosts = MemoryHosts([A, B], {"biz_3": ["a"], "set_5": ["a", "b.example.com"]})
    server = Server(topo_nodes=(TopoNode(id=5, node_type="set"),))
    assert hosts.resolve(Scope("biz", "3"), server) == (A,)
    assert hosts.resolve(Scope("biz", "2"), server) == (B,)
    assert [hosts.has_scope(Scope("biz", biz)) for biz in "234"] == [True, True, False]
    with pytest.raises(HostsNotInScope):
        hosts.resolve(Scope("biz", "2"), Server(host_ids=(1,)))


def test_it_can_play_a_service_that_is_starting() -> None:
    """Nothing is answered until `ready` is set."""
    hosts = MemoryHosts([A], ready=False)
    assert not hosts.is_ready()
    with pytest.raises(Internal):
        hosts.find([1])
    hosts.ready = True
    assert hosts.find([1]) == {1: A}


def test_a_group_of_hosts_that_were_not_given_is_a_mistake_in_the_test() -> None:
    """It says which."""
    with pytest.raises(ValueError, match=r"not given: typo"):
        MemoryHosts([A], {"biz_3": ["typo"]})
