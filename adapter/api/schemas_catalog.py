"""The fields of the v3 management APIs (contract d); names and texts are checked by the catalog's rules."""

from __future__ import annotations

from adapter.api.fields import Base64, BaseSchema, Flag, Number, Text
from adapter.api.schemas_v3 import MAX_SCRIPT_BYTES


class _Page(BaseSchema):
    """Whatever is out of range here is put right, not refused."""

    start = Number()
    length = Number()


class CreateAccount(BaseSchema):
    """create_account."""

    account = Text(required=True, strip=True)
    type = Number(required=True)
    category = Number(required=True)
    password = Text(keep_blank=True, secret=True)
    alias = Text(strip=True)
    description = Text(load_default="")
    db_port = Number()
    db_system_account_id = Number()


class GetAccountList(_Page):
    """get_account_list."""

    category = Number()
    account = Text(strip=True)
    alias = Text(strip=True)


class CreateScript(BaseSchema):
    """create_script."""

    name = Text(required=True, strip=True)
    script_language = Number(required=True)
    content = Base64(required=True, max_bytes=MAX_SCRIPT_BYTES)
    version = Text(required=True, strip=True)
    description = Text(load_default="")
    version_desc = Text(load_default="")


class CreateScriptVersion(BaseSchema):
    """create_script_version."""

    script_id = Text(required=True, strip=True)
    content = Base64(required=True, max_bytes=MAX_SCRIPT_BYTES)
    version = Text(required=True, strip=True)
    version_desc = Text(load_default="")


class PublishScriptVersion(BaseSchema):
    """publish_script_version."""

    script_id = Text(required=True, strip=True)
    script_version_id = Number(required=True)


class GetScriptList(_Page):
    """get_script_list."""

    name = Text(strip=True)
    script_language = Number()


class GetScriptVersionList(_Page):
    """get_script_version_list."""

    script_id = Text(required=True, strip=True)
    return_script_content = Flag(load_default=False)


class GetScriptVersionDetail(BaseSchema):
    """get_script_version_detail."""

    id = Number()
    script_id = Text(strip=True)
    version = Text(strip=True)


class GetJobPlanList(_Page):
    """get_job_plan_list."""

    job_template_id = Number()
    name = Text(strip=True)
    creator = Text(strip=True)
    last_modify_user = Text(strip=True)
    create_time_start = Number()
    create_time_end = Number()
    last_modify_time_start = Number()
    last_modify_time_end = Number()


class GetJobPlanDetail(BaseSchema):
    """get_job_plan_detail."""

    job_plan_id = Number()
