"""Marshmallow's schemas as JSON schemas of a dialect, by apispec: this service's own fields, and descriptions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from apispec import APISpec
from apispec.ext.marshmallow import MarshmallowPlugin
from apispec.ext.marshmallow.openapi import OpenAPIConverter
from marshmallow import Schema
from marshmallow import fields as plain

from adapter.api import fields
from adapter.api.openapi.texts import Texts
from adapter.api.targets import Ipv4

OPENAPI = "3.1.1"
_INT64 = {"type": "integer", "format": "int64"}
_BASE64 = {"type": "string", "contentEncoding": "base64"}
#: What apispec does not know of itself; the first that fits.
_TYPES: Mapping[type[plain.Field[Any]], dict[str, Any]] = {
    fields.Number: _INT64,
    fields.Flag: {"type": "boolean"},
    fields.Base64: _BASE64,
    fields.Base64Bytes: _BASE64,
    fields.Url: {"type": "string", "format": "uri"},
    Ipv4: {"type": "string", "format": "ipv4"},
    fields.Text: {"type": "string"},
    fields.Many: {"maxItems": fields.MAX_ITEMS},
    plain.Integer: _INT64,
    plain.Dict: {"type": "object"},
}


class Converter:
    """The schemas of one dialect: every nested one becomes a component `<dialect><part>.<its class>`."""

    def __init__(self, dialect: str, texts: Texts, part: str = "") -> None:
        self.dialect, self._part = dialect, part
        self._texts = texts
        self._names: dict[str, type[Schema]] = {}
        self.missing: set[str] = set()  #: fields that nobody has described, as `dialect: Schema.field`
        self.used: set[str] = set()  #: the descriptions that are in the document
        plugin = MarshmallowPlugin(schema_name_resolver=self._name)
        self._spec = APISpec(title="", version="", openapi_version=OPENAPI, plugins=[plugin])
        assert isinstance(plugin.converter, OpenAPIConverter)
        self._converter = plugin.converter
        self._converter.attribute_functions.insert(1, self._own)
        self._converter.attribute_functions.append(self._described)

    def object_of(self, schema: type[Schema]) -> dict[str, Any]:
        """The JSON schema of an object, itself no component."""
        found: dict[str, Any] = self._converter.schema2jsonschema(schema())  # type: ignore[no-untyped-call]
        return found

    def reference(self, schema: type[Schema]) -> dict[str, Any]:
        """A reference to the schema, which becomes a component."""
        found: dict[str, Any] = self._converter.resolve_nested_schema(schema)  # type: ignore[no-untyped-call]
        return found

    def components(self) -> dict[str, Any]:
        """Every schema that was referred to, by its name."""
        found: dict[str, Any] = self._spec.to_dict().get("components", {}).get("schemas", {})
        return found

    def _name(self, schema: Any) -> str:
        """The name of a component; of two classes that are called the same the second is told by its module."""
        cls = schema if isinstance(schema, type) else type(schema)
        name = f"{self.dialect}{self._part}.{cls.__name__.lstrip('_')}"
        if self._names.setdefault(name, cls) is not cls:
            name = f"{name}.{cls.__module__.rpartition('.')[2]}"
        return name

    def _own(self, field: plain.Field[Any], *, ret: dict[str, Any], **_: Any) -> dict[str, Any]:
        """The type and the limits of a field of adapter.api.fields."""
        found = next((said for kind, said in _TYPES.items() if isinstance(field, kind)), {})
        if isinstance(field, fields.Number):
            return found | _bounds(field)
        return found | _length(field) if isinstance(field, fields.Text) else found

    def _described(self, field: plain.Field[Any], *, ret: dict[str, Any], **_: Any) -> dict[str, Any]:
        """The field's description, beside whatever else is said of it."""
        if not isinstance(field.parent, Schema) or field.name is None:
            return {}  # an entry of a list, which the list describes
        owner = type(field.parent).__name__.lstrip("_")
        key = self._texts.key(self.dialect, owner, field.name)
        if key is None:
            self.missing.add(f"{self.dialect}: {owner}.{field.name}")
            return {}
        self.used.add(key)
        return {"description": self._texts.fields[key]}


def _bounds(field: fields.Number) -> dict[str, Any]:
    low = {"minimum": field.at_least} if field.at_least > -fields.INT64 else {}
    return low | ({"maximum": field.at_most} if field.at_most < fields.INT64 - 1 else {})


def _length(field: fields.Text) -> dict[str, Any]:
    limit = {} if field.at_most is None else {"maxLength": field.at_most}
    return limit | ({"format": "password"} if field.secret else {})
