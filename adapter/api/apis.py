"""Every API by dialect, service of JOB and name: what it reads, what it does, what it answers (contract c, d, i).

JOB's own gateway has the service in its paths (`/api/job/v3/job-execute/NAME`); everywhere else only names count.
"""

from __future__ import annotations

from collections.abc import Mapping

from adapter.api import (
    agents,
    authorized_scopes,
    bkci,
    catalog_v3,
    contexts,
    dangerous_v3,
    launch_v2,
    launch_v3,
    launch_v4,
    operations,
    queries_steps,
    queries_v2,
    queries_v3,
    queries_v4,
    schemas_bkci,
    schemas_catalog,
    schemas_dangerous,
    schemas_steps,
    schemas_v2,
    schemas_v3,
    schemas_v4,
    scopes,
    service_v3,
    views_bkci,
    views_catalog,
    views_contexts,
    views_dangerous,
    views_steps,
    views_v2,
    views_v3,
    views_v4,
)
from adapter.api.apis_credentials import CREDENTIALS
from adapter.api.apis_cron import CRONS_V2, CRONS_V3
from adapter.api.apis_file_sources import FILE_SOURCES
from adapter.api.apis_library_v2 import LIBRARY_V2
from adapter.api.apis_plans import V2_PLANS, V3_PLANS, V4_PLANS
from adapter.api.apis_scripts import SCRIPTS
from adapter.api.endpoints import Endpoint, endpoint, launch
from adapter.api.fields import BaseSchema
from adapter.api.uploads_v3 import UPLOADS
from adapter.job.actions import Action

ByService = Mapping[str, Mapping[str, Endpoint]]

EXECUTE, MANAGE, CRONTAB = "job-execute", "job-manage", "job-crontab"
FILES, ANALYSIS = "job-file-gateway", "job-analysis"
SERVICES = (EXECUTE, MANAGE, CRONTAB, FILES, ANALYSIS)

V3_SERVICES: ByService = {
    EXECUTE: {
        "fast_execute_script": launch(
            schemas_v3.FastExecuteScript, launch_v3.execute_script, views_v3.launched
        ),
        "fast_execute_sql": launch(schemas_v3.FastExecuteSql, launch_v3.execute_sql, views_v3.launched),
        "fast_transfer_file": launch(schemas_v3.FastTransferFile, launch_v3.transfer_file, views_v3.launched),
        "push_config_file": launch(schemas_v3.PushConfigFile, launch_v3.push_config_file, views_v3.launched),
        "execute_job_plan": launch(schemas_v3.ExecuteJobPlan, launch_v3.execute_plan, views_v3.launched),
        "get_job_instance_status": endpoint(
            schemas_v3.GetJobInstanceStatus, queries_v3.status, views_v3.job_status, action=Action.VIEW
        ),
        "get_job_instance_ip_log": endpoint(
            schemas_v3.GetJobInstanceIpLog, queries_v3.ip_log, views_v3.ip_log, action=Action.VIEW
        ),
        "batch_get_job_instance_ip_log": endpoint(
            schemas_v3.BatchGetJobInstanceIpLog,
            queries_v3.batch_ip_log,
            views_v3.batch_ip_log,
            action=Action.VIEW,
        ),
        "get_job_instance_list": endpoint(
            schemas_v3.GetJobInstanceList, queries_v3.job_list, views_v3.job_page, action=Action.VIEW
        ),
        "operate_job_instance": endpoint(
            schemas_v3.OperateJobInstance, operations.operate_job, views_v3.operated, action=Action.OPERATE
        ),
        "operate_step_instance": endpoint(
            schemas_v3.OperateStepInstance, operations.operate_step, views_v3.operated, action=Action.OPERATE
        ),
        "get_step_instance_detail": endpoint(
            schemas_steps.GetStepInstanceDetail,
            queries_steps.detail,
            views_steps.detail,
            scopes.explicit,
            action=Action.VIEW,
        ),
        "get_step_instance_status": endpoint(
            schemas_steps.GetStepInstanceStatus,
            queries_steps.status,
            views_steps.status,
            scopes.explicit,
            action=Action.VIEW,
        ),
        "get_job_instance_global_var_value": endpoint(
            schemas_steps.GetGlobalVarValue,
            queries_steps.variables,
            views_steps.variables,
            action=Action.VIEW,
        ),
        "bkci_plugin_fast_execute_script": launch(
            schemas_bkci.PluginFastExecuteScript, bkci.execute_script, views_v3.launched
        ),
        "bkci_plugin_fast_transfer_file": launch(
            schemas_bkci.PluginFastTransferFile, bkci.transfer_file, views_v3.launched
        ),
        "bkci_plugin_get_job_instance_status": endpoint(
            schemas_bkci.PluginGetJobInstanceStatus, bkci.status, views_bkci.job_status, action=Action.VIEW
        ),
        "bkci_plugin_batch_get_job_instance_execute_object_log": endpoint(
            schemas_bkci.PluginBatchGetLog, bkci.batch_log, views_bkci.batch_log, action=Action.VIEW
        ),
    },
    MANAGE: {
        **V3_PLANS,
        "query_agent_info": endpoint(agents.QueryAgentInfo, agents.info, agents.agents, action=Action.VIEW),
        "create_account": endpoint(
            schemas_catalog.CreateAccount,
            catalog_v3.create_account,
            views_catalog.account,
            action=Action.MANAGE,
        ),
        "update_account": endpoint(
            schemas_catalog.UpdateAccount,
            catalog_v3.update_account,
            views_catalog.account,
            action=Action.MANAGE,
        ),
        "delete_account": endpoint(
            schemas_catalog.OneAccount,
            catalog_v3.delete_account,
            views_catalog.nothing,
            action=Action.MANAGE,
        ),
        "get_account_list": endpoint(
            schemas_catalog.GetAccountList, catalog_v3.accounts, views_catalog.accounts, action=Action.VIEW
        ),
        "get_account_password_encryption_metadata": endpoint(
            BaseSchema,
            catalog_v3.password_encryption,
            views_catalog.password_encryption,
            scopes.none,
            action=Action.VIEW,
        ),
        "create_dangerous_rule": endpoint(
            schemas_dangerous.CreateDangerousRule,
            dangerous_v3.create,
            views_dangerous.rule,
            scopes.none,
            action=Action.MANAGE,
        ),
        "update_dangerous_rule": endpoint(
            schemas_dangerous.UpdateDangerousRule,
            dangerous_v3.update,
            views_dangerous.rule,
            scopes.none,
            action=Action.MANAGE,
        ),
        "enable_dangerous_rule": endpoint(
            schemas_dangerous.OneDangerousRule,
            dangerous_v3.enable,
            views_dangerous.status,
            scopes.none,
            action=Action.MANAGE,
        ),
        "disable_dangerous_rule": endpoint(
            schemas_dangerous.OneDangerousRule,
            dangerous_v3.disable,
            views_dangerous.status,
            scopes.none,
            action=Action.MANAGE,
        ),
        "delete_dangerous_rule": endpoint(
            schemas_dangerous.OneDangerousRule,
            dangerous_v3.delete,
            views_catalog.nothing,
            scopes.none,
            action=Action.MANAGE,
        ),
        "get_dangerous_rule_list": endpoint(
            schemas_dangerous.GetDangerousRuleList,
            dangerous_v3.rules,
            views_dangerous.rules,
            scopes.none,
            action=Action.VIEW,
        ),
        "check_script": endpoint(
            schemas_dangerous.CheckScript,
            dangerous_v3.check,
            views_dangerous.findings,
            scopes.none,
            action=Action.VIEW,
        ),
        **SCRIPTS,
        "get_latest_service_version": endpoint(
            BaseSchema, service_v3.version, dict, scopes.none, action=Action.VIEW
        ),
        "get_notify_config": endpoint(
            BaseSchema, service_v3.notify_config, list, scopes.explicit, action=Action.VIEW
        ),
        **CREDENTIALS,
        **UPLOADS,
    },
    CRONTAB: CRONS_V3,
    FILES: FILE_SOURCES,
}

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

V4_SERVICES: ByService = {
    EXECUTE: {
        "fast_execute_script": launch(
            schemas_v4.FastExecuteScript, launch_v4.execute_script, views_v3.launched, methods=("POST",)
        ),
        "get_job_instance_status": endpoint(
            schemas_v4.GetJobInstanceStatus,
            queries_v4.status,
            views_v4.job_status,
            scopes.explicit,
            action=Action.VIEW,
        ),
        "batch_get_job_instance_execute_object_log": endpoint(
            schemas_v4.BatchGetExecuteObjectLog, queries_v4.batch_log, views_v4.batch_log, action=Action.VIEW
        ),
        "get_job_instance_list": endpoint(
            schemas_v4.GetJobInstanceList,
            queries_v4.job_list,
            views_v4.job_list,
            scopes.explicit,
            action=Action.VIEW,
        ),
    },
    MANAGE: {
        **V4_PLANS,
        "get_user_authorized_scopes": endpoint(
            authorized_scopes.GetUserAuthorizedScopes,
            authorized_scopes.authorized_scopes,
            authorized_scopes.view,
            scopes.none,
            action=Action.VIEW,
        ),
    },
    ANALYSIS: {
        "get_script_task_context": endpoint(
            contexts.GetScriptTaskContext,
            contexts.script_context,
            views_contexts.script_context,
            scopes.explicit,
            methods=("POST",),
            action=Action.VIEW,
        ),
        "get_file_task_context": endpoint(
            contexts.GetFileTaskContext,
            contexts.file_context,
            views_contexts.file_context,
            scopes.explicit,
            methods=("POST",),
            action=Action.VIEW,
        ),
    },
}


def _by_name(services: ByService) -> dict[str, Endpoint]:
    return {name: found for apis in services.values() for name, found in apis.items()}


V2, V3, V4 = _by_name(V2_SERVICES), _by_name(V3_SERVICES), _by_name(V4_SERVICES)
