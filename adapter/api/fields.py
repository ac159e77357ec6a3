"""Marshmallow fields as lenient as JOB: numbers and booleans may be strings, objects may be JSON text.

Every field is optional (None when absent, null or "") unless `required=True`. What fails is error 1240003,
so messages say what was expected and which value came; a `secret` field never shows its value.
"""

from __future__ import annotations

import base64
import math
import re
import unicodedata
from datetime import date
from typing import Any
from urllib.parse import urlsplit

from marshmallow import EXCLUDE, Schema, ValidationError, fields

from adapter.api import json_text
from adapter.api.json_text import shown
from adapter.errors import BadRequest
from adapter.messages import Phrase, say

INT64 = 1 << 63
MAX_ITEMS = 100_000  #: of a list; no job may have so many hosts or files
_WHOLE = re.compile(r"[+-]?[0-9]{1,20}")
_NOT_BASE64 = re.compile(rb"[^A-Za-z0-9+/]")
_MESSAGES: dict[str, Any] = {"required": "is required", "null": "must not be null"}


def text_of_base64(text: str) -> str:
    """UTF-8 text, decoded as JOB decodes."""
    return bytes_of_base64(text).decode("utf-8", "replace")


def bytes_of_base64(text: str) -> bytes:
    """Decoded as JOB decodes: URL-safe letters allowed, other characters skipped, never an error."""
    data = text.split("=", 1)[0].encode("ascii", "ignore").translate(bytes.maketrans(b"-_", b"+/"))
    data = _NOT_BASE64.sub(b"", data)
    data = data[:-1] if len(data) % 4 == 1 else data
    return base64.b64decode(data + b"=" * (-len(data) % 4))


class BaseSchema(Schema):
    """Unknown keys are ignored, as JOB does."""

    class Meta:
        unknown = EXCLUDE


class _Lenient(fields.Field[Any]):
    """Optional unless required; "" counts as null."""

    def __init__(self, *, required: bool = False, secret: bool = False, **kwargs: Any) -> None:
        if not required:
            kwargs.setdefault("load_default", None)
        super().__init__(required=required, error_messages=_MESSAGES, **kwargs)
        self.secret = secret

    def deserialize(self, value: Any, attr: str | None = None, data: Any = None, **kwargs: Any) -> Any:
        """Null is the default, unless the field is required."""
        if value is None and not self.required:
            return self.load_default
        return super().deserialize(value, attr, data, **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        if not isinstance(value, str) or value.strip():
            return self.read(value)
        if self.required:
            raise ValidationError(say("must not be empty"))
        return self.load_default

    def read(self, value: Any) -> Any:
        """The value as the use case wants it; ValidationError if it cannot be that."""
        raise NotImplementedError

    def wrong(self, expected: Phrase, value: Any) -> ValidationError:
        """What to raise: the expectation, and the value unless it is a secret."""
        return _not(expected, value, secret=self.secret)


class Number(_Lenient):
    """A whole number, 64 bits signed, within optional bounds."""

    def __init__(self, *, at_least: int = -INT64, at_most: int = INT64 - 1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.at_least, self.at_most = at_least, at_most

    def read(self, value: Any) -> int:
        """Numbers, their text, and floats that are whole."""
        number = _whole(value)
        if number is None or not -INT64 <= number < INT64:
            raise self.wrong(say("a whole number of at most 64 bits"), value)
        if not self.at_least <= number <= self.at_most:
            raise self.wrong(say("within {low}..{high}", low=self.at_least, high=self.at_most), value)
        return number


class Flag(_Lenient):
    """A boolean: true, "True", 1, "1" and their opposites."""

    def read(self, value: Any) -> bool:
        """True or False."""
        text = str(value).strip().lower() if isinstance(value, (str, int)) else ""
        if text in ("true", "1"):
            return True
        if text in ("false", "0"):
            return False
        raise self.wrong(say("true or false (1 or 0)"), value)


class Text(_Lenient):
    """A string; numbers and booleans are taken as their text. Blank is None, or "" if `keep_blank`."""

    def __init__(
        self, *, strip: bool = False, at_most: int | None = None, keep_blank: bool = False, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.strip, self.at_most, self.keep_blank = strip, at_most, keep_blank

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        if self.keep_blank and isinstance(value, str):
            return self.read(value)
        return super()._deserialize(value, attr, data, **kwargs)

    def read(self, value: Any) -> str:
        """The text."""
        if isinstance(value, (dict, list)) or (isinstance(value, float) and not math.isfinite(value)):
            raise self.wrong(say("a string"), value)
        if isinstance(value, bool):
            value = str(value).lower()
        if isinstance(value, int) and not -INT64 <= value < INT64:
            raise self.wrong(say("a string"), value)
        text = str(value)
        if self.at_most is not None and len(text) > self.at_most:
            raise ValidationError(
                say("must have at most {limit} characters, not {size}", limit=self.at_most, size=len(text))
            )
        return text.strip() if self.strip else text


class Day(Text):
    """A day, YYYY-MM-DD."""

    def read(self, value: Any) -> Any:
        """The day as a date."""
        text = super().read(value).strip()
        try:
            day = date.fromisoformat(text)
        except ValueError:
            day = None
        if day is None or len(text) != len("YYYY-MM-DD") or day.year < 1970 or day == date.max:
            raise self.wrong(say("a day from 1970 on, YYYY-MM-DD"), value)
        return day


class Program(Text):
    """The path of a program of Windows; blanks around it are cut off."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(strip=True, **kwargs)

    def read(self, value: Any) -> str:
        """The path."""
        path = super().read(value)
        if not path.endswith(".exe") or any(unicodedata.category(character) == "Cc" for character in path):
            raise self.wrong(say("a path that ends with .exe"), value)
        return path


class Base64(_Lenient):
    """Base64 of UTF-8 text, decoded leniently; at most `max_bytes` decoded."""

    def __init__(self, *, max_bytes: int, **kwargs: Any) -> None:
        super().__init__(secret=True, **kwargs)
        self.max_bytes = max_bytes

    def read(self, value: Any) -> str:
        """The decoded text."""
        if not isinstance(value, str):
            raise self.wrong(say("a string in base64"), value)
        text = text_of_base64(value)
        if (size := len(text.encode())) > self.max_bytes:
            raise ValidationError(
                say("must decode to at most {limit} bytes, not {size}", limit=self.max_bytes, size=size)
            )
        if "\x00" in text:
            raise ValidationError(say("decodes to text with a NUL character; send base64 of text"))
        return text


class Base64Bytes(_Lenient):
    """Base64 of any bytes, decoded leniently; blank is None, as everywhere."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(secret=True, **kwargs)

    def read(self, value: Any) -> bytes:
        """The bytes."""
        if not isinstance(value, str):
            raise self.wrong(say("a string in base64"), value)
        return bytes_of_base64(value)


class Url(Text):
    """An http or https URL with a host."""

    def read(self, value: Any) -> str:
        """The URL, unchanged."""
        text = super().read(value).strip()
        if not _is_http_url(text):
            raise self.wrong(say("a URL like http://host:port/path"), value)
        return text


class Object(fields.Nested):
    """A nested object; JSON text of one is decoded (that is how ESB sends objects in a query)."""

    def __init__(self, nested: type[Schema], *, required: bool = False, **kwargs: Any) -> None:
        if not required:
            kwargs.setdefault("load_default", None)
        super().__init__(nested, required=required, error_messages=_MESSAGES, **kwargs)

    def _deserialize(self, value: Any, attr: Any, data: Any, partial: Any = None, **kwargs: Any) -> Any:
        value = _decoded(value)
        if value is None and not self.required:
            return None
        if not isinstance(value, dict):
            raise _not(say("an object"), value, secret=_holds_secret(self))
        return super()._deserialize(value, attr, data, partial, **kwargs)


class Many(fields.List[Any]):
    """A list of one kind; absent, null and "" are the empty list. JSON text of a list is decoded."""

    def __init__(self, inner: fields.Field[Any], *, nullable: bool = False) -> None:
        super().__init__(
            inner, load_default=None if nullable else list, allow_none=True, error_messages=_MESSAGES
        )
        self.nullable = nullable

    def deserialize(self, value: Any, attr: str | None = None, data: Any = None, **kwargs: Any) -> Any:
        """None becomes what an absent list is."""
        loaded = super().deserialize(value, attr, data, **kwargs)
        return [] if loaded is None and not self.nullable else loaded

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        value = _decoded(value)
        if value is None:
            return None
        if not isinstance(value, list):
            raise _not(say("a list"), value, secret=_holds_secret(self))
        if len(value) > MAX_ITEMS:  # before each of them is looked at
            raise ValidationError(
                say("must have at most {limit} entries, not {size}", limit=MAX_ITEMS, size=len(value))
            )
        return super()._deserialize(value, attr, data, **kwargs)


class Raw(_Lenient):
    """Anything; for fields that are only looked at to be refused."""

    def read(self, value: Any) -> Any:
        """The value itself; None for an empty object or list."""
        return None if value in ({}, [], "{}", "[]", "null") else value


def _holds_secret(field: fields.Field[Any]) -> bool:
    """True if it is a secret, or has one somewhere: what was sent in its place may be one as well."""
    if isinstance(field, fields.List):
        return _holds_secret(field.inner)
    if isinstance(field, fields.Nested):
        return any(map(_holds_secret, field.schema.fields.values()))
    return isinstance(field, _Lenient) and field.secret


def _not(expected: Phrase, value: Any, *, secret: bool = False) -> ValidationError:
    if secret:
        return ValidationError(say("must be {expected}", expected=expected))
    return ValidationError(say("must be {expected}, not {value}", expected=expected, value=shown(value)))


def _decoded(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    if not value.strip():
        return None
    try:
        return json_text.parse(value, say("the text"))
    except BadRequest as error:
        raise ValidationError(say("must be JSON: {reason}", reason=error.detail)) from None


def _whole(value: Any) -> int | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, float):
        return int(value) if math.isfinite(value) and value.is_integer() else None
    if isinstance(value, str) and _WHOLE.fullmatch(value.strip()):
        return int(value)
    return value if isinstance(value, int) else None


def _is_http_url(text: str) -> bool:
    if not text.isascii() or re.search(r"[\s\x00-\x1f\x7f<>\"\\^`{|}]", text):
        return False
    try:
        parts = urlsplit(text)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
