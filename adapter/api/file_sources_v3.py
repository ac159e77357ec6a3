"""v3 requests about file sources (contract d): what they read, do and answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from adapter.api.call import Call
from adapter.api.fields import BaseSchema, Object, Text, Url
from adapter.api.views_catalog import authorship
from adapter.api.views_v3 import scope
from adapter.job.file_source import FileSourceDefinition


class AccessParams(BaseSchema):
    """How a file source is reached."""

    base_url = Url(required=True, strip=True)
    region = Text(strip=True)


class SaveFileSource(BaseSchema):
    """create_file_source and update_file_source."""

    code = Text(required=True, strip=True)
    alias = Text(required=True, strip=True)
    type = Text(required=True, strip=True)
    access_params = Object(AccessParams, required=True)
    credential_id = Text(strip=True)
    file_prefix = Text(strip=True)


class GetFileSourceDetail(BaseSchema):
    """get_file_source_detail."""

    code = Text(required=True, strip=True)


@dataclass(frozen=True)
class Detail:
    """What is told of one."""

    definition: FileSourceDefinition
    status: int


def create(call: Call) -> FileSourceDefinition:
    """create_file_source."""
    return call.services.file_sources.create(call.scope, code=call["code"], **_given(call))


def update(call: Call) -> FileSourceDefinition:
    """update_file_source."""
    return call.services.file_sources.update(call.scope, call["code"], **_given(call))


def get(call: Call) -> Detail:
    """get_file_source_detail."""
    file_sources = call.services.file_sources
    return Detail(file_sources.get(call.scope, call["code"]), file_sources.status())


def saved(value: FileSourceDefinition) -> dict[str, Any]:
    """What is answered when one was made or changed."""
    return {"id": value.id}


def detail(value: Detail) -> dict[str, Any]:
    """get_file_source_detail."""
    found = value.definition
    return {
        "id": found.id,
        **scope(found.scope),
        "code": found.code,
        "alias": found.alias,
        "status": value.status,
        "file_source_type_code": str(found.type),
        "is_public": False,
        "credential_id": found.credential_id,
        "enable": True,
        **authorship(found),
    }


def _given(call: Call) -> dict[str, Any]:
    access = call["access_params"]
    return {
        "user": call.caller.user,
        "alias": call["alias"],
        "type": call["type"],
        "base_url": access["base_url"],
        "region": access["region"] or "",
        "credential_id": call["credential_id"],
        "file_prefix": call["file_prefix"] or "",
    }
