"""Reading a request: the body as JSON whatever its Content-Type, the query, and the header of credentials."""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass, field
from typing import Any

import anyio
from starlette.requests import Request

from adapter.api import json_text
from adapter.api.json_text import shown
from adapter.errors import BodyTooLarge, BodyTooSlow, Unreadable
from adapter.messages import Language, say

_HOST = re.compile(r"([A-Za-z0-9._-]{1,255}|\[[0-9A-Fa-f:.]{2,45}\])(:[0-9]{1,5})?")
BODY_SECONDS = 120  #: for the whole body: 64 MiB at half a megabyte a second


@dataclass(frozen=True, kw_only=True)
class Incoming:
    """What came over the wire, before anyone believes it. `repr` has no values: they may be secrets."""

    id: str  #: the request_id of the reply and of the log
    language: Language  #: in which the caller is told
    path: str
    base_url: str  #: of the service, as it was asked
    body: bytes = field(repr=False)
    peer: str  #: the address it came from, "" if there is none
    query: dict[str, str] = field(repr=False)
    headers: dict[str, str] = field(repr=False)  #: names in lower case

    def fields(self) -> dict[str, Any]:
        """Body and query in one: the body wins. Raises Unreadable."""
        json_text.check_strings(self.query, say("the query"))
        return {**self.query, **_body_object(self.body)}


def request_id(request: Request) -> str:
    """The gateway's id of the request if it is a decent one, else a new one."""
    given = request.headers.get("x-bkapi-request-id", "")
    return given if 8 <= len(given) <= 64 and given.replace("-", "").isalnum() else uuid.uuid4().hex


def language_of(request: Request, default: Language) -> Language:
    """What Blueking-Language asks for."""
    asked = request.headers.get("blueking-language", "")
    return Language.of(asked) if asked.strip() else default


def base_url_of(request: Request) -> str:
    """Scheme and Host of a request, "" if the latter is no name or address."""
    host = request.headers.get("host", "")
    return f"{request.url.scheme}://{host}" if _HOST.fullmatch(host) else ""


async def read(request: Request, id_: str, language: Language, max_body_bytes: int) -> Incoming:
    """Everything of the request; BodyTooLarge as soon as that is certain, whatever Content-Length says."""
    return Incoming(
        id=id_,
        language=language,
        path=request.url.path,
        base_url=base_url_of(request),
        peer=request.client.host if request.client else "",
        body=await _read_body(request, max_body_bytes),
        query=dict(request.query_params),
        headers={name.lower(): value for name, value in request.headers.items()},
    )


async def _read_body(request: Request, limit: int) -> bytes:
    declared = request.headers.get("content-length", "")
    if declared.isdecimal() and int(declared[:20]) > limit:
        raise _too_large(limit)
    try:
        with anyio.fail_after(BODY_SECONDS):
            return await _chunks_of(request, limit)
    except TimeoutError:
        raise BodyTooSlow(
            say("The body did not come within {limit} seconds; send it faster", limit=BODY_SECONDS)
        ) from None


async def _chunks_of(request: Request, limit: int) -> bytes:
    chunks, size = [], 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > limit:
            raise _too_large(limit)
        chunks.append(chunk)
    return b"".join(chunks)


def _too_large(limit: int) -> BodyTooLarge:
    return BodyTooLarge(
        say(
            "The body is larger than {limit} bytes; raise ADAPTER_MAX_BODY_BYTES or split the job",
            limit=limit,
        )
    )


def _body_object(body: bytes) -> dict[str, Any]:
    if not body.strip():
        return {}
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Unreadable(
            say("The body is not UTF-8 at byte {position}; send JSON in UTF-8", position=error.start)
        ) from None
    value = json_text.parse(text, say("The body"))
    if not isinstance(value, dict):
        # A text may be what the object should have been, with all its secrets.
        found = say("a string") if isinstance(value, str) else shown(value)
        raise Unreadable(say("The body must be a JSON object, not {value}", value=found))
    return value
