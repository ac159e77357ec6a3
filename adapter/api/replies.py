"""JOB's envelope (contract b3), for success and for every error.

`result`, `code`, `message`, `data`, `request_id` and `job_request_id` are always there; `permission` only when
it was denied, as today's JOB omits it otherwise. `message` is "success" when fine, as the seeds show it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import orjson
from starlette.responses import Response

from adapter.errors import JobError, PermissionDenied
from adapter.messages import Language

Reply = dict[str, Any]


class EnvelopeResponse(Response):
    """JSON with text as it is; a lone surrogate that a message quotes becomes "?"."""

    media_type = "application/json"

    def render(self, content: Any) -> bytes:
        """The bytes."""
        with suppress(orjson.JSONEncodeError):
            return orjson.dumps(content, option=orjson.OPT_PASSTHROUGH_DATACLASS)
        text = json.dumps(content, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        return text.encode("utf-8", "replace")


def success(data: Any, request_id: str) -> Reply:
    """The envelope of a result."""
    return _envelope(True, 0, "success", data, request_id)


def failure(error: JobError, request_id: str, language: Language) -> Reply:
    """The envelope of an error."""
    reply = _envelope(False, error.code, error.message_in(language), None, request_id)
    if isinstance(error, PermissionDenied):
        reply["permission"] = _plain(error.permission)
    return reply


def _envelope(result: bool, code: int, message: str, data: Any, request_id: str) -> Reply:
    return {
        "result": result,
        "code": code,
        "message": message,
        "data": data,
        "request_id": request_id,
        "job_request_id": request_id,
    }


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, (list, tuple)) else value
