"""The fields of the v3 management APIs (contract d); names and texts are checked by the catalog's rules."""

from __future__ import annotations

from adapter.api.fields import BaseSchema, Number, Text


class PageFields(BaseSchema):
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


class OneAccount(BaseSchema):
    """delete_account."""

    id = Number(required=True)


class UpdateAccount(OneAccount):
    """update_account."""

    alias = Text(strip=True)
    password = Text(keep_blank=True, secret=True)
    description = Text(keep_blank=True)
    db_port = Number()
    db_system_account_id = Number()


class GetAccountList(PageFields):
    """get_account_list."""

    category = Number()
    account = Text(strip=True)
    alias = Text(strip=True)


class GetJobPlanList(PageFields):
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
