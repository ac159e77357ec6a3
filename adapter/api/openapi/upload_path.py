"""Where files are uploaded to, for the document: no API of JOB's, and no credentials but the URL's own token."""

from __future__ import annotations

from typing import Any

from adapter.api.openapi import envelopes
from adapter.api.uploads_v3 import PATH

_HEADERS = {
    "Upload-Offset": {"description": "Bytes that are kept.", "schema": {"type": "integer"}},
    "Upload-Complete": {
        "description": "?1 if that is the whole file, else ?0.",
        "schema": {"type": "string"},
    },
}
_PARAMETERS: list[dict[str, Any]] = [
    {
        "name": "upload_id",
        "in": "path",
        "required": True,
        "description": "Which file; generate_local_file_upload_url has made the whole URL.",
        "schema": {"type": "string"},
    },
    {
        "name": "token",
        "in": "query",
        "required": True,
        "description": "What makes the URL good for this file. A secret.",
        "schema": {"type": "string"},
    },
]
_RANGE: dict[str, Any] = {
    "name": "Content-Range",
    "in": "header",
    "description": "`bytes 100-999/1000`: it goes on at what is kept, or begins at 0. Without it: the whole file.",
    "schema": {"type": "string"},
}
_REFUSALS = {
    "403": "The URL has expired, or its file is whole.",
    "404": "There is no such URL.",
    "408": "Nothing came for a minute; what came is kept.",
    "409": "Another request is uploading the file.",
    "413": "The file is larger than it may be.",
    "416": "The body does not go on at what is kept; Upload-Offset says what is.",
    "507": "There is no room.",
}


def upload_path() -> dict[str, Any]:
    """PUT and HEAD."""
    data = {
        "type": "object",
        "description": "What is there now.",
        "properties": {
            "path": {"type": "string", "description": "As file lists name the file."},
            "complete": {"type": "boolean", "description": "False if more is to come by other requests."},
            "size": {"type": "integer", "description": "Bytes that are kept."},
            "sha256": {"type": ["string", "null"], "description": "Of the whole file."},
        },
        "required": ["path", "complete", "size", "sha256"],
    }
    answered = {"oneOf": [envelopes.succeeded_v3(data), envelopes.FAILED]}
    put = {
        "operationId": "ext.uploads.put",
        "summary": "Upload a file, or go on with it",
        "tags": ["ext"],
        "security": [],
        "parameters": [*_PARAMETERS, _RANGE],
        "requestBody": {"required": True, "content": {"application/octet-stream": {"schema": {}}}},
        "responses": {
            "200": {
                "description": "Taken, or a Content-Range that is none.",
                "headers": _HEADERS,
                "content": {"application/json": {"schema": answered}},
            },
            **{status: _refused(words) for status, words in _REFUSALS.items()},
        },
    }
    head = {
        "operationId": "ext.uploads.head",
        "summary": "How much of a file is here",
        "tags": ["ext"],
        "security": [],
        "parameters": _PARAMETERS,
        "responses": {
            "200": {"description": "That much.", "headers": _HEADERS},
            **{
                status: {"description": words}
                for status, words in _REFUSALS.items()
                if status in ("403", "404")
            },
        },
    }
    return {PATH: {"put": put, "head": head}}


def _refused(words: str) -> dict[str, Any]:
    return {"description": words, "content": {"application/json": {"schema": envelopes.FAILED}}}
