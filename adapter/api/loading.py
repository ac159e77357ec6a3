"""A raw object through a schema, and marshmallow's errors as one sentence of JOB's 1240003."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from marshmallow import Schema, ValidationError

from adapter.errors import FieldInvalid
from adapter.messages import Phrase, say
from adapter.phrases import PHRASES


def load(schema: type[Schema], raw: Mapping[str, Any]) -> dict[str, Any]:
    """Every field of the schema with its value or its default; FieldInvalid names the first wrong one."""
    try:
        loaded: dict[str, Any] = _instance(schema).load(raw)
    except ValidationError as error:
        raise FieldInvalid(*_first(error.messages)) from None
    return loaded


@cache
def _instance(schema: type[Schema]) -> Schema:
    return schema()


def _first(messages: Any, path: str = "") -> tuple[str, str]:
    """The path and the text of the first message: `target_server.ip_list[0].ip`, `must be …`."""
    if isinstance(messages, dict):
        key, inner = next(iter(messages.items()))
        step = f"[{key}]" if isinstance(key, int) else f".{key}" if path else str(key)
        return _first(inner, path + step)
    if isinstance(messages, list):
        return _first(messages[0], path)
    text = str(messages) if not isinstance(messages, Phrase) else messages
    return path, say(text) if text in PHRASES else text
