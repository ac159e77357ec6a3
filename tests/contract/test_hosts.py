"""One suite for everything that tells which hosts a request means (contract section f), whatever it is told from.

The same hosts, businesses, nodes and groups: as a real inventory that ansible-inventory reads, as BlueKing CMDB
over HTTP in either form of its API, and as the double that other tests use.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from adapter.errors import GroupUnknown, HostsNotInScope, HostsUnknown
from adapter.hosts import connections
from adapter.hosts.cmdb import CmdbHosts
from adapter.hosts.cmdb_client import CmdbClient, Credentials
from adapter.hosts.inventory import InventoryHosts
from adapter.job.model import Host, IpRef, Scope, Server, TopoNode
from adapter.job.status import HostStatus
from adapter.ports import Hosts
from adapter.service import cron_hosts
from adapter.testing.hosts import MemoryHosts
from tests.support.cmdb import APP, SECRET, Cmdb, Place, running_cmdb

BIZ_2, BIZ_3, SET_9 = Scope("biz", "2"), Scope("biz", "3"), Scope("biz_set", "9")
EAST = (("region", 5),)

#: bk_host_id, cloud, address, what it is in.
A = (1, 0, "10.0.0.1", Place(2, 11, 21, EAST))
B = (2, 0, "10.0.0.2", Place(2, 11, 22, EAST))
C = (3, 0, "2001:db8::1", Place(3, 13, 31))
D = (4, 1, "10.0.0.1", Place(2, 12, 23))
WORLD = {"a": A, "b": B, "c": C, "d": D}

INVENTORY = """
all:
  hosts:
    a: {bk_host_id: 1, ansible_host: 10.0.0.1, ansible_user: ops}
    b: {bk_host_id: 2, ansible_host: 10.0.0.2}
    c: {bk_host_id: 3, ansible_host: "2001:db8::1"}
    d: {bk_host_id: 4, ansible_host: 10.0.0.1, bk_cloud_id: 1}
"""
GROUPS = {
    "module_21": ["a"],
    "module_22": ["b"],
    "module_23": ["d"],
    "module_31": ["c"],
    "set_11": ["a", "b"],
    "set_12": ["d"],
    "set_13": ["c"],
    "region_5": ["a", "b"],
    "biz_2": ["a", "b", "d"],
    "biz_3": ["c"],
    "biz_set_9": ["a", "b", "d", "c"],
    "dynamic_group_web": ["b", "a"],
    "dynamic_group_none": [],
}


def in_cmdb(cmdb: Cmdb) -> None:
    """The same, as CMDB has it."""
    for number, cloud, ip, place in WORLD.values():
        cmdb.add(number, *([None] if ":" in ip else [ip]), place, cloud=cloud, v6=ip if ":" in ip else "")
    cmdb.sets[9] = [2, 3]
    cmdb.businesses[8] = "disabled"
    cmdb.groups[2, "web"] = lambda: [2, 1]
    cmdb.groups[2, "none"] = list


def written(directory: Path) -> Path:
    """The inventory, and its groups in a file of their own."""
    lines = [f"[{name}]\n" + "\n".join(members) for name, members in GROUPS.items()]
    directory.mkdir()
    (directory / "1_hosts.yml").write_text(INVENTORY)
    (directory / "2_groups.ini").write_text("\n\n".join(lines) + "\n")
    return directory


@pytest.fixture(scope="module")
def inventory(tmp_path_factory: pytest.TempPathFactory) -> InventoryHosts:
    """Read once by Ansible."""
    hosts = InventoryHosts(
        written(tmp_path_factory.mktemp("hosts") / "inventory"), ids_for=connections.no_ids
    )
    hosts.reload()
    return hosts


@pytest.fixture(scope="module")
def cmdb() -> Iterator[Cmdb]:
    """A CMDB with the same in it."""
    with running_cmdb() as running:
        in_cmdb(running)
        yield running


@pytest.fixture(params=["inventory", "memory", "cmdb", "cmdb by esb"])
def hosts(request: pytest.FixtureRequest, inventory: InventoryHosts) -> Iterator[Hosts]:
    """Each of them."""
    if request.param == "inventory":
        yield inventory
    elif request.param == "memory":
        given = [
            Host(bk_host_id=n, bk_cloud_id=cloud, ip=ip, name=name)
            for name, (n, cloud, ip, _) in WORLD.items()
        ]
        yield MemoryHosts(given, GROUPS, variables={"a": {"ansible_user": "ops"}}, default_biz="7")
    else:
        cmdb: Cmdb = request.getfixturevalue("cmdb")
        url = cmdb.url if request.param == "cmdb" else cmdb.esb_url
        client = CmdbClient(url, Credentials(app_code=APP, app_secret=SECRET, user="admin"))
        yield CmdbHosts(client, inventory, ttl=30, timeout=10)
        client.close()


def ids(hosts: Hosts, scope: Scope, **server: object) -> list[int]:
    """The ids of the hosts found."""
    found = hosts.resolve(scope, Server(**server))  # type: ignore[arg-type]
    return [host.bk_host_id for host in found]


def ip(address: str, cloud: int = 0) -> IpRef:
    """A host by address."""
    return IpRef(bk_cloud_id=cloud, ip=address)


def node(kind: str, number: int) -> TopoNode:
    """A topo node."""
    return TopoNode(id=number, node_type=kind)


def test_it_is_ready(hosts: Hosts) -> None:
    """It has been read, or asks."""
    assert hosts.is_ready()


@pytest.mark.parametrize(
    ("scope", "is_there"),
    [
        (BIZ_2, True),
        (BIZ_3, True),
        (SET_9, True),
        (Scope("biz", "404"), False),
        (Scope("biz", "8"), False),
        (Scope("biz_set", "2"), False),
        (Scope("biz", "set_9"), False),
        (Scope("biz", "9" * 30), False),
    ],
)
def test_scopes(hosts: Hosts, scope: Scope, is_there: bool) -> None:
    """A business that is archived is none, and no id is a pattern, a path or too long."""
    assert hosts.has_scope(scope) == is_there


def test_all_scopes(hosts: Hosts) -> None:
    """Those that has_scope() knows, and no others: not the archived one, not the pool of hosts."""
    found = hosts.scopes()
    assert {BIZ_2, BIZ_3, SET_9} <= found
    assert all(hosts.has_scope(scope) for scope in found)


def test_host_ids_win_over_ips(hosts: Hosts) -> None:
    """f1: the ips are not even looked at."""
    assert ids(hosts, BIZ_2, host_ids=(2,), ips=(ip("not an ip"),)) == [2]


def test_ips_are_of_a_cloud_area(hosts: Hosts) -> None:
    """The same address in another area is another host; IPv6 has many spellings."""
    assert ids(hosts, BIZ_2, ips=(ip("10.0.0.1"), ip("10.0.0.1", 1))) == [1, 4]
    assert ids(hosts, BIZ_3, ips=(ip("2001:0DB8:0:0::1"), ip("2001:db8::1"))) == [3]


def test_the_union_has_an_order_and_each_host_once(hosts: Hosts) -> None:
    """f1: static, groups, topo nodes."""
    found = ids(
        hosts,
        BIZ_2,
        host_ids=(4, 4),
        dynamic_groups=("web",),
        topo_nodes=(node("module", 21), node("biz", 2)),
    )
    assert (found[0], sorted(found)) == (4, [1, 2, 4])


def test_hosts_come_as_they_are(hosts: Hosts) -> None:
    """Id, area, address and Ansible's name."""
    assert hosts.resolve(BIZ_2, Server(host_ids=(4,))) == (
        Host(bk_host_id=4, bk_cloud_id=1, ip="10.0.0.1", name="d"),
    )
    assert hosts.find([1, 99, 3]) == {
        1: Host(bk_host_id=1, bk_cloud_id=0, ip="10.0.0.1", name="a"),
        3: Host(bk_host_id=3, bk_cloud_id=0, ip="2001:db8::1", name="c"),
    }


@pytest.mark.parametrize(
    ("server", "label"),
    [
        ({"host_ids": (1, 99, 3, 98, 99)}, "Number 2, list [99, 98]"),
        ({"ips": (ip("10.0.0.1"), ip("10.9.9.9"), ip("10.9.9.9"))}, "Number 1, list [0:10.9.9.9]"),
        ({"ips": (ip("10.0.0.1", 7),)}, "list [7:10.0.0.1]"),
        ({"ips": (ip("{{ x }}"),)}, "list [0:{{ x }}]"),
        ({"ips": (ip("010.0.0.1"),)}, "list [0:010.0.0.1]"),
    ],
)
def test_unknown_hosts(hosts: Hosts, server: dict[str, object], label: str) -> None:
    """f4: 1244030 for the whole request, listing each once; told before those that are another's."""
    with pytest.raises(HostsUnknown) as caught:
        ids(hosts, BIZ_2, **server)
    assert label in caught.value.message


@pytest.mark.parametrize(
    ("server", "label"), [({"host_ids": (1, 3)}, "3"), ({"ips": (ip("2001:db8::1"),)}, "0:2001:db8::1")]
)
def test_hosts_of_another_business(hosts: Hosts, server: dict[str, object], label: str) -> None:
    """f4: 1244002 with the host and the business."""
    with pytest.raises(HostsNotInScope) as caught:
        ids(hosts, BIZ_2, **server)
    assert f"{label} not in business [2]" in caught.value.message


def test_dynamic_groups(hosts: Hosts) -> None:
    """f3: of the request's business; an empty one is no error, one that is none is 1211003."""
    assert sorted(ids(hosts, BIZ_2, dynamic_groups=("web", "web"))) == [1, 2]
    assert ids(hosts, BIZ_2, dynamic_groups=("none",)) == []
    for name in ("nobody", "../web", "web/1", "", "a b"):
        with pytest.raises(GroupUnknown) as caught:
            ids(hosts, BIZ_2, dynamic_groups=("web", name))
        assert f"[{name}]" in caught.value.message
        assert caught.value.code == 1211003


def test_topo_nodes(hosts: Hosts) -> None:
    """f3: sets, modules, levels of one's own, the business itself; without hosts, or none, they are empty."""
    assert ids(hosts, BIZ_2, topo_nodes=(node("set", 11),)) == [1, 2]
    assert ids(hosts, BIZ_2, topo_nodes=(node("module", 22),)) == [2]
    assert ids(hosts, BIZ_2, topo_nodes=(node("region", 5),)) == [1, 2]
    assert sorted(ids(hosts, BIZ_2, topo_nodes=(node("biz", 2),))) == [1, 2, 4]
    assert ids(hosts, BIZ_2, topo_nodes=(node("module", 77), node("", 0), node("biz", 77))) == []


def test_what_is_another_business_s_is_left_out(hosts: Hosts) -> None:
    """Nodes of another business give nothing of it."""
    assert ids(
        hosts, BIZ_3, topo_nodes=(node("set", 11), node("region", 5), node("biz", 2), node("module", 31))
    ) == [3]


def test_a_business_set(hosts: Hosts) -> None:
    """f7: hosts of any member, by id, address, node and group; nobody else's."""
    assert ids(hosts, SET_9, host_ids=(1, 3)) == [1, 3]
    assert ids(hosts, SET_9, ips=(ip("10.0.0.2"),)) == [2]
    assert sorted(ids(hosts, SET_9, topo_nodes=(node("biz_set", 9),))) == [1, 2, 3, 4]
    assert sorted(ids(hosts, SET_9, topo_nodes=(node("biz", 3), node("set", 11)))) == [1, 2, 3]
    assert sorted(ids(hosts, SET_9, dynamic_groups=("web",))) == [1, 2]


def test_those_within_a_scope(hosts: Hosts) -> None:
    """Without a word about the others."""
    asked = [4, 99, 3, 1, 4]
    assert [host.bk_host_id for host in hosts.within(BIZ_2, asked)] == [4, 1]
    assert [host.bk_host_id for host in hosts.within(SET_9, asked)] == [4, 3, 1]
    assert hosts.within(Scope("biz", "404"), asked) == ()


def test_an_unknown_scope_has_no_hosts(hosts: Hosts) -> None:
    """Its nodes are empty, its hosts are another's."""
    nowhere = Scope("biz", "404")
    assert ids(hosts, nowhere, topo_nodes=(node("set", 11),)) == []
    with pytest.raises(HostsNotInScope):
        ids(hosts, nowhere, host_ids=(1,))


def test_nothing_listed_is_nobody(hosts: Hosts) -> None:
    """f6: whoever asks says what that means."""
    assert ids(hosts, BIZ_2) == []


def test_a_job_s_hosts_later(hosts: Hosts) -> None:
    """Present under the name of today, or gone, which ends the host with 2."""
    (host,) = hosts.resolve(BIZ_2, Server(host_ids=(1,)))
    gone = Host(bk_host_id=99, bk_cloud_id=0, ip="10.0.0.99", name="gone")
    assert hosts.present([replace(host, name="formerly"), gone]) == {1: host}
    assert hosts.absence(gone)[0] is HostStatus.INVALID_HOST


def test_variables_of_hosts(hosts: Hosts) -> None:
    """As Ansible merges them, with the address."""
    found = hosts.resolve(BIZ_2, Server(host_ids=(1, 4)))
    variables = hosts.variables(found)
    assert list(variables) == ["a", "d"]
    assert (variables["a"]["ansible_user"], variables["a"]["ansible_host"]) == ("ops", "10.0.0.1")
    assert (variables["d"]["ansible_host"], variables["d"]["bk_cloud_id"]) == ("10.0.0.1", 1)
    assert "ansible_user" not in variables["d"]


def test_hosts_of_a_cron(hosts: Hosts) -> None:
    """f4's exception: what a request would be refused for is marked, by id and by address, and the others run."""
    server = Server(host_ids=(1, 99, 3, 4), dynamic_groups=("web",))
    found = cron_hosts.resolved(hosts, BIZ_2, server)
    marked = {host.bk_host_id: host.is_invalid for host in found}
    assert marked == {1: False, 99: True, 3: True, 4: False, 2: False}
    refs = (ip("10.0.0.2"), ip("10.9.9.9"), ip("2001:db8::1"))
    found = cron_hosts.resolved(hosts, BIZ_2, Server(ips=refs))
    assert [(host.ip, host.is_invalid) for host in found] == [
        ("10.0.0.2", False),
        ("10.9.9.9", True),
        ("2001:db8::1", True),
    ]


@pytest.mark.parametrize("many", [499, 500, 501, 1001])
def test_many_hosts(many: int, inventory: InventoryHosts, make_cmdb: Callable[[], Cmdb]) -> None:
    """Over CMDB's limits of pages and filters, whichever way they are listed; each host is in two modules."""
    cmdb = make_cmdb()
    numbers = list(range(1, many + 1))
    for n in numbers:
        cmdb.add(n, f"10.1.{n >> 8}.{n & 255}", Place(2, 11, 21), Place(2, 11, 22))
    cmdb.groups[2, "all"] = lambda: numbers
    client = CmdbClient(cmdb.url, Credentials(app_code=APP, app_secret=SECRET, user="admin"))
    refs = tuple(ip(f"10.1.{n >> 8}.{n & 255}") for n in numbers)
    asked: list[dict[str, object]] = [
        {"host_ids": tuple(numbers)},
        {"ips": refs},
        {"dynamic_groups": ("all",)},
        {"topo_nodes": (node("biz", 2),)},
        {"topo_nodes": (node("set", 11),)},
    ]
    for server in asked:
        assert ids(CmdbHosts(client, inventory, ttl=0, timeout=20), BIZ_2, **server) == numbers
    client.close()


@pytest.fixture
def make_cmdb() -> Iterator[Callable[[], Cmdb]]:
    """A CMDB of a test's own."""
    with running_cmdb() as running:
        yield lambda: running
