"""Where files are uploaded to, below /api/ext/v1: PUT brings one, HEAD says how much of it is here.

The URL is all that is needed: generate_local_file_upload_url has made it for one file. Its token is in the query,
which no log has.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from typing import Any

import anyio
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from adapter.api.dialects import ENVELOPE
from adapter.api.endpoints import Dispatcher, Trace
from adapter.api.json_text import shown
from adapter.api.routes import BASES
from adapter.api.uploads_v3 import PATH
from adapter.errors import BodyTooSlow, FieldInvalid, WrongMethod
from adapter.job.upload import Upload
from adapter.messages import say
from adapter.service.uploads import Range, Receiving, Uploads

#: Seconds that a client may send nothing at all. What has come stays.
STALL_SECONDS = 60
#: Bytes that are gathered before they are written: all that an upload holds in memory.
_PIECE = 1024 * 1024
_RANGE = re.compile(r"bytes (\d{1,18})-(\d{1,18})/(\d{1,18})")


def upload_routes(dispatcher: Dispatcher, uploads: Uploads) -> list[Route]:
    """The path below every base."""

    async def serve(request: Request) -> Response:
        async def work(trace: Trace) -> Response:
            if request.method not in ("PUT", "HEAD"):
                method = shown(request.method)
                raise WrongMethod(
                    say("Method {method} is not allowed; use {methods}", method=method, methods="PUT or HEAD")
                )
            token = request.query_params.get("token", "")
            upload = await run_in_threadpool(uploads.admitted, request.path_params["upload_id"], token)
            trace.app, trace.user = upload.app_code, upload.creator
            if request.method == "HEAD":
                kept = await run_in_threadpool(uploads.kept, upload)
                return Response(headers=_standing(kept, is_whole=upload.is_whole))
            return await _received(request, trace, uploads, upload)

        return await dispatcher.guarded(request, PATH, work)

    methods = ["PUT", "HEAD", "GET", "POST", "DELETE", "PATCH", "OPTIONS"]
    return [Route(base + PATH, serve, methods=methods) for base in BASES]


async def _received(request: Request, trace: Trace, uploads: Uploads, upload: Upload) -> Response:
    length = _length(request)
    part = _range(request, length)
    receiving = await run_in_threadpool(uploads.receive, upload, part, length)
    with receiving:
        await _take(request, receiving)
        whole = await run_in_threadpool(receiving.end)
    response = ENVELOPE.succeeded(_told(upload, whole, receiving.size), trace.request_id)
    response.headers.update(_standing(receiving.size, is_whole=whole is not None))
    return response


async def _take(request: Request, receiving: Receiving) -> None:
    """The body, written as it comes. Raises BodyTooSlow, ClientDisconnect."""
    gathered = bytearray()
    try:
        async for chunk in _chunks(request):
            gathered += chunk
            if len(gathered) >= _PIECE:
                await run_in_threadpool(receiving.take, bytes(gathered))
                gathered.clear()
    except (ClientDisconnect, BodyTooSlow):
        await run_in_threadpool(receiving.take, bytes(gathered))
        raise
    await run_in_threadpool(receiving.take, bytes(gathered))


async def _chunks(request: Request) -> AsyncIterator[bytes]:
    stream = request.stream()
    while True:
        try:
            with anyio.fail_after(STALL_SECONDS):
                chunk = await anext(stream)
        except StopAsyncIteration:
            return
        except TimeoutError:
            words = say("Nothing came for {limit} seconds; go on from what is kept", limit=STALL_SECONDS)
            raise BodyTooSlow(words) from None
        yield chunk


def _length(request: Request) -> int | None:
    """What Content-Length says. The server sees to it that it is a number."""
    text = request.headers.get("content-length", "")
    return int(text[:20]) if text.isdecimal() else None


def _range(request: Request, length: int | None) -> Range | None:
    """What Content-Range says of the body. Raises FieldInvalid."""
    text = request.headers.get("content-range")
    if text is None:
        return None
    found = _RANGE.fullmatch(text.strip())
    if found is None:
        raise FieldInvalid(
            "Content-Range",
            say("must be as in `bytes 100-999/1000`, not {value}", value=shown(text)),
        )
    start, last, total = map(int, found.groups())
    if not start <= last < total:
        raise FieldInvalid("Content-Range", say("is no part of a file: {value}", value=shown(text)))
    if length is not None and length != last - start + 1:
        raise FieldInvalid(
            "Content-Range",
            say("says {said} bytes, and the body has {length}", said=last - start + 1, length=length),
        )
    return Range(start=start, end=last + 1, total=total)


def _standing(kept: int, *, is_whole: bool) -> dict[str, str]:
    """Header fields, as the IETF's draft of resumable uploads has them."""
    return {"Upload-Offset": str(kept), "Upload-Complete": "?1" if is_whole else "?0"}


def _told(upload: Upload, whole: Upload | None, kept: int) -> dict[str, Any]:
    return {
        "path": upload.path,
        "complete": whole is not None,
        "size": kept,
        "sha256": None if whole is None else whole.sha256,
    }
