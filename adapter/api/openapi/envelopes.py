"""What replies look like around their data, in the document's words (contract b3, b4)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_ID = {"type": "string", "description": "The id of the request, which the service's log has too."}
FAILED = {"$ref": "#/components/schemas/Failed"}
_PERMISSION = {
    "type": "object",
    "description": "With code 9900403: what the caller would have to be allowed, in the words of BlueKing's IAM.",
}

SCHEMAS: Mapping[str, Any] = {
    "Failed": {
        "type": "object",
        "description": "v2's and v3's envelope of an error.",
        "properties": {
            "result": {"const": False, "description": "Whether the request was carried out."},
            "code": {
                "type": "integer",
                "not": {"const": 0},
                "description": "JOB's code of the error, docs/compatibility.md says where they differ.",
            },
            "message": {
                "type": "string",
                "minLength": 1,
                "description": "What was wrong with which value, in the caller's language.",
            },
            "data": {"type": "null", "description": "Nothing."},
            "request_id": _ID,
            "job_request_id": _ID,
            "permission": _PERMISSION,
        },
        "required": ["result", "code", "message", "data", "request_id", "job_request_id"],
    },
    "FailedV4": {
        "type": "object",
        "description": "v4's envelope of an error; the HTTP status says the same as its code.",
        "properties": {
            "error": {
                "type": "object",
                "description": "What went wrong.",
                "properties": {
                    "code": {"type": "string", "description": "BlueKing's word for this kind of error."},
                    "message": {"type": "string", "minLength": 1, "description": "What is wrong, in words."},
                    "data": _PERMISSION,
                    "details": {
                        "type": "array",
                        "description": "JOB's code, and what was wrong with which value.",
                        "items": {
                            "type": "object",
                            "properties": {
                                "code": {
                                    "type": "string",
                                    "pattern": "^[0-9]+$",
                                    "description": "JOB's code.",
                                },
                                "message": {
                                    "type": "string",
                                    "description": "What is wrong with which value.",
                                },
                            },
                            "required": ["code", "message"],
                        },
                    },
                },
                "required": ["code", "message", "details"],
            },
            "job_request_id": _ID,
        },
        "required": ["error", "job_request_id"],
    },
}


def _response(description: str, schema: Mapping[str, Any]) -> dict[str, Any]:
    return {"description": description, "content": {"application/json": {"schema": schema}}}


RESPONSES: Mapping[str, Any] = {
    "Refused": _response(
        "What HTTP itself has a status for: 404 an unknown path, 408 and 413 a body that comes too slowly or is "
        "too large, 409 a key that was used for another launch, 429 a stream too many.",
        FAILED,
    ),
    "FailedV4": _response("What cannot be carried out.", {"$ref": "#/components/schemas/FailedV4"}),
}


def responses(dialect: str, data: Mapping[str, Any]) -> dict[str, Any]:
    """What an API answers, by HTTP status."""
    if dialect == "v4":
        succeeded = {
            "type": "object",
            "properties": {"data": {**data, "description": "What came of it."}, "job_request_id": _ID},
            "required": ["data", "job_request_id"],
        }
        failed = {"$ref": "#/components/responses/FailedV4"}
        return {"200": _response("It was carried out.", succeeded), "4XX": failed, "5XX": failed}
    said = "Carried out (`code` 0), or refused: the status is 200 whatever happened, as JOB has it."
    schema = {"oneOf": [succeeded_v3(data), FAILED]}
    return {"200": _response(said, schema), "4XX": {"$ref": "#/components/responses/Refused"}}


def succeeded_v3(data: Mapping[str, Any]) -> dict[str, Any]:
    """v2's and v3's envelope of a result."""
    return {
        "type": "object",
        "properties": {
            "result": {"const": True, "description": "Whether the request was carried out."},
            "code": {"const": 0, "description": "0: it was."},
            "message": {"const": "success", "description": "Nothing is wrong."},
            "data": {**data, "description": "What came of it."},
            "request_id": _ID,
            "job_request_id": _ID,
        },
        "required": ["result", "code", "message", "data", "request_id", "job_request_id"],
    }


def page(entry: Mapping[str, Any]) -> dict[str, Any]:
    """A page of a list; get_job_instance_list has null for an empty one, as JOB does."""
    return {
        "type": "object",
        "properties": {
            "start": {"type": "integer", "description": "How many entries are before this page."},
            "length": {"type": "integer", "description": "How many entries a page has at most."},
            "total": {"type": "integer", "description": "How many entries there are."},
            "data": {"type": ["array", "null"], "items": entry, "description": "The entries of this page."},
        },
        "required": ["start", "length", "total", "data"],
    }


def with_scope(example: Mapping[str, Any], body: Mapping[str, Any]) -> dict[str, Any]:
    """An example with a scope in the form that its API takes."""
    takes = body["properties"]
    if "bk_scope_type" not in takes:
        return dict(example)
    return {"bk_scope_type": "biz", "bk_scope_id": "1", **example}


def is_nullable(member: Mapping[str, Any]) -> bool:
    """True if null is one of a member's values."""
    return "null" in member.get("type", ()) or {"type": "null"} in member.get("anyOf", ())


def not_null(member: Mapping[str, Any]) -> dict[str, Any]:
    """The member without null among its values."""
    if "null" in member.get("type", ()):
        rest = [one for one in member["type"] if one != "null"]
        return {**member, "type": rest[0] if len(rest) == 1 else rest}
    if {"type": "null"} in member.get("anyOf", ()):
        (only,) = (one for one in member["anyOf"] if one != {"type": "null"})
        return {**{key: value for key, value in member.items() if key != "anyOf"}, **only}
    return dict(member)
