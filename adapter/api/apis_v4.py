"""v4: every API by service of JOB and name (contract c, d)."""

from __future__ import annotations

from adapter.api import (
    authorized_scopes,
    contexts,
    launch_v4,
    queries_v4,
    schemas_v4,
    scopes,
    views_contexts,
    views_v3,
    views_v4,
)
from adapter.api.apis_plans import V4_PLANS
from adapter.api.endpoints import endpoint, launch
from adapter.api.job_services import ANALYSIS, EXECUTE, MANAGE, ByService
from adapter.job.actions import Action

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
