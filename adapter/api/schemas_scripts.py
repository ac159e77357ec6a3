"""The fields of v3's APIs of scripts, of a business's and of public ones (contract d)."""

from __future__ import annotations

from adapter.api.fields import Base64, BaseSchema, Flag, Number, Text
from adapter.api.schemas_catalog import PageFields
from adapter.api.schemas_v3 import MAX_SCRIPT_BYTES


class CreateScript(BaseSchema):
    """create_script."""

    name = Text(required=True, strip=True)
    script_language = Number(required=True)
    content = Base64(required=True, max_bytes=MAX_SCRIPT_BYTES)
    version = Text(required=True, strip=True)
    description = Text(load_default="")
    version_desc = Text(load_default="")


class OneScript(BaseSchema):
    """delete_script."""

    script_id = Text(required=True, strip=True)


class CreateScriptVersion(OneScript):
    """create_script_version."""

    content = Base64(required=True, max_bytes=MAX_SCRIPT_BYTES)
    version = Text(required=True, strip=True)
    version_desc = Text(load_default="")


class OneScriptVersion(OneScript):
    """publish_script_version, disable_script_version, delete_script_version."""

    script_version_id = Number(required=True)


class UpdateScriptBasic(OneScript):
    """update_script_basic."""

    name = Text(required=True, strip=True)
    description = Text(keep_blank=True)


class UpdateScriptVersion(OneScriptVersion):
    """update_script_version."""

    content = Base64(required=True, max_bytes=MAX_SCRIPT_BYTES)
    version_desc = Text(keep_blank=True)


class GetScriptList(PageFields):
    """get_script_list."""

    name = Text(strip=True)
    script_language = Number()


class GetScriptVersionList(PageFields):
    """get_script_version_list."""

    script_id = Text(required=True, strip=True)
    return_script_content = Flag(load_default=False)


class GetScriptVersionDetail(BaseSchema):
    """get_script_version_detail."""

    id = Number()
    script_id = Text(strip=True)
    version = Text(strip=True)
