"""The fields of the APIs of crons, v3's and v2's (contract d, i). What is wrong with a value the use cases say."""

from __future__ import annotations

from adapter.api.fields import BaseSchema, Day, Many, Number, Object, Text
from adapter.api.schemas_v3 import GlobalVariableFields


class SaveCron(BaseSchema):
    """save_cron."""

    id = Number()
    job_plan_id = Number()
    name = Text(strip=True)
    expression = Text(strip=True)
    execute_time = Number()
    execute_time_zone = Text(strip=True)
    global_var_list = Many(Object(GlobalVariableFields, required=True), nullable=True)


class OneCron(BaseSchema):
    """get_cron_detail, delete_cron."""

    id = Number()


class UpdateCronStatus(OneCron):
    """update_cron_status."""

    status = Number()


class GetCronList(BaseSchema):
    """get_cron_list: times in seconds."""

    id = Number()
    name = Text(strip=True)
    status = Number()
    creator = Text(strip=True)
    last_modify_user = Text(strip=True)
    create_time_start = Number()
    create_time_end = Number()
    last_modify_time_start = Number()
    last_modify_time_end = Number()
    start = Number()
    length = Number()


class SaveCronV2(BaseSchema):
    """v2's save_cron."""

    cron_id = Number()
    bk_job_id = Number()
    cron_name = Text(strip=True)
    cron_expression = Text(strip=True)


class UpdateCronStatusV2(BaseSchema):
    """v2's update_cron_status."""

    cron_id = Number()
    cron_status = Number()


class GetCronListV2(BaseSchema):
    """v2's get_cron_list: days as YYYY-MM-DD."""

    cron_id = Number()
    cron_name = Text(strip=True)
    cron_status = Number()
    creator = Text(strip=True)
    last_modify_user = Text(strip=True)
    create_time_start = Day()
    create_time_end = Day()
    last_modify_time_start = Day()
    last_modify_time_end = Day()
    start = Number()
    length = Number()
