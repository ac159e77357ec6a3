"""v3 generate_local_file_upload_url (contract d): where files can be uploaded, and what file lists call them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from adapter.api import checks, ext
from adapter.api.call import Call
from adapter.api.endpoints import Endpoint, endpoint
from adapter.api.fields import BaseSchema, Many, Text
from adapter.errors import InvalidParameter
from adapter.job.actions import Action
from adapter.messages import say
from adapter.service.uploads import Offered

#: Where a file is sent (adapter.api.uploads). The token is in the query, which no log has.
PATH = f"{ext.PREFIX}/uploads/{{upload_id}}"
_FIELD = "file_name_list"
#: JOB has no limit; a step can send more than one request's files.
MAX_NAMES = 1000


class GenerateLocalFileUploadUrl(BaseSchema):
    """generate_local_file_upload_url."""

    file_name_list = Many(Text(required=True, keep_blank=True))


@dataclass(frozen=True, kw_only=True)
class UploadUrls:
    """What was offered for each name that was asked for, and the service's own URL."""

    offered: Mapping[str, Offered]
    base_url: str


def generate(call: Call) -> UploadUrls:
    """A name that is listed twice is one file."""
    asked: Sequence[str] = list(dict.fromkeys(call[_FIELD]))
    if not 1 <= len(asked) <= MAX_NAMES:
        raise InvalidParameter(
            _FIELD, say("must list at least one name, and at most {limit}", limit=MAX_NAMES)
        )
    names = [checks.bare_file_name(_FIELD, name) for name in asked]
    offered = call.services.uploads.offer(call.scope, call.caller, names)
    return UploadUrls(offered=dict(zip(asked, offered, strict=True)), base_url=call.base_url)


def view(urls: UploadUrls) -> dict[str, Any]:
    """By the names as they were asked for."""
    return {
        "url_map": {
            name: {
                "upload_url": f"{urls.base_url}{PATH.format(upload_id=one.upload.id)}?token={one.token}",
                "path": one.upload.path,
            }
            for name, one in urls.offered.items()
        }
    }


UPLOADS: Mapping[str, Endpoint] = {
    "generate_local_file_upload_url": endpoint(
        GenerateLocalFileUploadUrl, generate, view, action=Action.MANAGE
    ),
}
