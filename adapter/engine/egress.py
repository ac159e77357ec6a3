"""Requests that go only where the egress rule lets them: callbacks and downloads alike.

The name is looked up once, each address is checked, and the connection goes to one of those: what the name
resolves to a moment later changes nothing. `Host` and the name that TLS verifies stay the URL's. Proxies of the
environment are not used: they would look the name up again.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import socket
import ssl
import threading
from functools import cache

import httpx

from adapter.job.egress import Address, EgressRule, literal

AGENT = "ansible-job-adapter"
_MAX_PORT = 65535


class NotCalled(Exception):
    """The egress rule refuses every address of the host."""


class EgressTransport(httpx.AsyncBaseTransport):
    """For one request to one place: connections are not kept for another name of the same address.

    `setting` is what names exceptions to the rule. `tls` None: the system's certificates.
    """

    def __init__(self, rule: EgressRule, setting: str, tls: ssl.SSLContext | None = None) -> None:
        self._rule = rule
        self._setting = setting
        self._inner = httpx.AsyncHTTPTransport(verify=tls or _system_tls(), trust_env=False)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """To the first address that takes a connection; each may take its share of the time to connect.

        Raises NotCalled, httpx.HTTPError, and OSError if the name cannot be looked up.
        """
        host = _host_of(request.url)
        addresses = self._allowed(host, await _addresses(host))
        timeout = request.extensions.get("timeout", {})
        for left in range(len(addresses), 0, -1):
            connect = timeout.get("connect")
            shared = {**timeout, "connect": None if connect is None else connect / left}
            try:
                return await self._inner.handle_async_request(_sent_to(request, addresses[-left], shared))
            except (httpx.ConnectError, httpx.ConnectTimeout):
                if left == 1:
                    raise
        raise NotCalled(f"refused: {host} has no address")

    async def aclose(self) -> None:
        """Closes the connection."""
        await self._inner.aclose()

    def _allowed(self, host: str, addresses: list[Address]) -> list[Address]:
        """The addresses that may be called. Raises NotCalled if there is none."""
        reasons = {address: self._rule.refusal(host, address) for address in addresses}
        allowed = [address for address, reason in reasons.items() if reason is None]
        if not allowed:
            why = ", ".join(str(reason) for reason in reasons.values())
            raise NotCalled(f"refused: {why}; {self._setting} does not name it")
        return allowed


def is_callable(url: httpx.URL) -> bool:
    """True for a URL of http or https with a host and a port that there are."""
    try:
        return url.scheme in ("http", "https") and bool(url.host) and (url.port or 1) <= _MAX_PORT
    except ValueError:  # a host that claims to be an international name, and is none
        return False


def _sent_to(request: httpx.Request, address: Address, timeout: dict[str, float | None]) -> httpx.Request:
    """The request, to an address; its certificate must still be the name's."""
    host = _host_of(request.url)
    certified_as = {"sni_hostname": host} if literal(host) is None else {}
    return httpx.Request(
        request.method,
        request.url.copy_with(host=str(address)),
        headers=request.headers,
        stream=request.stream,
        extensions={**request.extensions, "timeout": timeout, **certified_as},
    )


def _host_of(url: httpx.URL) -> str:
    """The host as it goes over the wire: the one form that is judged, looked up and verified."""
    return url.raw_host.decode("ascii")


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

    threading.Thread(target=look_up, name="egress-look-up", daemon=True).start()
    return await found


def _settle(found: asyncio.Future[list[Address]], result: list[Address] | OSError) -> None:
    if found.done():
        return
    if isinstance(result, OSError):
        found.set_exception(result)
    else:
        found.set_result(result)
