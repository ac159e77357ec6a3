"""Which of the passwords that a request lists is whose."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from adapter.job.commands import HostPassword
from adapter.job.model import Host


def of_hosts(
    given: Sequence[HostPassword], hosts: Iterable[Host], opened: Callable[[str], str]
) -> dict[int, str]:
    """Passwords by bk_host_id. Of several for one host the one by id wins, and the last over earlier ones.

    Raises what `opened` raises for a password of one of the hosts.
    """
    by_id = {one.bk_host_id: one.encrypted for one in given if one.bk_host_id is not None}
    by_address = {(one.bk_cloud_id, one.ip): one.encrypted for one in given if one.ip is not None}
    found = {}
    for host in hosts:
        encrypted = by_id.get(host.bk_host_id) or by_address.get((host.bk_cloud_id, host.ip))
        if encrypted is not None:
            found[host.bk_host_id] = opened(encrypted)
    return found
