"""The document's APIs with their examples, and what replies must be by the document: nothing more, nothing less."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from functools import cache
from typing import Any

from jsonschema import Draft202012Validator

from adapter.api.openapi.document import CANONICAL, build
from adapter.api.routes import SURFACES

DOCUMENT, GAPS = build()
#: A dialect and a name, of every API.
APIS = sorted({(surface.version, name) for surface in SURFACES for name in surface.endpoints})


def path_of(dialect: str, name: str) -> str:
    """Where the document has an API."""
    return CANONICAL[dialect].format(name=name)


def example(dialect: str, name: str) -> dict[str, Any]:
    """The request that the document shows, with its scope."""
    item = DOCUMENT["paths"][path_of(dialect, name)]
    found: dict[str, Any] = item["post" if "post" in item else "get"]["requestBody"]["content"]
    return copy.deepcopy(dict(found["application/json"]["example"]))


def mistakes(path: str, method: str, status: int, reply: Any) -> list[str]:
    """What of a reply is not as the document says; members that it does not name are mistakes, too."""
    return [f"{error.json_path}: {error.message[:300]}" for error in _errors(path, method, status, reply)]


def _errors(path: str, method: str, status: int, reply: Any) -> Iterator[Any]:
    responses = _closed_document()["paths"][path][method]["responses"]
    found = responses.get(str(status)) or responses[f"{status // 100}XX"]
    if "$ref" in found:
        found = _closed_document()["components"]["responses"][found["$ref"].rpartition("/")[2]]
    schema = found["content"]["application/json"]["schema"]
    if "oneOf" in schema:  # said as one alternative, so that its mistakes are told and not "neither"
        schema = schema["oneOf"][0 if reply.get("result") else 1]
    whole = {**schema, "components": _closed_document()["components"]}
    yield from Draft202012Validator(whole).iter_errors(reply)


@cache
def _closed_document() -> dict[str, Any]:
    found = copy.deepcopy(DOCUMENT)
    _close(found)
    return found


def _close(value: Any) -> None:
    if isinstance(value, list):
        for item in value:
            _close(item)
    elif isinstance(value, dict):
        if value.get("type") == "object" and "properties" in value:
            value["additionalProperties"] = False
        for item in value.values():
            _close(item)
