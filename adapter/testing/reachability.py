"""Which hosts answer, as a test says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from adapter.job.model import Host, Seen


class MemoryReachability:
    """The Reachability port over given answers; `waited` has how long each question would have waited."""

    def __init__(self, seen: Mapping[int, Seen] | None = None) -> None:
        self.known = dict(seen or {})
        self.waited: list[float] = []

    def seen(self, hosts: Sequence[Host], wait: float = 0) -> Mapping[int, Seen]:
        """Those of the hosts that were given."""
        self.waited.append(wait)
        return {
            host.bk_host_id: self.known[host.bk_host_id] for host in hosts if host.bk_host_id in self.known
        }
