"""The document: every API of every dialect at its usual path, and what is served beside JOB's APIs."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from adapter import __version__
from adapter.api.apis import V2, V2_SERVICES, V3, V3_SERVICES, V4, V4_SERVICES
from adapter.api.endpoints import Endpoint
from adapter.api.job_services import ByService
from adapter.api.openapi import envelopes, prose
from adapter.api.openapi.converter import OPENAPI, Converter
from adapter.api.openapi.ext_paths import ext_paths
from adapter.api.openapi.members import ListOf, PageOf, Reply
from adapter.api.openapi.parameters import HEADERS, LAUNCH_HEADERS, body_of, query_of
from adapter.api.openapi.replies import REPLIES
from adapter.api.openapi.replies_execution import Planned
from adapter.api.openapi.texts import Text, texts
from adapter.api.routes import SURFACES
from adapter.job.actions import Action

_APIS: Mapping[str, tuple[Mapping[str, Endpoint], ByService]] = {
    "v3": (V3, V3_SERVICES),
    "v2": (V2, V2_SERVICES),
    "v4": (V4, V4_SERVICES),
}
#: Where each dialect stands in the document; `x-also-at` of an API has its other places.
CANONICAL = {
    "v3": "/api/c/compapi/v2/jobv3/{name}/",
    "v2": "/api/c/compapi/v2/job/{name}/",
    "v4": "/api/v4/{name}",
}


@dataclass
class Gaps:
    """What of the document nobody has written."""

    fields: set[str] = field(default_factory=set)
    summaries: set[str] = field(default_factory=set)
    replies: set[str] = field(default_factory=set)
    used: set[str] = field(default_factory=set)  #: and the descriptions of fields that are used

    def look_at(self, *converters: Converter) -> None:
        """What these have not found, and what they have."""
        for converter in converters:
            self.fields |= converter.missing
            self.used |= converter.used


@cache
def rendered() -> bytes:
    """The document as JSON; it says the same as long as the process lives."""
    return json.dumps(build()[0], ensure_ascii=False, separators=(",", ":")).encode()


def build() -> tuple[dict[str, Any], Gaps]:
    """The document, and what is missing in it."""
    gaps = Gaps()
    paths: dict[str, Any] = {}
    schemas: dict[str, Any] = dict(envelopes.SCHEMAS)
    for dialect, (endpoints, services) in _APIS.items():
        requests, replies = Converter(dialect, texts()), Converter(dialect, texts(), part=".reply")
        service_of = {name: service for service, names in services.items() for name in names}
        for name, found in endpoints.items():
            api = _Api(dialect, name, found, service_of[name], requests, replies, gaps)
            paths[CANONICAL[dialect].format(name=name)] = api.path_item()
        schemas |= requests.components() | _as_answered(dialect, replies.components())
        gaps.look_at(requests, replies)
    found_paths, found_schemas, converters = ext_paths()
    gaps.look_at(*converters)
    return {
        "openapi": OPENAPI,
        "info": prose.info(__version__),
        "servers": prose.SERVERS,
        "security": prose.SECURITY,
        "tags": prose.tags({dialect: services for dialect, (_, services) in _APIS.items()}),
        "paths": paths | found_paths,
        "components": {
            "schemas": schemas | found_schemas,
            "parameters": {**HEADERS, **LAUNCH_HEADERS},
            "responses": envelopes.RESPONSES,
            "securitySchemes": prose.SECURITY_SCHEMES,
        },
    }, gaps


@dataclass(frozen=True)
class _Api:
    """One API on its way into the document."""

    dialect: str
    name: str
    endpoint: Endpoint
    service: str
    requests: Converter
    replies: Converter
    gaps: Gaps

    def path_item(self) -> dict[str, Any]:
        """Its methods."""
        text = texts().api(self.dialect, self.name)
        if not text.file:
            self.gaps.summaries.add(f"{self.dialect}: {self.name}")
        return {
            method.lower(): self._operation(method.lower(), text) for method in sorted(self.endpoint.methods)
        }

    def _operation(self, method: str, text: Text) -> dict[str, Any]:
        body = body_of(self.endpoint, self.requests)
        example = envelopes.with_scope(text.example, body)
        found: dict[str, Any] = {
            "operationId": f"{self.dialect}.{self.name}.{method}",
            "summary": text.summary,
            "tags": [f"{self.dialect} {self.service}"],
            "parameters": [{"$ref": f"#/components/parameters/{header}"} for header in self._headers()],
            "responses": envelopes.responses(self.dialect, self._data()),
            "x-action": self.endpoint.action.value,
            "x-also-at": sorted(self._also_at()),
        }
        if method == "get":
            found["parameters"] += query_of(body, example)
        else:
            content = {"schema": body, "example": example}
            found["requestBody"] = {"required": True, "content": {"application/json": content}}
        return found

    def _headers(self) -> list[str]:
        return [*HEADERS, *(LAUNCH_HEADERS if self._launches else ())]

    @property
    def _launches(self) -> bool:
        return self.endpoint.action is Action.LAUNCH

    def _data(self) -> dict[str, Any]:
        """The schema of `data`."""
        known = REPLIES.get(self.dialect, {})
        if self.name not in known:
            self.gaps.replies.add(f"{self.dialect}: {self.name}")
            return {}
        found = self._schema(known[self.name])
        if not self._launches:
            return found
        return {"anyOf": [found, self.replies.reference(Planned)]}

    def _schema(self, reply: Reply) -> dict[str, Any]:
        match reply:
            case None:
                return {"type": "null"}
            case ListOf(entry):
                return {"type": "array", "items": self.replies.reference(entry)}
            case PageOf(entry):
                return envelopes.page(self.replies.reference(entry))
            case shape:
                return self.replies.reference(shape)

    def _also_at(self) -> Iterator[str]:
        own = CANONICAL[self.dialect].format(name=self.name)
        for surface in SURFACES:
            path = f"{surface.prefix}/{self.name}"
            if surface.version == self.dialect and self.name in surface.endpoints and path not in own:
                yield path


def _as_answered(dialect: str, schemas: dict[str, Any]) -> dict[str, Any]:
    """v4 leaves out what is null: there such members may be absent, and are never null."""
    if dialect != "v4":
        return schemas
    for schema in schemas.values():
        members = schema["properties"]
        nullable = {name for name, member in members.items() if envelopes.is_nullable(member)}
        schema["required"] = [name for name in schema.get("required", ()) if name not in nullable]
        schema["properties"] = {name: envelopes.not_null(member) for name, member in members.items()}
    return schemas
