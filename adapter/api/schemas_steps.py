"""The fields of the APIs about one step instance and about a job's variables (contract c, i)."""

from __future__ import annotations

from adapter.api.fields import BaseSchema, Number, Object, Text

_MAX_COUNT = 2**31 - 1


class GetStepInstanceDetail(BaseSchema):
    """v3 get_step_instance_detail."""

    job_instance_id = Number(required=True, at_least=1)
    step_instance_id = Number(required=True, at_least=1)


class GetStepInstanceStatus(GetStepInstanceDetail):
    """v3 get_step_instance_status. `batch` 0 is all batches, absent the last one."""

    execute_count = Number(at_least=0, at_most=_MAX_COUNT)
    batch = Number(at_least=0, at_most=_MAX_COUNT)
    max_host_num_per_group = Number(at_least=0)
    keyword = Text(at_most=1024)
    search_ip = Text(strip=True, at_most=64)
    status = Number()
    tag = Text(at_most=256, load_default="")


class GetGlobalVarValue(BaseSchema):
    """v3 and v2 get_job_instance_global_var_value."""

    job_instance_id = Number()


class _StepOfJob(BaseSchema):
    job_instance_id = Number()
    step_instance_id = Number()


class GetStepInstanceStatusV2(_StepOfJob):
    """v2 get_step_instance_status; JOB 2.x had its fields in `params`."""

    params = Object(_StepOfJob)
