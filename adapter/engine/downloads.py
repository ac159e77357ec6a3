"""One file of a file server, streamed into the cache: resumed, tried again, and only from where it may come.

What passes (a server that does not answer, breaks off or says 5xx) is tried again after a pause, and goes on where
it was cut if the server says by a strong ETag that the file is still the same. What does not pass (401, 403, 404, a
sum that differs, an address that the egress rule refuses) is not.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import re
import ssl
from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from adapter.engine.download_part import DownloadPart, Known, held
from adapter.engine.egress import AGENT, EgressTransport, NotCalled, is_callable
from adapter.engine.file_servers import FileServer
from adapter.engine.providing import Unavailable
from adapter.job.audit_log import printable
from adapter.job.egress import EgressRule

#: Seconds between looks at what is to become of the download, and for a part that another one holds.
_LOOK = 0.2
_MOST_REDIRECTS = 5
_REDIRECTS = (301, 302, 303, 307, 308)
_PIECE = 64 * 1024
_MOST_SHOWN = 500  #: characters of a URL
_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+)")


class _Passing(Exception):
    """This attempt came to nothing; another may not."""


@dataclass(frozen=True)
class Downloaded:
    """What is in the cache now."""

    sha256: str
    size: int


@dataclass
class _Course:
    """How far it has come; `look` is told, and raises what is to end the download."""

    look: Callable[[int, int | None], None]
    done: int = 0
    size: int | None = None


@dataclass(frozen=True, kw_only=True)
class Downloads:
    """Downloads into `cache`. Times are seconds: to connect, and without a single byte."""

    cache: Path
    rule: EgressRule
    pauses: tuple[float, ...]  #: before attempts that follow one which brought nothing new
    connect: float = 10
    stall: float = 30
    tls: ssl.SSLContext | None = field(default=None, repr=False)  #: None: the system's certificates

    def fetch(
        self, server: FileServer, path: str, owner: str, look: Callable[[int, int | None], None]
    ) -> Downloaded:
        """Bring the file into the cache. `owner` keeps parts apart that different file sources have of a URL.

        `look` is called every 0.2 seconds with the bytes there are and their number, None while that is not known.
        Raises Unavailable, OSError, and what `look` raises.
        """
        try:
            url = server.url(path)
        except httpx.InvalidURL as error:
            raise Unavailable(f"{path} is at no URL: {error}") from None
        if not is_callable(url):
            raise Unavailable(f"{shown(url)} is no URL that can be called")
        key = hashlib.sha256(f"{owner}\0{url}".encode()).hexdigest()
        part, course = DownloadPart(self.cache, key), _Course(look)
        return asyncio.run(_watched(self._fetch(server, url, part, course), course))

    async def _fetch(
        self, server: FileServer, url: httpx.URL, part: DownloadPart, course: _Course
    ) -> Downloaded:
        while not part.take():
            await asyncio.sleep(_LOOK)
        with held(part):
            for _ in part.take_up():
                course.done = part.size
                await asyncio.sleep(0)
            most, fruitless = part.size, 0
            while True:
                try:
                    return await self._attempt(server, url, part, course)
                except _Passing as error:
                    fruitless = 0 if part.size > most else fruitless + 1
                    most = max(most, part.size)
                    if fruitless > len(self.pauses):
                        raise Unavailable(f"{error}; tried {fruitless} times") from None
                    await asyncio.sleep(self.pauses[max(0, fruitless - 1)] if self.pauses else 0)

    async def _attempt(
        self, server: FileServer, url: httpx.URL, part: DownloadPart, course: _Course
    ) -> Downloaded:
        """Raises _Passing, Unavailable, OSError."""
        course.done, course.size = part.size, part.known.size
        try:
            async with self._opened(server, url, _conditions(part)) as answer:
                if answer.status_code == 304 and part.whole is not None:
                    return Downloaded(part.known.sha256, part.known.size or 0)
                await self._take_in(server, answer, part, course)
        except NotCalled as error:
            raise Unavailable(f"{shown(url)}: {error}") from None
        except (httpx.TransportError, httpx.DecodingError) as error:
            reason = " ".join(f"{type(error).__name__} {error}".split())
            problem = f"{shown(url)}: {reason} after {part.size} bytes"
            if "CERTIFICATE_VERIFY_FAILED" in reason or isinstance(error, httpx.UnsupportedProtocol):
                raise Unavailable(problem) from None
            raise _Passing(problem) from None
        known = part.complete()
        return Downloaded(known.sha256, part.size)

    async def _take_in(
        self, server: FileServer, answer: httpx.Response, part: DownloadPart, course: _Course
    ) -> None:
        """The body, to its end and with the right sums."""
        resumed = part.size > 0
        if answer.status_code == 206 and _goes_on(answer, part):
            size = part.known.size
        elif answer.status_code == 200:
            resumed, size = False, _length(answer)
            part.begin(Known(etag=_etag(answer), sums=dict(server.sums(answer.headers)), size=size))
        else:
            part.begin(Known())
            raise _Passing(f"{shown(answer.url)} answered {answer.status_code} to a range it does not fit")
        course.size = size
        part.require_room(size)
        async for piece in answer.aiter_raw(_PIECE):
            part.add(piece)
            course.done = part.size
        if size is not None and part.size != size:
            raise _Passing(f"{shown(answer.url)}: {part.size} bytes came, not {size}")
        if wrong := part.wrong():
            part.begin(Known())
            problem = "{}: the {} of what came is {}, the server says {}".format(shown(answer.url), *wrong)
            raise (_Passing if resumed else Unavailable)(problem)

    @contextlib.asynccontextmanager
    async def _opened(
        self, server: FileServer, url: httpx.URL, conditions: dict[str, str]
    ) -> AsyncIterator[httpx.Response]:
        """An answer that has the file, all of it or a part, or says that it is unchanged.

        Raises NotCalled, _Passing, Unavailable, httpx.TransportError.
        """
        first = url
        headers = {"User-Agent": AGENT, "Accept-Encoding": "identity", **conditions}
        for _ in range(_MOST_REDIRECTS + 1):
            who = server.who_asks(url) if _origin(url) == _origin(first) else {}
            transport = EgressTransport(self.rule, "ADAPTER_FILE_SOURCE_ALLOW", self.tls)
            timeout = httpx.Timeout(self.stall, connect=self.connect)
            async with httpx.AsyncClient(transport=transport, timeout=timeout, trust_env=False) as client:
                request = client.build_request("GET", url, headers={**headers, **who})
                try:
                    async with asyncio.timeout(self.connect + self.stall):
                        answer = await client.send(request, stream=True)
                except TimeoutError:  # a name server that says nothing, or an answer that comes byte by byte
                    raise _Passing(f"{shown(url)}: no answer in {self.connect + self.stall:g} s") from None
                except OSError as error:  # of the look-up: others are httpx's
                    raise _Passing(f"{shown(url)}: {error}") from None
                async with contextlib.aclosing(answer):
                    if answer.status_code not in _REDIRECTS:
                        _require_file(answer)
                        yield answer
                        return
                    url = _redirected(answer)
        raise Unavailable(f"{shown(first)} leads from one place to another more than {_MOST_REDIRECTS} times")


async def _watched(work: Coroutine[Any, Any, Downloaded], course: _Course) -> Downloaded:
    """What the work brings, unless `look` ends it: at once, whatever it waits for."""
    task = asyncio.ensure_future(work)
    try:
        while not task.done():
            await asyncio.wait({task}, timeout=_LOOK)
            course.look(course.done, course.size)
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    return task.result()


def shown(url: httpx.URL) -> str:
    """A URL as it may be told: without what may be a secret in it."""
    return printable(f"{url.scheme}://{url.netloc.decode('ascii')}{url.path}", _MOST_SHOWN)


def _conditions(part: DownloadPart) -> dict[str, str]:
    """To go on with what is there, or to have only what has changed."""
    if part.whole is not None:
        return {"If-None-Match": part.known.etag}
    if part.size and part.known.etag and not part.known.sha256:
        return {"Range": f"bytes={part.size}-", "If-Range": part.known.etag}
    return {}


def _goes_on(answer: httpx.Response, part: DownloadPart) -> bool:
    """True if a part of an answer is what is missing of the same file, to its end."""
    found = _RANGE.fullmatch(answer.headers.get("Content-Range", ""))
    if found is None or not part.size:
        return False
    first, last, size = map(int, found.groups())
    is_rest = first == part.size and last == size - 1 and size == (part.known.size or size)
    return is_rest and answer.headers.get("ETag", part.known.etag) == part.known.etag


def _require_file(answer: httpx.Response) -> None:
    """Raises _Passing or Unavailable for a status that brings no file."""
    status = answer.status_code
    if status in (200, 206, 304, 416):
        return
    problem = f"{shown(answer.url)} answered {status}"
    if status in (408, 429) or status >= 500:
        raise _Passing(problem)
    raise Unavailable(problem, is_missing=status in (404, 410))


def _redirected(answer: httpx.Response) -> httpx.URL:
    """Where an answer leads. Raises Unavailable for where no file is asked for."""
    try:
        url = answer.url.join(answer.headers.get("Location", ""))
    except (httpx.InvalidURL, ValueError):
        url = httpx.URL()
    if not is_callable(url):
        raise Unavailable(f"{shown(answer.url)} answered {answer.status_code} and leads nowhere")
    if url.path == f"{answer.url.path}/":
        raise Unavailable(f"{shown(answer.url)} is a directory; name the files in it")
    if answer.url.scheme == "https" and url.scheme != "https":
        raise Unavailable(f"{shown(answer.url)} leads from https to {shown(url)}")
    return url


def _origin(url: httpx.URL) -> tuple[str, bytes]:
    return url.scheme, url.netloc


def _etag(answer: httpx.Response) -> str:
    """A strong one that can be sent back, or "": a weak one does not say that the bytes are the same."""
    etag: str = answer.headers.get("ETag", "")
    return "" if etag.startswith("W/") or not etag.isascii() else etag


def _length(answer: httpx.Response) -> int | None:
    text = answer.headers.get("Content-Length", "")
    return int(text) if text.isascii() and text.isdecimal() else None
