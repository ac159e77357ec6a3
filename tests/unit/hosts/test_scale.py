"""100,000 hosts: the figures of design D1, with room for slow machines."""

from __future__ import annotations

import statistics
import time

import pytest

from adapter.hosts.index import HostIndex
from adapter.hosts.resolve import resolve
from adapter.job.model import IpRef, Scope, Server, TopoNode

from .builders import index_of

HOSTS = 100_000
MEDIAN_MS = 150  # measured on two busy cores: 10 to 16, by ip 40 to 55; the aim is 50 on quiet ones


def address(number: int) -> str:
    """10.0.0.0 and on."""
    return f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}"


@pytest.fixture(scope="module")
def index() -> HostIndex:
    """A business of one set with a hundred modules of a thousand hosts."""
    names = [f"host-{number}" for number in range(HOSTS)]
    began = time.perf_counter()
    index = index_of(
        {name: {"bk_host_id": n, "ansible_host": address(n)} for n, name in enumerate(names, 1)},
        groups={f"module_{m}": names[m * 1000 : m * 1000 + 1000] for m in range(100)},
        children={"biz_3": ["set_1"], "set_1": [f"module_{m}" for m in range(100)]},
    )
    seconds = time.perf_counter() - began
    print(f"\nindex of {HOSTS} hosts: {seconds:.2f} s")
    assert seconds < 15
    return index


@pytest.mark.parametrize(
    "server",
    [
        pytest.param(Server(topo_nodes=(TopoNode(id=1, node_type="set"),)), id="topo node"),
        pytest.param(Server(topo_nodes=(TopoNode(id=3, node_type="biz"),)), id="business"),
        pytest.param(Server(host_ids=tuple(range(1, HOSTS + 1))), id="host ids"),
        pytest.param(
            Server(ips=tuple(IpRef(bk_cloud_id=0, ip=address(n)) for n in range(1, HOSTS + 1))), id="ips"
        ),
    ],
)
def test_a_hundred_thousand_hosts_resolve_in_milliseconds(index: HostIndex, server: Server) -> None:
    """The request's path only looks things up."""
    runs = []
    for _ in range(7):
        began = time.thread_time()  # what other processes take meanwhile is not ours
        found = resolve(index, Scope("biz", "3"), server)
        runs.append((time.thread_time() - began) * 1000)
        assert len(found) == HOSTS
    median = statistics.median(runs)
    print(f"\nmedian {median:.1f} ms")
    assert median < MEDIAN_MS


def test_the_same_node_a_thousand_times_costs_no_more_than_once(index: HostIndex) -> None:
    """A clumsy request is no attack on the service."""
    nodes = (TopoNode(id=1, node_type="set"),) * 1000
    began = time.perf_counter()
    assert len(resolve(index, Scope("biz", "3"), Server(topo_nodes=nodes))) == HOSTS
    assert time.perf_counter() - began < 2
