"""Which hosts answer: a look at their SSH servers from here, in the background, kept for a while (decision 42)."""

from __future__ import annotations

import asyncio
import concurrent.futures
import errno
import resource
import socket
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import structlog

from adapter.hosts.kept import Kept
from adapter.hosts.ssh_endpoint import HERE, Endpoint, endpoint, is_led_elsewhere
from adapter.job.model import Host, Seen

log = structlog.get_logger(__name__)

Variables = Callable[[Iterable[Host]], Mapping[str, Mapping[str, Any]]]
Look = concurrent.futures.Future[None]

_KEPT_SECONDS = 30.0
_LOOK_SECONDS = 2.0  #: for the connection and the server's first line together
_AT_ONCE = 1000  #: and never more than an eighth of the files this process may open
_MOST_WAITING = 20_000  #: looks under way or to come; hosts beyond are not looked at
_LINE = 255  #: bytes; RFC 4253 4.2
_NOBODY_THERE = {
    errno.ECONNREFUSED,
    errno.ECONNRESET,
    errno.EHOSTUNREACH,
    errno.ENETUNREACH,
    errno.EHOSTDOWN,
    errno.ETIMEDOUT,
}


class SshReachability:
    """The Reachability port: a host answers if its SSH server says which it is.

    Whatever else may be in the way (a jump host, a proxy, winrm, a container), nothing is said of such a host.
    `variables` is that of the Hosts port. The thread is started by the first look.
    """

    def __init__(
        self, variables: Variables, *, kept: float = _KEPT_SECONDS, timeout: float = _LOOK_SECONDS
    ) -> None:
        self._variables = variables
        self._timeout = timeout
        self._kept = Kept[Endpoint, Seen | None](kept)
        self._under_way: dict[Endpoint, Look] = {}
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._led_elsewhere = is_led_elsewhere()

    def seen(self, hosts: Sequence[Host], wait: float = 0) -> Mapping[int, Seen]:
        """What is known, by bk_host_id; of hosts not seen lately what is found within `wait` seconds."""
        if not wait and self._thread is None:
            return {}  # nobody has looked yet; jobs are polled all the time
        told = self._variables(hosts)
        at = {host.bk_host_id: endpoint(host.name, told[host.name]) for host in hosts if host.name in told}
        wanted = dict.fromkeys(place for place in at.values() if place is not None and place != HERE)
        known = self._kept.of(wanted)
        if wait and len(known) < len(wanted):
            looks = self._look([place for place in wanted if place not in known])
            concurrent.futures.wait(looks, wait)
            known = self._kept.of(wanted)
        known[HERE] = Seen(answers=True)
        found = {id_: known.get(place) for id_, place in at.items() if place is not None}
        return {id_: seen for id_, seen in found.items() if seen is not None}

    def stop(self) -> None:
        """End looks that are under way, and the thread."""
        with self._lock:
            loop, thread, self._loop, self._thread = self._loop, self._thread, None, None
        if loop is None or thread is None:
            return
        asyncio.run_coroutine_threadsafe(_cancel_all(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()

    def _look(self, places: Sequence[Endpoint]) -> list[Look]:
        with self._lock:
            loop = self._started()
            room = _MOST_WAITING - len(self._under_way)
            # A look that ended since the caller asked what is known has put its answer there before it left.
            settled = self._under_way.keys() | self._kept.of(places).keys()
            new = [place for place in places if place not in settled][: max(0, room)]
            for place in new:
                self._under_way[place] = asyncio.run_coroutine_threadsafe(self._one(place), loop)
            return [self._under_way[place] for place in places if place in self._under_way]

    def _started(self) -> asyncio.AbstractEventLoop:
        if self._loop is None:
            self._loop = asyncio.new_event_loop()
            self._thread = threading.Thread(target=self._loop.run_forever, name="reachability", daemon=True)
            self._thread.start()
            files = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
            self._places = asyncio.Semaphore(max(1, min(_AT_ONCE, files // 8)))
        return self._loop

    async def _one(self, place: Endpoint) -> None:
        try:
            async with self._places:
                asked = self._kept.now()
                seen: Seen | None
                try:
                    seen = await asyncio.wait_for(_greeting(*place), self._timeout)
                except Exception as error:  # noqa: BLE001 whatever it is, it is about one host
                    seen = self._silence(place, error)
            self._kept.put({place: seen}, asked)
        finally:
            with self._lock:
                self._under_way.pop(place, None)

    def _silence(self, place: Endpoint, error: Exception) -> Seen | None:
        """What it means that nobody answers; a fault of this machine's own means nothing."""
        is_nobody = isinstance(error, TimeoutError | socket.gaierror | EOFError | UnicodeError)
        if not is_nobody and not (isinstance(error, OSError) and _errors(error) <= _NOBODY_THERE):
            log.warning("host_not_looked_at", address=place[0], port=place[1], error=repr(error))
            return None
        return None if self._led_elsewhere else Seen(answers=False)


async def _greeting(address: str, port: int) -> Seen:
    """Connect and read who it is; an SSH server speaks first."""
    reader, writer = await asyncio.open_connection(address, port, limit=_LINE)
    try:
        line = await reader.readuntil(b"\n")
    except asyncio.LimitOverrunError:
        line = b""
    finally:
        writer.close()
    if not line.startswith(b"SSH-"):
        return Seen(answers=False)
    software = line.decode(errors="replace").strip().split(" ")[0].split("-", 2)[-1]
    return Seen(answers=True, version=software if software.isprintable() else None)


def _errors(error: OSError) -> set[int | None]:
    """asyncio joins the errors of several addresses into one without a number."""
    if error.errno is not None:
        return {error.errno}
    return {number for number in _NOBODY_THERE if f"[Errno {number}]" in str(error)} or {None}


async def _cancel_all() -> None:
    others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
