"""What a request may have: headers, the members of its body, and the same in a query."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from adapter.api import scopes
from adapter.api.endpoints import Endpoint
from adapter.api.launches import PlanOnly
from adapter.api.openapi.converter import Converter
from adapter.job.actions import Action


def _header(name: str, description: str, **schema: Any) -> dict[str, Any]:
    return {
        "name": name,
        "in": "header",
        "description": description,
        "schema": {"type": "string", **schema},
    }


#: Of every API.
HEADERS = {
    "Language": _header(
        "Blueking-Language", "The language of messages; the service's own without it.", enum=["en", "zh-cn"]
    ),
    "RequestId": _header(
        "X-Bkapi-Request-Id",
        "What the reply's request_id is to be; a new one without it.",
        pattern="^[0-9a-zA-Z-]{8,64}$",
    ),
}
#: Of APIs that launch jobs.
LAUNCH_HEADERS = {
    "IdempotencyKey": _header(
        "X-Idempotency-Key",
        "Any new key: the launch happens once however often it is sent with it, and is answered the same.",
        pattern="^[!-~]{1,255}$",
    ),
    "CallbackSecret": _header(
        "X-Callback-Secret",
        "Signs the callbacks of this job; needs a callback URL in the request.",
        pattern="^[!-~]{16,255}$",
        format="password",
    ),
}


def body_of(endpoint: Endpoint, converter: Converter) -> dict[str, Any]:
    """The object that a request is: its scope, its own fields, and plan_only of launches."""
    reads = [scopes.READS[endpoint.scopes], endpoint.schema]
    if endpoint.action is Action.LAUNCH:
        reads.append(PlanOnly)
    properties: dict[str, Any] = {}
    required: list[str] = []
    for schema in reads:
        found = converter.object_of(schema)
        properties |= found["properties"]
        required += found.get("required", ())
    return {"type": "object", "properties": properties} | ({"required": required} if required else {})


def query_of(body: Mapping[str, Any], example: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The members of a body as parameters of a query: objects and lists are JSON text there."""
    return [
        _parameter(name, member, name in body.get("required", ()), example)
        for name, member in body["properties"].items()
    ]


def _parameter(
    name: str, member: Mapping[str, Any], required: bool, example: Mapping[str, Any]
) -> dict[str, Any]:
    schema = {key: value for key, value in member.items() if key != "description"}
    shown = {"example": example[name]} if name in example else {}
    found: dict[str, Any] = {"name": name, "in": "query", "description": member.get("description", "")}
    if required:
        found["required"] = True
    if _is_plain(schema):
        return found | {"schema": _told(schema)} | shown
    return found | {"content": {"application/json": {"schema": schema} | shown}}


def _is_plain(schema: Mapping[str, Any]) -> bool:
    types = schema.get("type", ())
    return bool({"integer", "string", "boolean"} & ({types} if isinstance(types, str) else set(types)))


def _told(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Of a query: nothing in it is null."""
    types = [schema["type"]] if isinstance(schema["type"], str) else schema["type"]
    found = {**schema, "type": next(one for one in types if one != "null")}
    if found.get("default", ...) is None:
        del found["default"]
    return found
