"""One POST to a URL of a client's: to an address that the egress rule lets be called, bounded in time and size.

Redirects are not followed.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field

import httpx

from adapter.engine.egress import AGENT, EgressTransport, NotCalled, is_callable
from adapter.job.egress import EgressRule

#: Bytes of an answer's body that are read, so that the receiver can finish what it says; nobody looks at them.
_READ = 64 * 1024
_WORDS = 300  #: characters of a reason


@dataclass(frozen=True)
class Answer:
    """The status that came back, or why there is none. A refused address was not connected to."""

    status: int | None = None
    error: str | None = None
    refused: bool = False


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
            if not is_callable(target):
                return Answer(error="not a URL that can be called")
            return asyncio.run(self._bounded(target, body, headers))
        except NotCalled as refusal:
            return Answer(error=str(refusal)[:_WORDS], refused=True)
        except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as error:
            return Answer(error=" ".join(f"{type(error).__name__}: {error}".split())[:_WORDS])

    async def _bounded(self, target: httpx.URL, body: str, headers: Mapping[str, str]) -> Answer:
        status: list[int] = []
        try:
            async with asyncio.timeout(self.timeout):
                await self._post(target, body, headers, status)
        except TimeoutError:
            if not status:
                return Answer(error=f"no answer within {self.timeout:g} s")
        except httpx.HTTPError:
            if not status:  # what goes wrong after the status does not change it
                raise
        return Answer(status=status[0])

    async def _post(
        self, target: httpx.URL, body: str, headers: Mapping[str, str], status: list[int]
    ) -> None:
        transport = EgressTransport(self.rule, "ADAPTER_CALLBACK_ALLOW", self.tls)
        async with httpx.AsyncClient(transport=transport, timeout=self.timeout, trust_env=False) as client:
            request = client.build_request(
                "POST", target, content=body.encode(), headers={"User-Agent": AGENT, **headers}
            )
            answer = await client.send(request, stream=True, follow_redirects=False)
            status.append(answer.status_code)
            read = 0
            async for chunk in answer.aiter_raw():
                read += len(chunk)
                if read > _READ:
                    break
            await answer.aclose()
