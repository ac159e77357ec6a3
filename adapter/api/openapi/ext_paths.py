"""What is served beside JOB's APIs, for the document."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from marshmallow import Schema

from adapter.api import bundles, ext, records, scopes, streams
from adapter.api.openapi import envelopes
from adapter.api.openapi.converter import Converter
from adapter.api.openapi.parameters import HEADERS, query_of
from adapter.api.openapi.replies_ext import REPLIES
from adapter.api.openapi.texts import texts
from adapter.api.openapi.upload_path import upload_path

_DIALECT = "ext"
_REFUSED = {"4XX": {"$ref": "#/components/responses/Refused"}}


@dataclass(frozen=True, kw_only=True)
class ExtPath:
    """A path below /api/ext/v1 that GET reads; `schema` has the parts of the path and what is in the query."""

    path: str
    schema: type[Schema]
    media: str = "application/json"


def _paths() -> Iterator[ExtPath]:
    for stream in streams.STREAMS:
        yield ExtPath(path=ext.PREFIX + stream.path, schema=stream.schema, media="text/event-stream")
    yield ExtPath(path=bundles.PATH, schema=bundles.Bundle, media="application/gzip")
    for record in records.RECORDS:
        yield ExtPath(path=record.path, schema=record.schema)


def ext_paths() -> tuple[dict[str, Any], dict[str, Any], tuple[Converter, Converter]]:
    """Paths, the schemas they refer to, and the converters, which know what is described."""
    requests, replies = Converter(_DIALECT, texts()), Converter(_DIALECT, texts(), part=".reply")
    paths = {found.path: {"get": _operation(found, requests, replies)} for found in _paths()}
    schemas = requests.components() | replies.components()
    return paths | upload_path() | _without_asking(), schemas, (requests, replies)


def _operation(found: ExtPath, requests: Converter, replies: Converter) -> dict[str, Any]:
    text = texts().api(_DIALECT, found.path)
    return {
        "operationId": "ext." + re.sub(r"[^a-z_]+", ".", found.path.removeprefix(ext.PREFIX)).strip("."),
        "summary": text.summary,
        "tags": ["ext"],
        "parameters": [
            *({"$ref": f"#/components/parameters/{header}"} for header in HEADERS),
            *_parameters(found, requests, text.example),
        ],
        "responses": {"200": _succeeded(found, replies), **_REFUSED},
    }


def _parameters(found: ExtPath, requests: Converter, example: Mapping[str, Any]) -> list[dict[str, Any]]:
    body = requests.object_of(scopes.READS[scopes.one])
    body["properties"] |= requests.object_of(found.schema)["properties"]
    parameters = query_of(body, envelopes.with_scope(example, body))
    for parameter in parameters:
        if f"{{{parameter['name']}}}" in found.path:
            parameter |= {"in": "path", "required": True}
    return parameters


def _succeeded(found: ExtPath, replies: Converter) -> dict[str, Any]:
    if found.media == "application/json":
        shape = REPLIES[found.path]
        assert isinstance(shape, type)
        schema = {"oneOf": [envelopes.succeeded_v3(replies.reference(shape)), envelopes.FAILED]}
        return {
            "description": "Carried out, or refused as v3 refuses.",
            "content": {found.media: {"schema": schema}},
        }
    refused = {"application/json": {"schema": envelopes.FAILED}}
    return {"description": _MEDIA[found.media], "content": {found.media: {"schema": _RAW}, **refused}}


_RAW = {"type": "string"}
_MEDIA = {
    "text/event-stream": "Server-sent events (README.md, Following a job, has them), or v3's envelope of an error.",
    "application/gzip": "A tar archive: an ansible-runner private data directory, or v3's envelope of an error.",
}


def _without_asking() -> dict[str, Any]:
    """What anyone may read."""
    ok: dict[str, Any] = {
        "type": "object",
        "properties": {"status": {"type": "string", "description": "ok or unavailable."}},
    }
    ok["properties"] |= {"reason": {"type": "string", "description": "What is missing, with 503."}}
    return {
        "/healthz": {
            "get": {
                "operationId": "healthz",
                "summary": "Whether requests can be served",
                "tags": ["ext"],
                "security": [],
                "responses": {
                    "200": {"description": "They can.", "content": {"application/json": {"schema": ok}}},
                    "503": {"description": "Not now.", "content": {"application/json": {"schema": ok}}},
                },
            }
        },
        "/openapi.json": {
            "get": {
                "operationId": "openapi",
                "summary": "This document",
                "tags": ["ext"],
                "security": [],
                "responses": {
                    "200": {
                        "description": "OpenAPI 3.1.",
                        "content": {"application/json": {"schema": {"type": "object"}}},
                    }
                },
            }
        },
    }
