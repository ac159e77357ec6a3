"""BlueKing CMDB's open API over HTTP: one question at a time, bounded, and its rows over all pages.

Spoken in either of its forms, which differ in the URL: an API gateway (`https://…/api/bk-cmdb/prod`, the paths of
its resources below it) or ESB (`https://…/api/c/compapi/v2/cc`, names). Everything asked here only reads, so that
what fails on the way is asked once more.
"""

from __future__ import annotations

import contextlib
import json
import threading
import time
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, TypeVar

import httpx

from adapter.errors import CmdbFailed, CmdbRefused, CmdbUnreachable
from adapter.messages import say

T = TypeVar("T")
R = TypeVar("R")
Row = Mapping[str, Any]

_PAGES_AT_ONCE = 4
_REQUESTS_AT_ONCE = (
    16  #: over all callers; a CMDB that hangs keeps no more of the service's threads than these
)
_WAIT_FOR_A_PLACE = 2.0  # seconds
_READINGS = 3  #: of all pages, if CMDB changes between them
_ATTEMPTS = 2  #: at one page
_PAUSE = 0.2  # seconds between them
_MOST_ROWS = 1_000_000
_MOST_BYTES = 64 * 1024 * 1024
_WORDS = 300  #: characters of a reason
_ESB = "/api/c/compapi"


@dataclass(frozen=True)
class Api:
    """An API of CMDB: its name for ESB, its path at the gateway, how many rows a page may have and their order."""

    name: str
    path: str
    rows: int = 0
    sort: str = ""
    counts: bool = True  #: a page says how many rows there are; if not, that is a request of its own


@dataclass(frozen=True, kw_only=True)
class Credentials:
    """Who asks CMDB. The secret is in no text of this object."""

    app_code: str
    app_secret: str = field(repr=False)
    user: str

    @property
    def header(self) -> str:
        """The value of X-Bkapi-Authorization."""
        known = {"bk_app_code": self.app_code, "bk_app_secret": self.app_secret, "bk_username": self.user}
        return json.dumps(known)


class Deadline:
    """The time that one question of the service may take, whatever number of requests it needs."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._end = time.monotonic() + seconds

    def left(self) -> float:
        """Seconds. Raises CmdbUnreachable if there are none."""
        left = self._end - time.monotonic()
        if left <= 0:
            raise CmdbUnreachable(say("no answer within {seconds:g} s", seconds=self._seconds))
        return left


class CmdbClient:
    """Asks CMDB. Thread-safe. Raises CmdbUnreachable, CmdbRefused for what CMDB says no to, else CmdbFailed."""

    def __init__(self, url: str, credentials: Credentials, supplier_account: str = "0") -> None:
        self._url = url.rstrip("/")
        self._is_esb = _ESB in self._url
        self._supplier = supplier_account
        self._places = threading.BoundedSemaphore(_REQUESTS_AT_ONCE)
        self._http = httpx.Client(
            headers={"X-Bkapi-Authorization": credentials.header, "Blueking-Language": "en"},
            follow_redirects=False,  # to a login page, which is no answer
        )

    def close(self) -> None:
        """Close its connections."""
        self._http.close()

    def ask(self, api: Api, body: Mapping[str, Any], deadline: Deadline) -> Any:
        """`data` of one reply; what fails on the way, or in CMDB, is asked once more."""
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                return self._data(api, self._post(api, body, deadline))
            except _Passing as error:
                if attempt == _ATTEMPTS or deadline.left() <= _PAUSE:
                    raise error.told from error
                time.sleep(_PAUSE)
        raise AssertionError("an attempt answers or raises")

    def rows(
        self, api: Api, body: Mapping[str, Any], key: Callable[[Row], Hashable], deadline: Deadline
    ) -> list[Row]:
        """Every row over all pages, as CMDB has them at one time; `key` tells rows apart.

        Pages that do not fit together (a row is missing, or is there twice, or there are more or fewer rows
        than a moment ago) are read again; if they never do, that is CmdbFailed: rows that are lost would be
        hosts that a job leaves out in silence.
        """
        for _reading in range(_READINGS):
            totals, rows = self._reading(api, body, deadline)
            if len(totals) == 1 and len({key(row) for row in rows}) == len(rows) == max(totals):
                return rows
        raise CmdbFailed(
            say(
                "{api}: {rows} different rows came of {total}, {times} times; its pages do not fit together",
                api=api.name,
                rows=len({key(row) for row in rows}),
                total=max(totals),
                times=_READINGS,
            )
        )

    def spread(self, work: Callable[[T], R], items: Iterable[T]) -> list[R]:
        """What `work` makes of each, a few at once."""
        items = list(items)
        if len(items) < 2:
            return [work(item) for item in items]
        with ThreadPoolExecutor(_PAGES_AT_ONCE, "cmdb") as pool:
            return list(pool.map(work, items))

    def _reading(self, api: Api, body: Mapping[str, Any], deadline: Deadline) -> tuple[set[int], list[Row]]:
        def page(start: int) -> tuple[int, list[Row]]:
            paging = {"start": start, "limit": api.rows, "sort": api.sort}
            told = {} if api.counts else {"enable_count": False}
            return _page(api, self.ask(api, {**body, "page": {**paging, **told}}, deadline))

        total, rows = page(0)
        if not api.counts:
            count = {"start": 0, "limit": 0, "sort": "", "enable_count": True}
            total, _none = _page(api, self.ask(api, {**body, "page": count}, deadline))
        if total > _MOST_ROWS:
            raise CmdbFailed(say("{api}: {total} rows are too many", api=api.name, total=total))
        rest = self.spread(page, range(api.rows, total, api.rows))
        totals = {total, *(told for told, _ in rest if api.counts)}
        return totals, [*rows, *(row for _, more in rest for row in more)]

    def _target(self, api: Api, body: Mapping[str, Any]) -> str:
        if self._is_esb:
            return f"{self._url}/{api.name}/"
        return self._url + api.path.format(**{**body, "bk_supplier_account": self._supplier})

    def _post(self, api: Api, body: Mapping[str, Any], deadline: Deadline) -> httpx.Response:
        """The reply with its body; of a reply that drips, only as much as comes in time."""
        with self._place(deadline):
            try:
                sent = {"bk_supplier_account": self._supplier, **body}
                with self._http.stream(
                    "POST", self._target(api, body), json=sent, timeout=deadline.left()
                ) as reply:
                    text = b""
                    for part in reply.iter_bytes():
                        text += part
                        deadline.left()
                        if len(text) > _MOST_BYTES:
                            raise CmdbFailed(say("{api}: the answer is too long", api=api.name))
                    return httpx.Response(reply.status_code, content=text)
            except httpx.TimeoutException:
                deadline.left()  # says it if the time is over
                raise CmdbUnreachable(_reason(api, "timed out")) from None
            except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
                raise _Passing(CmdbUnreachable(_reason(api, _words(error)))) from error

    @contextlib.contextmanager
    def _place(self, deadline: Deadline) -> Iterator[None]:
        if not self._places.acquire(timeout=min(_WAIT_FOR_A_PLACE, deadline.left())):
            raise CmdbUnreachable(
                say("{number} requests wait for its answers already", number=_REQUESTS_AT_ONCE)
            )
        try:
            yield
        finally:
            self._places.release()

    @staticmethod
    def _data(api: Api, reply: httpx.Response) -> Any:
        status = reply.status_code
        if status >= 500 or status == httpx.codes.TOO_MANY_REQUESTS:
            raise _Passing(CmdbFailed(_reason(api, f"HTTP {status}")))
        try:
            told = json.loads(reply.content)
        except (ValueError, RecursionError):
            told = None
        if not isinstance(told, dict) or not isinstance(told.get("code"), int):
            raise CmdbFailed(_reason(api, f"HTTP {status}, and no JSON as CMDB writes it"))
        if told["code"] != 0 or told.get("result") is not True:
            words = str(told.get("message") or told.get("bk_error_msg") or "no reason")
            raise CmdbRefused(_reason(api, f"[{told['code']}] {words[:_WORDS]}"))
        if status != httpx.codes.OK:
            raise CmdbFailed(_reason(api, f"HTTP {status}"))
        return told.get("data")


class _Passing(Exception):
    """What may be otherwise a moment later."""

    def __init__(self, told: CmdbUnreachable | CmdbFailed) -> None:
        super().__init__(str(told))
        self.told = told


def _reason(api: Api, reason: str) -> str:
    return say("API {api}: {reason}", api=api.name, reason=reason)


def _words(error: Exception) -> str:
    return (str(error) or type(error).__name__)[:_WORDS]


def _page(api: Api, data: Any) -> tuple[int, list[Row]]:
    count = data.get("count") if isinstance(data, dict) else None
    info = data.get("info") if isinstance(data, dict) else None
    info = [] if info is None else info
    if (
        not isinstance(count, int)
        or not isinstance(info, list)
        or not all(isinstance(row, dict) for row in info)
    ):
        raise CmdbFailed(_reason(api, "data has no count, or no rows"))
    if len(info) > api.rows:
        raise CmdbFailed(_reason(api, f"{len(info)} rows came, and {api.rows} were asked for"))
    return count, info
