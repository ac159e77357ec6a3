"""Targets to hosts, as contract section f has it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapter.errors import GroupUnknown, HostsNotInScope, HostsUnknown
from adapter.hosts.resolve import has_scope, resolve
from adapter.job.model import IpRef, Scope, Server, TopoNode

from .builders import index_of

BIZ_2, BIZ_3, SET_9 = Scope("biz", "2"), Scope("biz", "3"), Scope("biz_set", "9")

INDEX = index_of(
    {
        "a": {"bk_host_id": 1, "ansible_host": "10.0.0.1"},
        "b": {"bk_host_id": 2, "ansible_host": "10.0.0.2"},
        "c": {"bk_host_id": 3, "ansible_host": "2001:db8::1"},
        "d": {"bk_host_id": 4, "ansible_host": "10.0.0.1", "bk_cloud_id": 1},
    },
    groups={"module_1": ["a", "b"], "module_2": ["c"], "biz_3": ["c"], "dynamic_group_web": ["c", "b"]},
    children={"biz_2": ["set_1"], "set_1": ["module_1"], "biz_set_9": ["biz_2", "biz_3"]},
)


def ids(scope: Scope, server: Server) -> list[int]:
    """The ids of the hosts found."""
    return [host.bk_host_id for host in resolve(INDEX, scope, server)]


def ip(address: str, cloud: int = 0) -> IpRef:
    """A host by address."""
    return IpRef(bk_cloud_id=cloud, ip=address)


def node(node_type: str, node_id: int) -> TopoNode:
    """A topo node."""
    return TopoNode(id=node_id, node_type=node_type)


def test_host_ids_win_over_ips() -> None:
    """The ips are not even looked at."""
    assert ids(BIZ_2, Server(host_ids=(2,), ips=(ip("not an ip"),))) == [2]


def test_ips_are_found_by_cloud_and_address() -> None:
    """The same address in another cloud area is another host."""
    assert ids(BIZ_2, Server(ips=(ip("10.0.0.1"), ip("10.0.0.1", 1)))) == [1, 4]


def test_ips_are_compared_whatever_their_spelling() -> None:
    """IPv6 has many."""
    assert ids(BIZ_3, Server(ips=(ip("2001:0DB8:0:0::1"),))) == [3]


def test_static_then_groups_then_topo_nodes_each_host_once() -> None:
    """The union, in the contract's order."""
    server = Server(
        host_ids=(4, 4),
        dynamic_groups=("web", "web"),
        topo_nodes=(node("module", 1), node("biz", 2)),
    )
    assert ids(BIZ_2, server) == [4, 2, 1]


@pytest.mark.parametrize("address", ["10.9.9.9", " 10.0.0.1", "010.0.0.1", "", "{{ x }}", "10.0.0.1; id"])
def test_unknown_addresses_and_nonsense_are_unknown_hosts(address: str) -> None:
    """1244030, listing each once."""
    with pytest.raises(HostsUnknown) as caught:
        ids(BIZ_2, Server(ips=(ip("10.0.0.1"), ip(address, 5), ip(address, 5))))
    assert f"Number 1, list [5:{address}]" in caught.value.message


def test_unknown_ids_are_told_before_those_outside() -> None:
    """1244030 lists only what the inventory does not have."""
    with pytest.raises(HostsUnknown) as caught:
        ids(BIZ_2, Server(host_ids=(1, 99, 3, 98, 99)))
    assert "Number 2, list [99, 98]" in caught.value.message


@pytest.mark.parametrize(
    ("server", "label"),
    [(Server(host_ids=(1, 3)), "3"), (Server(ips=(ip("2001:db8::1"),)), "0:2001:db8::1")],
)
def test_known_hosts_of_another_business_are_refused(server: Server, label: str) -> None:
    """1244002 names them and the business."""
    with pytest.raises(HostsNotInScope) as caught:
        ids(BIZ_2, server)
    assert f"{label} not in business [2]" in caught.value.message


def test_an_unknown_dynamic_group_is_refused() -> None:
    """1211003; the id is never more than a part of a name."""
    with pytest.raises(GroupUnknown):
        ids(BIZ_2, Server(dynamic_groups=("../web",)))


def test_members_outside_the_scope_are_left_out() -> None:
    """A group may span businesses; each sees its own part."""
    server = Server(dynamic_groups=("web",))
    assert (ids(BIZ_2, server), ids(BIZ_3, server), ids(SET_9, server)) == ([2], [3], [3, 2])


def test_a_topo_node_without_a_group_has_no_hosts() -> None:
    """As CMDB answers for a module without hosts."""
    assert ids(BIZ_2, Server(topo_nodes=(node("module", 77), node("", 0), node("biz", 77)))) == []


def test_the_business_as_topo_node_gives_all_its_hosts() -> None:
    """For the default business that includes hosts in no business group."""
    assert ids(BIZ_2, Server(topo_nodes=(node("biz", 2),))) == [4, 2, 1], "in inventory order"
    assert ids(BIZ_3, Server(topo_nodes=(node("biz", 3), node("biz", 2)))) == [3]


def test_a_business_set_has_the_hosts_of_its_businesses() -> None:
    """Host 4 is in the default business by default only, not by group."""
    assert ids(SET_9, Server(host_ids=(1, 3), topo_nodes=(node("biz", 2),))) == [1, 3, 2]
    with pytest.raises(HostsNotInScope):
        ids(SET_9, Server(host_ids=(4,)))


def test_scopes_exist_by_their_group() -> None:
    """The default business exists always."""
    assert [has_scope(INDEX, scope) for scope in (BIZ_2, BIZ_3, SET_9)] == [True, True, True]
    others = (Scope("biz", "9"), Scope("biz_set", "2"), Scope("set", "1"), Scope("biz", "set_9"))
    assert [has_scope(INDEX, scope) for scope in others] == [False] * 4
    assert has_scope(index_of({}, default_biz="5"), Scope("biz", "5"))


def test_an_unknown_scope_has_no_hosts() -> None:
    """Its groups are empty, its hosts are another's."""
    nowhere = Scope("biz", "404")
    assert ids(nowhere, Server(dynamic_groups=("web",), topo_nodes=(node("set", 1),))) == []
    with pytest.raises(HostsNotInScope):
        ids(nowhere, Server(host_ids=(1,)))


NUMBER = st.integers(0, 6)
SERVERS = st.builds(
    Server,
    host_ids=st.lists(NUMBER, max_size=6).map(tuple),
    ips=st.lists(st.builds(IpRef, bk_cloud_id=st.integers(0, 1), ip=NUMBER.map("10.0.0.{}".format))).map(
        tuple
    ),
    dynamic_groups=st.lists(st.sampled_from("012"), max_size=3).map(tuple),
    topo_nodes=st.lists(
        st.builds(TopoNode, id=NUMBER, node_type=st.sampled_from(["biz", "biz_set", "set", "module"])),
        max_size=3,
    ).map(tuple),
)


@given(data=st.data(), server=SERVERS)
def test_no_host_outside_the_scope_and_none_twice(data: st.DataObject, server: Server) -> None:
    """Whatever the inventory and the request: the scope is a wall, and the order is static hosts first."""
    names = ["h1", "h2", "h3", "h4", "h5"]
    groups = [
        "biz_1",
        "biz_2",
        "biz_set_1",
        "set_1",
        "set_2",
        "module_3",
        "dynamic_group_0",
        "dynamic_group_1",
    ]
    members = data.draw(
        st.dictionaries(st.sampled_from(groups), st.lists(st.sampled_from(names)), max_size=8)
    )
    children = data.draw(
        st.dictionaries(st.sampled_from(groups), st.lists(st.sampled_from(groups), max_size=2), max_size=4)
    )
    index = index_of(
        {name: {"bk_host_id": n, "ansible_host": f"10.0.0.{n}"} for n, name in enumerate(names, 1)},
        members,
        children,
    )
    scope = data.draw(st.sampled_from([Scope("biz", "1"), Scope("biz", "2"), Scope("biz_set", "1")]))
    try:
        found = [host.bk_host_id for host in resolve(index, scope, server)]
    except (HostsUnknown, HostsNotInScope, GroupUnknown):
        return
    assert len(found) == len(set(found))
    group = set(index.groups.get(str(scope), ()))
    in_no_business = {n for n in index.hosts if not any(n in index.groups.get(f"biz_{b}", ()) for b in "12")}
    assert set(found) <= group | (in_no_business if scope == Scope("biz", "2") else set())
    static = list(dict.fromkeys(server.host_ids))
    assert found[: len(static)] == static
