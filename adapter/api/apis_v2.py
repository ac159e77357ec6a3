"""v2: every API by service of JOB and name (contract c, d, i)."""

from __future__ import annotations

from adapter.api import (
    launch_v2,
    operations,
    queries_steps,
    queries_v2,
    schemas_steps,
    schemas_v2,
    schemas_v3,
    scopes,
    views_steps,
    views_v2,
)
from adapter.api.apis_cron import CRONS_V2
from adapter.api.apis_library_v2 import LIBRARY_V2
from adapter.api.apis_plans import V2_PLANS
from adapter.api.endpoints import endpoint, launch
from adapter.api.job_services import CRONTAB, EXECUTE, MANAGE, ByService
from adapter.job.actions import Action

V2_SERVICES: ByService = {
    EXECUTE: {
        "execute_platform_job": launch(
            schemas_v2.ExecutePlatformJob,
            launch_v2.execute_platform_job,
            views_v2.launched,
            scopes.source_and_target,
        ),
        "execute_job": launch(schemas_v2.ExecuteJob, launch_v2.execute_job, views_v2.launched),
        "fast_execute_script": launch(
            schemas_v2.FastExecuteScript, launch_v2.execute_script, views_v2.launched
        ),
        "fast_execute_sql": launch(schemas_v2.FastExecuteSql, launch_v2.execute_sql, views_v2.launched),
        "fast_push_file": launch(schemas_v2.FastPushFile, launch_v2.push_file, views_v2.launched),
        "push_config_file": launch(schemas_v2.PushConfigFile, launch_v2.push_config_file, views_v2.launched),
        "get_job_instance_status": endpoint(
            schemas_v2.GetJobInstanceStatus, queries_v2.status, views_v2.job_status, action=Action.VIEW
        ),
        "operate_job_instance": endpoint(
            schemas_v3.OperateJobInstance, operations.operate_job, views_v2.operated, action=Action.OPERATE
        ),
        "operate_step_instance": endpoint(
            schemas_v3.OperateStepInstance, operations.operate_step, views_v2.operated, action=Action.OPERATE
        ),
        "get_step_instance_status": endpoint(
            schemas_steps.GetStepInstanceStatusV2,
            queries_steps.status_v2,
            views_steps.status_v2,
            action=Action.VIEW,
        ),
        "get_job_instance_global_var_value": endpoint(
            schemas_steps.GetGlobalVarValue,
            queries_steps.variables,
            views_steps.variables_v2,
            action=Action.VIEW,
        ),
        "get_job_instance_log": endpoint(
            schemas_v2.GetJobInstanceLog, queries_v2.log, views_v2.job_log, action=Action.VIEW
        ),
    },
    MANAGE: {**LIBRARY_V2, **V2_PLANS},
    CRONTAB: CRONS_V2,
}
