"""Reading a request: the body as JSON whatever its Content-Type, the query, and the header of credentials."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from typing import Any

from starlette.requests import Request

from adapter.api import json_text
from adapter.api.json_text import shown
from adapter.errors import BodyTooLarge, Unreadable
from adapter.messages import Language


@dataclass(frozen=True, kw_only=True)
class Incoming:
    """What came over the wire, before anyone believes it. `repr` has no values: they may be secrets."""

    id: str  #: the request_id of the reply and of the log
    path: str
    body: bytes = field(repr=False)
    peer: str  #: the address it came from, "" if there is none
    query: dict[str, str] = field(repr=False)
    headers: dict[str, str] = field(repr=False)  #: names in lower case

    @property
    def language(self) -> Language:
        """In which the caller wants to be told."""
        return Language.of(self.headers.get("blueking-language"))

    def fields(self) -> dict[str, Any]:
        """Body and query in one: the body wins. Raises Unreadable."""
        json_text.check_strings(self.query, "the query")
        return {**self.query, **_body_object(self.body)}


def request_id(request: Request) -> str:
    """The gateway's id of the request if it is a decent one, else a new one."""
    given = request.headers.get("x-bkapi-request-id", "")
    return given if 8 <= len(given) <= 64 and given.replace("-", "").isalnum() else uuid.uuid4().hex


async def read(request: Request, id_: str, max_body_bytes: int) -> Incoming:
    """Everything of the request; BodyTooLarge as soon as that is certain, whatever Content-Length says."""
    return Incoming(
        id=id_,
        path=request.url.path,
        peer=request.client.host if request.client else "",
        body=await _read_body(request, max_body_bytes),
        query=dict(request.query_params),
        headers={name.lower(): value for name, value in request.headers.items()},
    )


async def _read_body(request: Request, limit: int) -> bytes:
    declared = request.headers.get("content-length", "")
    if declared.isdecimal() and int(declared[:20]) > limit:
        raise _too_large(limit)
    chunks, size = [], 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > limit:
            raise _too_large(limit)
        chunks.append(chunk)
    return b"".join(chunks)


def _too_large(limit: int) -> BodyTooLarge:
    return BodyTooLarge(
        f"The body is larger than {limit} bytes; raise ADAPTER_MAX_BODY_BYTES or split the job"
    )


def _body_object(body: bytes) -> dict[str, Any]:
    if not body.strip():
        return {}
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Unreadable(f"The body is not UTF-8 at byte {error.start}; send JSON in UTF-8") from None
    value = json_text.parse(text, "The body")
    if not isinstance(value, dict):
        raise Unreadable(f"The body must be a JSON object, not {shown(value)}")
    return value
