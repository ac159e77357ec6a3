"""Hosts by what became of them."""

from __future__ import annotations

from adapter.job.groups import at_most, grouped, matching, only
from adapter.job.model import Host, HostResult
from adapter.job.status import HostStatus

S, F, W = HostStatus.SUCCESS, HostStatus.NON_ZERO_EXIT, HostStatus.WAITING


def result(number: int, status: HostStatus = S, tag: str = "") -> HostResult:
    host = Host(bk_host_id=number, bk_cloud_id=0, ip=f"10.0.0.{number}", name=str(number))
    return HostResult(host=host, status=status, tag=tag)


GROUPS = grouped([result(5, F, "b"), result(4), result(3, F, "a"), result(2), result(1, W)])


def listed(groups: tuple[object, ...]) -> list[tuple[int, str, int, list[int]]]:
    return [
        (int(group.status), group.tag, group.size, [item.host.bk_host_id for item in group.hosts])  # type: ignore[attr-defined]
        for group in groups
    ]


def test_groups_are_by_status_and_tag() -> None:
    """In order; hosts in the order of the step's targets."""
    assert listed(GROUPS) == [
        (5, "", 1, [1]),
        (9, "", 2, [4, 2]),
        (104, "a", 1, [3]),
        (104, "b", 1, [5]),
    ]
    assert grouped([]) == ()


def test_one_group_alone_lists_its_hosts() -> None:
    """The others still say how many there are; a group that is not there is the first one, as in JOB."""
    assert listed(only(GROUPS, 104, "b")) == [
        (5, "", 1, []),
        (9, "", 2, []),
        (104, "a", 1, []),
        (104, "b", 1, [5]),
    ]
    for status, tag in ((104, ""), (9, "a"), (77, "")):
        assert [hosts for *_, hosts in listed(only(GROUPS, status, tag))] == [[1], [], [], []]
    assert only((), 9, "") == ()


def test_matching_hosts_are_counted() -> None:
    """A group without any stays, and says so."""
    assert listed(matching(GROUPS, {2, 5, 99})) == [
        (5, "", 0, []),
        (9, "", 1, [2]),
        (104, "a", 0, []),
        (104, "b", 1, [5]),
    ]


def test_a_limit_is_one_of_the_list() -> None:
    """Not of the number."""
    sizes = [1, 2, 1, 1]
    for limit, expected in ((1, [[1], [4], [3], [5]]), (0, [[], [], [], []]), (9, [[1], [4, 2], [3], [5]])):
        found = listed(at_most(GROUPS, limit))
        assert [size for _, _, size, _ in found] == sizes
        assert [hosts for *_, hosts in found] == expected
