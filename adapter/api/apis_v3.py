"""v3: every API by service of JOB and name (contract c, d)."""

from __future__ import annotations

from adapter.api import (
    agents,
    bkci,
    catalog_v3,
    launch_v3,
    operations,
    queries_steps,
    queries_v3,
    schemas_bkci,
    schemas_catalog,
    schemas_steps,
    schemas_v3,
    scopes,
    service_v3,
    views_bkci,
    views_catalog,
    views_steps,
    views_v3,
)
from adapter.api.apis_credentials import CREDENTIALS
from adapter.api.apis_cron import CRONS_V3
from adapter.api.apis_dangerous import DANGEROUS
from adapter.api.apis_file_sources import FILE_SOURCES
from adapter.api.apis_plans import V3_PLANS
from adapter.api.apis_scripts import SCRIPTS
from adapter.api.endpoints import endpoint, launch
from adapter.api.fields import BaseSchema
from adapter.api.job_services import CRONTAB, EXECUTE, FILES, MANAGE, ByService
from adapter.api.uploads_v3 import UPLOADS
from adapter.job.actions import Action

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
        **DANGEROUS,
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
