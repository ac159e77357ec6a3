"""One POST to a URL of a client's: to an address that the egress rule lets be called, bounded in time and size.

The name is looked up once, each address is checked, and the connection goes to one of those: what the name
resolves to a moment later changes nothing. `Host` and the name that TLS verifies stay the URL's. Redirects are not
followed, proxies of the environment are not used: they would look the name up again.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import socket
import ssl
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache

import httpx

from adapter.job.egress import Address, EgressRule, literal

#: Bytes of an answer's body that are read, so that the receiver can finish what it says; nobody looks at them.
_READ = 64 * 1024
_WORDS = 300  #: characters of a reason
_MAX_PORT = 65535
_AGENT = "ansible-job-adapter"


@dataclass(frozen=True)
class Answer:
    """The status that came back, or why there is none. A refused address was not connected to."""

    status: int | None = None
    error: str | None = None
    refused: bool = False


class _NotCalled(Exception):
    """The egress rule refuses every address of the host."""


@dataclass(frozen=True, kw_only=True)
class Post:
    """Posts. `timeout` is seconds for everything together: look-up, connection, request and answer."""

    rule: EgressRule
    timeout: float
    tls: ssl.SSLContext | None = field(default=None, repr=False)  #: None: the system's certificates

    def __call__(self, url: str, body: str, headers: Mapping[str, str]) -> Answer:
        """What came of one POST; never raises for what a URL or a receiver can be or do."""
        try:
            target = httpx.URL(url)
            if target.scheme not in ("http", "https") or not target.host or (target.port or 1) > _MAX_PORT:
                return Answer(error="not a URL that can be called")
            return asyncio.run(self._bounded(target, body, headers))
        except _NotCalled as refusal:
            return Answer(error=str(refusal), refused=True)
        except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as error:
            return Answer(error=" ".join(f"{type(error).__name__}: {error}".split())[:_WORDS])

    async def _bounded(self, target: httpx.URL, body: str, headers: Mapping[str, str]) -> Answer:
        status: list[int] = []
        try:
            async with asyncio.timeout(self.timeout):
                host = _host_of(target)
                allowed = self._allowed(host, await _addresses(host))
                await self._post_to_any(target, allowed, body, headers, status)
        except TimeoutError:
            if not status:
                return Answer(error=f"no answer within {self.timeout:g} s")
        except httpx.HTTPError:
            if not status:  # what goes wrong after the status does not change it
                raise
        return Answer(status=status[0])

    def _allowed(self, host: str, addresses: list[Address]) -> list[Address]:
        """The addresses that may be called. Raises _NotCalled if there is none."""
        reasons = {address: self.rule.refusal(host, address) for address in addresses}
        allowed = [address for address, reason in reasons.items() if reason is None]
        if not allowed:
            why = ", ".join(str(reason) for reason in reasons.values())
            raise _NotCalled(f"refused: {why}; ADAPTER_CALLBACK_ALLOW does not name it"[:_WORDS])
        return allowed

    async def _post_to_any(
        self,
        target: httpx.URL,
        addresses: list[Address],
        body: str,
        headers: Mapping[str, str],
        status: list[int],
    ) -> None:
        """To the first address that takes a connection; each may take its share of the time."""
        for left in range(len(addresses), 0, -1):
            address, share = addresses[-left], self.timeout / left
            try:
                await self._post(target, address, share, body, headers, status)
            except (httpx.ConnectError, httpx.ConnectTimeout):
                if left == 1:
                    raise
            else:
                return

    async def _post(
        self,
        target: httpx.URL,
        address: Address,
        connect_within: float,
        body: str,
        headers: Mapping[str, str],
        status: list[int],
    ) -> None:
        transport = httpx.AsyncHTTPTransport(verify=self.tls or _system_tls(), trust_env=False)
        timeout = httpx.Timeout(self.timeout, connect=connect_within)
        async with httpx.AsyncClient(transport=transport, timeout=timeout, trust_env=False) as client:
            request = client.build_request(
                "POST",
                target.copy_with(host=str(address)),
                content=body.encode(),
                headers={"Host": target.netloc.decode(), "User-Agent": _AGENT, **headers},
                extensions=_certified_as(target),
            )
            answer = await client.send(request, stream=True, follow_redirects=False)
            status.append(answer.status_code)
            read = 0
            async for chunk in answer.aiter_raw():
                read += len(chunk)
                if read > _READ:
                    break
            await answer.aclose()


def _host_of(target: httpx.URL) -> str:
    """The host as it goes over the wire: the one form that is judged, looked up and verified."""
    return target.raw_host.decode("ascii")


def _certified_as(target: httpx.URL) -> dict[str, str]:
    """The name that the receiver's certificate must have, as the connection goes to an address."""
    host = _host_of(target)
    return {"sni_hostname": host} if literal(host) is None else {}


@cache
def _system_tls() -> ssl.SSLContext:
    """The machine's own certificates: operators add theirs there, or in SSL_CERT_FILE."""
    return ssl.create_default_context()


async def _addresses(host: str) -> list[Address]:
    """What the host resolves to, in the order to try. Raises OSError.

    In a thread that nobody waits for: a name server that does not answer holds nothing up.
    """
    address = literal(host)
    if address is not None:
        return [address]
    loop = asyncio.get_running_loop()
    found: asyncio.Future[list[Address]] = loop.create_future()

    def look_up() -> None:
        result: list[Address] | OSError
        try:
            rows = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
            result = list(dict.fromkeys(ipaddress.ip_address(row[4][0]) for row in rows))
        except (OSError, UnicodeError) as error:
            result = OSError(f"{host} cannot be looked up: {error}")
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(_settle, found, result)

    threading.Thread(target=look_up, name="callback-look-up", daemon=True).start()
    return await found


def _settle(found: asyncio.Future[list[Address]], result: list[Address] | OSError) -> None:
    if found.done():
        return
    if isinstance(result, OSError):
        found.set_exception(result)
    else:
        found.set_result(result)
