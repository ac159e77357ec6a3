"""The APIs about job templates and job plans, by dialect: part of adapter.api.apis."""

from __future__ import annotations

from collections.abc import Mapping

from adapter.api import plans, schemas_plans, scopes, views_plans, views_plans_v2, views_plans_v4
from adapter.api.endpoints import Endpoint, endpoint
from adapter.job.actions import Action

V2_PLANS: Mapping[str, Endpoint] = {
    "get_job_list": endpoint(
        schemas_plans.GetJobList, plans.job_list, views_plans_v2.job_list, action=Action.VIEW
    ),
    "get_job_detail": endpoint(
        schemas_plans.GetJobDetail, plans.plan, views_plans_v2.job_detail, action=Action.VIEW
    ),
}

V3_PLANS: Mapping[str, Endpoint] = {
    "get_job_template_list": endpoint(
        schemas_plans.GetJobTemplateList, plans.template_list, views_plans.template_page, action=Action.VIEW
    ),
    "get_job_plan_list": endpoint(
        schemas_plans.GetJobPlanList, plans.plan_list, views_plans.page, action=Action.VIEW
    ),
    "get_job_plan_detail": endpoint(
        schemas_plans.GetJobPlanDetail, plans.plan, views_plans.detail, action=Action.VIEW
    ),
}

V4_PLANS: Mapping[str, Endpoint] = {
    "create_job_plan": endpoint(
        schemas_plans.CreateJobPlan,
        plans.create,
        views_plans_v4.created,
        scopes.explicit,
        methods=("POST",),
        action=Action.MANAGE,
    ),
    "get_job_template_detail": endpoint(
        schemas_plans.GetJobTemplateDetail,
        plans.template,
        views_plans_v4.template,
        scopes.explicit,
        action=Action.VIEW,
    ),
}
