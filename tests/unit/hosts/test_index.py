"""The index of an inventory: ids, groups, businesses, and what it complains about."""

from __future__ import annotations

import pytest

from adapter.hosts.index import build_index
from adapter.job.model import Scope

from .builders import CountingIds, index_of, listing


def test_membership_goes_through_children_of_children() -> None:
    """A business has the hosts of its sets' modules."""
    index = index_of(
        {"a": {"bk_host_id": 1}, "b": {"bk_host_id": 2}},
        groups={"module_1": ["a"], "module_2": ["b"]},
        children={"biz_2": ["set_1"], "set_1": ["module_1", "module_2"]},
    )
    assert index.groups == {"biz_2": (1, 2), "set_1": (1, 2), "module_1": (1,), "module_2": (2,)}
    assert index.businesses_of(1) == ("2",)


def test_groups_that_contain_each_other_end() -> None:
    """Ansible refuses such an inventory; if it ever came, nothing hangs."""
    index = index_of(
        {"a": {"bk_host_id": 1}},
        groups={"biz_3": ["a"]},
        children={"biz_3": ["set_1"], "set_1": ["biz_3"], "set_2": ["set_1"]},
    )
    assert index.groups["set_2"] == (1,)


def test_hosts_in_no_business_are_in_the_default_one() -> None:
    """An unmodified inventory works; a business set is no business."""
    index = index_of(
        {"a": {"bk_host_id": 1}, "b": {"bk_host_id": 2}, "c": {"bk_host_id": 3}, "d": {"bk_host_id": 4}},
        groups={"biz_3": ["a"], "biz_set_9": ["b"], "biz_2": ["d"], "web": ["c"]},
    )
    assert index.scopes == {
        Scope("biz", "2"): {2, 3, 4},
        Scope("biz", "3"): {1},
        Scope("biz_set", "9"): {2},
    }
    assert index.businesses == {"2": (2, 4, 3), "3": (1,)}, "in inventory order, group by group"
    assert index.businesses_of(1) == ("3",)


def test_a_host_may_be_in_several_businesses() -> None:
    """A shared host is in each of them, and not in the default one besides."""
    index = index_of({"a": {"bk_host_id": 1}}, groups={"biz_3": ["a"], "biz_4": ["a"]})
    assert index.businesses_of(1) == ("3", "4")


def test_an_empty_business_exists() -> None:
    """Ansible gives an empty group no entry; only its parent's children name it."""
    data = listing({"a": {"bk_host_id": 1}})
    data["all"]["children"].append("biz_7")
    index = build_index(data, ids_for=CountingIds(), default_biz="2")
    assert index.scopes[Scope("biz", "7")] == frozenset()


def test_a_business_set_is_never_a_business_named_set() -> None:
    """`biz_set_9` could be read as the business with the id `set_9`."""
    index = index_of({"a": {"bk_host_id": 1}}, groups={"biz_set_9": ["a"]})
    assert Scope("biz", "set_9") not in index.scopes


def test_a_host_without_id_gets_one_that_nobody_gave() -> None:
    """The port is told which ids are taken."""
    ids = CountingIds()
    data = listing({"a": {}, "b": {"bk_host_id": 1_000_001}})
    index = build_index(data, ids_for=ids, default_biz="2")
    assert index.names["b"].bk_host_id == 1_000_001
    assert index.names["a"].bk_host_id == 1_000_002


def test_the_second_host_of_an_id_is_left_out_and_told() -> None:
    """The first in inventory order stays, everywhere."""
    index = index_of(
        {"z": {"bk_host_id": 1, "x": 1}, "a": {"bk_host_id": 1, "x": 2}}, groups={"set_1": ["z", "a"]}
    )
    assert [host.name for host in index.hosts.values()] == ["z"]
    assert index.groups["set_1"] == (1,)
    assert set(index.variables) == {"z"}
    assert len(index.warnings) == 1
    assert "host a is left out: its bk_host_id 1 is that of z" in index.warnings[0]


def test_the_second_host_of_an_address_is_found_by_id_only_and_told() -> None:
    """Containers behind one address and different ports are hosts of their own."""
    index = index_of(
        {
            "z": {"bk_host_id": 1, "ansible_host": "127.0.0.1", "ansible_port": 2201},
            "a": {"bk_host_id": 2, "ansible_host": "127.0.0.1", "ansible_port": 2202},
            "other_network": {"bk_host_id": 3, "ansible_host": "127.0.0.1", "bk_cloud_id": 1},
        }
    )
    assert list(index.hosts) == [1, 2, 3]
    found = index.at(0, "127.0.0.1")
    assert found is not None
    assert found.name == "z"
    assert len(index.warnings) == 1
    assert "host a has the address 0:127.0.0.1 of z" in index.warnings[0]


@pytest.mark.parametrize("name", ["", "x" * 256, "a\x00b", "a\nb", "\ud800"])
def test_a_name_that_no_database_can_hold_is_left_out_and_told(name: str) -> None:
    """The other hosts are there as ever."""
    index = index_of({name: {}, "a": {}})
    assert list(index.names) == ["a"]
    assert "is left out" in index.warnings[0]


def test_hostile_names_are_data() -> None:
    """Braces, paths and options in names are only text; groups are found by exactly their name."""
    names = ["{{ lookup('pipe', 'id') }}", "-oProxyCommand=id", "../../etc/passwd", "a b;c"]
    index = index_of({name: {} for name in names}, groups={"dynamic_group_../../x": names})
    assert list(index.names) == names
    assert len(index.groups["dynamic_group_../../x"]) == 4
    assert index.warnings == ()


def test_names_wrapped_as_unsafe_are_unwrapped() -> None:
    """Ansible may mark any text that came from outside."""
    data = listing({"a": {"bk_host_id": 1}}, groups={"set_1": ["a"]})
    data["set_1"]["hosts"] = [{"__ansible_unsafe": "a"}]
    assert build_index(data, ids_for=CountingIds(), default_biz="2").groups["set_1"] == (1,)


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"_meta": None},
        {"_meta": {"hostvars": []}},
        {"biz_3": None},
        {"biz_3": {"hosts": "a", "children": {}}},
    ],
)
def test_json_of_another_shape_is_an_inventory_without_hosts(data: dict[str, object]) -> None:
    """The default business is there all the same."""
    index = build_index(data, ids_for=CountingIds(), default_biz="2")
    assert index.hosts == {}
    assert Scope("biz", "2") in index.scopes
