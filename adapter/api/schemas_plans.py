"""The fields of the APIs about job templates and job plans, of all dialects (contract d, i)."""

from __future__ import annotations

from adapter.api.fields import BaseSchema, Day, Flag, Many, Number, Object, Text
from adapter.api.schemas_v4 import ExecuteTarget

MAX_PLAN_NAME = 60


class _Named(BaseSchema):
    """What every list is narrowed by, besides times."""

    name = Text(strip=True)
    creator = Text(strip=True)
    last_modify_user = Text(strip=True)
    start = Number()
    length = Number()


class GetJobTemplateList(_Named):
    """get_job_template_list; times are milliseconds."""

    create_time_start = Number()
    create_time_end = Number()
    last_modify_time_start = Number()
    last_modify_time_end = Number()


class GetJobPlanList(GetJobTemplateList):
    """get_job_plan_list."""

    job_template_id = Number()


class GetJobPlanDetail(BaseSchema):
    """get_job_plan_detail."""

    job_plan_id = Number()


class GetJobList(_Named):
    """v2 get_job_list; times are days."""

    create_time_start = Day()
    create_time_end = Day()
    last_modify_time_start = Day()
    last_modify_time_end = Day()


class GetJobDetail(BaseSchema):
    """v2 get_job_detail."""

    bk_job_id = Number()


class GetJobTemplateDetail(BaseSchema):
    """v4 get_job_template_detail."""

    id = Number(required=True, at_least=1)


class PlanVariable(BaseSchema):
    """An entry of `variables`; its value may be a cipher's."""

    name = Text(required=True)
    value = Text(keep_blank=True, secret=True)
    execute_target = Object(ExecuteTarget)
    follow_template = Flag(load_default=False)


class CreateJobPlan(BaseSchema):
    """v4 create_job_plan."""

    job_template_id = Number(required=True, at_least=1)
    name = Text(required=True, at_most=MAX_PLAN_NAME)
    enable_steps = Many(Number(required=True), nullable=True)
    variables = Many(Object(PlanVariable, required=True))
