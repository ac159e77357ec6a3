"""An inventory in memory, for tests of everything that asks for hosts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from adapter.errors import Internal
from adapter.hosts import resolve
from adapter.hosts.index import HostIndex, build_index
from adapter.job.model import Host, Scope, Server
from adapter.job.status import HostStatus


class MemoryHosts:
    """The Hosts port over given hosts and groups; it follows the same rules as the real one.

    `groups` maps names of inventory groups (`biz_3`, `module_7`, `dynamic_group_web`) to names of hosts.
    Hosts in no `biz_` group are in `default_biz`.
    """

    def __init__(
        self,
        hosts: Iterable[Host] = (),
        groups: Mapping[str, Iterable[str]] | None = None,
        *,
        variables: Mapping[str, Mapping[str, Any]] | None = None,
        default_biz: str = "2",
        ready: bool = True,
    ) -> None:
        self.ready = ready  #: set it to play a service that is still starting
        given = variables or {}
        hostvars = {host.name: {**given.get(host.name, {}), **_identity(host)} for host in hosts}
        data: dict[str, Any] = {name: {"hosts": list(members)} for name, members in (groups or {}).items()}
        self._index = build_index(
            {
                "_meta": {"hostvars": hostvars},
                "all": {"children": ["ungrouped", *data]},
                "ungrouped": {"hosts": list(hostvars)},
                **data,
            },
            ids_for=_no_ids,
            default_biz=default_biz,
        )

    def is_ready(self) -> bool:
        """As `ready` says."""
        return self.ready

    def has_scope(self, scope: Scope) -> bool:
        """True if a group of that name was given, or it is the default business."""
        return resolve.has_scope(self._loaded(), scope)

    def scopes(self) -> frozenset[Scope]:
        """Those whose groups were given, and the default business."""
        return frozenset(self._loaded().scopes)

    def resolve(self, scope: Scope, server: Server) -> tuple[Host, ...]:
        """The hosts `server` lists within `scope`."""
        return resolve.resolve(self._loaded(), scope, server)

    def within(self, scope: Scope, bk_host_ids: Iterable[int]) -> tuple[Host, ...]:
        """Those of the hosts that are in the scope."""
        return resolve.within(self._loaded(), scope, bk_host_ids)

    def find(self, bk_host_ids: Iterable[int]) -> Mapping[int, Host]:
        """Those hosts that there are, by id."""
        return resolve.find(self._loaded(), bk_host_ids)

    def present(self, hosts: Iterable[Host]) -> Mapping[int, Host]:
        """Those of the hosts that the inventory still has, by id, under their present names."""
        return resolve.present(self._loaded(), hosts)

    def absence(self, host: Host) -> tuple[HostStatus, str]:
        """Why a host is not present."""
        return resolve.absence(host)

    def variables(self, hosts: Iterable[Host]) -> Mapping[str, Mapping[str, Any]]:
        """Merged variables by inventory name; hosts that are gone are absent."""
        return resolve.variables(self._loaded(), hosts)

    def _loaded(self) -> HostIndex:
        if not self.ready:
            raise Internal("The inventory has not been read yet")
        return self._index


def _identity(host: Host) -> dict[str, Any]:
    address = {"ansible_host": host.ip} if host.ip else {}
    return {"bk_host_id": host.bk_host_id, "bk_cloud_id": host.bk_cloud_id, **address}


def _no_ids(names: list[str], _taken: object) -> dict[str, int]:
    raise ValueError(f"groups name hosts that were not given: {', '.join(names)}")
