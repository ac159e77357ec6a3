"""Every endpoint in one table for each dialect, and where the dialects are served (contract a)."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.routing import Route

from adapter.api import (
    catalog_v3,
    launch_v2,
    launch_v3,
    queries_v2,
    queries_v3,
    schemas_catalog,
    schemas_v2,
    schemas_v3,
    scopes,
    views_catalog,
    views_plans,
    views_v2,
    views_v3,
)
from adapter.api.endpoints import Dispatcher, Endpoint, Surface, endpoint
from adapter.api.json_text import shown
from adapter.errors import BadRequest, EsbComponentNotFound, JobError

V3: Mapping[str, Endpoint] = {
    "fast_execute_script": endpoint(
        schemas_v3.FastExecuteScript, launch_v3.execute_script, views_v3.launched
    ),
    "fast_transfer_file": endpoint(schemas_v3.FastTransferFile, launch_v3.transfer_file, views_v3.launched),
    "execute_job_plan": endpoint(schemas_v3.ExecuteJobPlan, launch_v3.execute_plan, views_v3.launched),
    "get_job_instance_status": endpoint(
        schemas_v3.GetJobInstanceStatus, queries_v3.status, views_v3.job_status
    ),
    "get_job_instance_ip_log": endpoint(schemas_v3.GetJobInstanceIpLog, queries_v3.ip_log, views_v3.ip_log),
    "batch_get_job_instance_ip_log": endpoint(
        schemas_v3.BatchGetJobInstanceIpLog, queries_v3.batch_ip_log, views_v3.batch_ip_log
    ),
    "get_job_instance_list": endpoint(schemas_v3.GetJobInstanceList, queries_v3.job_list, views_v3.job_page),
    "operate_job_instance": endpoint(schemas_v3.OperateJobInstance, queries_v3.operate, views_v3.operated),
    "get_job_plan_list": endpoint(schemas_catalog.GetJobPlanList, catalog_v3.plans, views_plans.page),
    "get_job_plan_detail": endpoint(schemas_catalog.GetJobPlanDetail, catalog_v3.plan, views_plans.detail),
    "create_account": endpoint(
        schemas_catalog.CreateAccount, catalog_v3.create_account, views_catalog.account
    ),
    "get_account_list": endpoint(schemas_catalog.GetAccountList, catalog_v3.accounts, views_catalog.accounts),
    "create_script": endpoint(
        schemas_catalog.CreateScript, catalog_v3.create_script, views_catalog.script_version
    ),
    "create_script_version": endpoint(
        schemas_catalog.CreateScriptVersion, catalog_v3.create_script_version, views_catalog.script_version
    ),
    "publish_script_version": endpoint(
        schemas_catalog.PublishScriptVersion, catalog_v3.publish_script_version, views_catalog.published
    ),
    "get_script_list": endpoint(schemas_catalog.GetScriptList, catalog_v3.scripts, views_catalog.scripts),
    "get_script_version_list": endpoint(
        schemas_catalog.GetScriptVersionList, catalog_v3.script_versions, views_catalog.script_versions
    ),
    "get_script_version_detail": endpoint(
        schemas_catalog.GetScriptVersionDetail, catalog_v3.script_version, views_catalog.script_version
    ),
}

V2: Mapping[str, Endpoint] = {
    "execute_platform_job": endpoint(
        schemas_v2.ExecutePlatformJob,
        launch_v2.execute_platform_job,
        views_v2.launched,
        scopes.source_and_target,
    ),
    "execute_job": endpoint(schemas_v2.ExecuteJob, launch_v2.execute_job, views_v2.launched),
    "fast_execute_script": endpoint(
        schemas_v2.FastExecuteScript, launch_v2.execute_script, views_v2.launched
    ),
    "fast_push_file": endpoint(schemas_v2.FastPushFile, launch_v2.push_file, views_v2.launched),
    "get_job_instance_status": endpoint(
        schemas_v2.GetJobInstanceStatus, queries_v2.status, views_v2.job_status
    ),
    "get_job_instance_log": endpoint(schemas_v2.GetJobInstanceLog, queries_v2.log, views_v2.job_log),
}


def _unknown_component(name: str) -> JobError:
    return EsbComponentNotFound(f"Not found, component class not found: {shown(name)}")


def _unknown_api(name: str) -> JobError:
    return BadRequest(f"There is no API {shown(name)}; see the list of APIs in the documentation")


_ESB = "/api/c/compapi"
_GATEWAY = "/api/v3"

#: What is served below each base. The last two catch every name that no surface above has.
SURFACES = (
    Surface(prefix=f"{_ESB}/v2/jobv3", endpoints=V3, unknown=_unknown_component),
    Surface(prefix=f"{_ESB}/v2/job", endpoints=V2, unknown=_unknown_component),
    Surface(prefix=f"{_GATEWAY}/system", endpoints=V3, unknown=_unknown_api, system=True),
    Surface(prefix=_GATEWAY, endpoints=V3, unknown=_unknown_api),
    Surface(prefix=_ESB, endpoints={}, unknown=_unknown_component),
    Surface(prefix=_GATEWAY, endpoints={}, unknown=_unknown_api),
)

#: A gateway may serve everything below its own name and a stage.
BASES = ("", "/api/bk-job/{stage}")


def routes(dispatcher: Dispatcher) -> list[Route]:
    """Every path, with and without its last slash."""
    return [
        Route(base + surface.prefix + path, dispatcher.of(surface), methods=["GET", "POST"])
        for base in BASES
        for surface in SURFACES
        for path in (("/{name}", "/{name}/") if surface.endpoints else ("/{name:path}",))
    ]
