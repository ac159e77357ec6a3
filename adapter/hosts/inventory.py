"""The Hosts port over an Ansible inventory: kept in memory, re-read in the background (design D1)."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Protocol

import structlog

from adapter.errors import Internal
from adapter.hosts import resolve
from adapter.hosts.fingerprint import Fingerprint, fingerprint
from adapter.hosts.index import HostIndex, IdsFor, build_index
from adapter.hosts.loader import Reading, read_inventory
from adapter.job.model import Host, Scope, Server
from adapter.job.status import HostStatus
from adapter.messages import say

log = structlog.get_logger(__name__)

_RETRY_SECONDS = 15.0  # after a failure, if that is sooner than the time to live
_SHOWN_WARNINGS = 20


class Read(Protocol):
    """How an inventory is read; loader.read_inventory in service."""

    def __call__(self, path: Path, *, cancelled: Callable[[], bool]) -> Reading:
        """What is at `path`. Raises if it cannot be read."""
        ...


Advice = Callable[[HostIndex], tuple[str, ...]]


def no_advice(_index: HostIndex) -> tuple[str, ...]:
    """Nothing."""
    return ()


class InventoryHosts:
    """Holds the newest HostIndex. Questions read one reference; only a whole new index replaces it.

    `advice` says what else is to be told of an index, beside what is wrong with it.
    """

    def __init__(
        self,
        path: Path,
        *,
        ids_for: IdsFor,
        default_biz: str = "2",
        ttl: float = 300.0,
        interval: float = 2.0,
        read: Read = read_inventory,
        advice: Advice = no_advice,
    ) -> None:
        self.last_error: str | None = None  #: why the newest attempt to read failed; None if it did not
        self._path = path
        self._ids_for = ids_for
        self._default_biz = default_biz
        self._ttl = ttl  # seconds
        self._interval = interval  # seconds between two looks at the files
        self._read = read
        self._advice = advice
        self._index: HostIndex | None = None
        self._said: tuple[str, ...] = ()
        self._fingerprint: Fingerprint = frozenset()
        self._due = 0.0  # of time.monotonic()
        self._reading = threading.Lock()
        self._ready = threading.Event()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Read the inventory in the background, now and whenever it changes or its time is up."""
        self._stopping.clear()
        self._thread = threading.Thread(target=self._follow, name="inventory", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the background thread, and a reading that is under way."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def reload(self) -> None:
        """Read the inventory now. Waits for a reading under way first: that may have missed a change.

        Raises InventoryError, or what the store of ids raises; the hosts read earlier stay in force.
        """
        with self._reading:
            self._reload()

    def wait_ready(self, timeout: float) -> bool:
        """Wait up to `timeout` seconds for the first reading; True if it is there."""
        return self._ready.wait(timeout)

    @property
    def index(self) -> HostIndex:
        """The newest index, for many questions about one state. Raises Internal if there is none yet."""
        index = self._index
        if index is None:
            raise Internal(say("The inventory has not been read yet; try again, or see the service's log"))
        return index

    def is_ready(self) -> bool:
        """True once the inventory has been read."""
        return self._index is not None

    def has_scope(self, scope: Scope) -> bool:
        """True if the scope's group exists, or it is the default business."""
        return resolve.has_scope(self.index, scope)

    def scopes(self) -> frozenset[Scope]:
        """Those that have a group, and the default business."""
        return frozenset(self.index.scopes)

    def resolve(self, scope: Scope, server: Server) -> tuple[Host, ...]:
        """The hosts `server` lists within `scope`."""
        return resolve.resolve(self.index, scope, server)

    def within(self, scope: Scope, bk_host_ids: Iterable[int]) -> tuple[Host, ...]:
        """Those of the hosts that are in the scope."""
        return resolve.within(self.index, scope, bk_host_ids)

    def find(self, bk_host_ids: Iterable[int]) -> Mapping[int, Host]:
        """Those hosts that there are, by id."""
        return resolve.find(self.index, bk_host_ids)

    def present(self, hosts: Iterable[Host]) -> Mapping[int, Host]:
        """Those of the hosts that the inventory still has, by id, under their present names."""
        return resolve.present(self.index, hosts)

    def absence(self, host: Host) -> tuple[HostStatus, str]:
        """Why a host is not present."""
        return resolve.absence(host)

    def variables(self, hosts: Iterable[Host]) -> Mapping[str, Mapping[str, Any]]:
        """Merged variables by inventory name; hosts that are gone are absent."""
        return resolve.variables(self.index, hosts)

    def _follow(self) -> None:
        pause = 0.0
        last_look: Fingerprint | None = None
        while not self._stopping.wait(pause):
            began = time.monotonic()
            look = fingerprint(self._path)
            looked = time.monotonic() - began
            # A file may be half written: a change counts when it has stopped changing.
            changed = look != self._fingerprint and look == last_look
            last_look = look
            if changed or began >= self._due:
                self._try_reload()
            # However many files there are and however slow Ansible is, most of the time goes to others.
            pause = max(self._interval, 10 * looked, time.monotonic() - began)

    def _try_reload(self) -> None:
        told = self.last_error
        try:
            self.reload()
        except Exception as error:  # noqa: BLE001 whatever it was, the next change or turn tries again
            if self._stopping.is_set() or self.last_error == told:
                return
            log.error(
                "inventory could not be read",
                inventory=str(self._path),
                error=str(error),
                hosts_in_force=len(self._index.hosts) if self._index else 0,
            )

    def _reload(self) -> None:
        began = time.monotonic()
        self._fingerprint = fingerprint(self._path)  # before reading: a change meanwhile is a change
        try:
            reading = self._read(self._path, cancelled=self._stopping.is_set)
            index = build_index(reading.data, ids_for=self._ids_for, default_biz=self._default_biz)
        except Exception as error:
            self.last_error = str(error) or type(error).__name__
            self._due = time.monotonic() + min(self._ttl, _RETRY_SECONDS)
            raise
        self._index, self.last_error = index, None
        self._ready.set()
        self._due = time.monotonic() + self._ttl
        seconds = round(time.monotonic() - began, 2)
        log.info("inventory read", inventory=str(self._path), hosts=len(index.hosts), seconds=seconds)
        self._say((*reading.messages, *index.warnings, *self._advice(index)))

    def _say(self, warnings: tuple[str, ...]) -> None:
        if warnings == self._said:
            return  # the same as at the last reading
        self._said = warnings
        for warning in warnings[:_SHOWN_WARNINGS]:
            log.warning("inventory", inventory=str(self._path), warning=warning)
        if len(warnings) > _SHOWN_WARNINGS:
            log.warning("inventory", more_warnings=len(warnings) - _SHOWN_WARNINGS)
