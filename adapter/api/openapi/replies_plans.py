"""What is answered about job templates, and about plans in v2 and v4 (views_plans.py, _v2.py, _v4.py)."""

from __future__ import annotations

from collections.abc import Mapping

from adapter.api.openapi.members import ListOf, PageOf, Reply, Shape, flag, many, one, text, whole
from adapter.api.openapi.replies_execution import HostName, InScope
from adapter.api.openapi.replies_steps import (
    AccountName,
    AnyScript,
    AnyTransfer,
    Approval,
    Authored,
    Group,
    Node,
)


class TemplateRow(InScope, Authored):
    """A template in a list."""

    id = whole()
    name = text()
    description = text()


class TargetV4(Shape):
    """Hosts as a template lists them, as v4 names them."""

    variable = text(null=True)
    host_list = many(HostName, null=True)
    dynamic_group_list = many(Group, null=True)
    topo_node_list = many(Node, null=True)


class ScriptV4(AnyScript):
    """The script of a template's step."""

    windows_interpreter = text(null=True)
    execute_target = one(TargetV4)


class SourceV4(Shape):
    """A source of a template's files."""

    file_type = whole()
    file_list = many(text())
    account = one(AccountName, null=True)
    execute_target = one(TargetV4, null=True)


class DestinationV4(Shape):
    """Where a template's files go."""

    path = text()
    account = one(AccountName)
    execute_target = one(TargetV4)


class TransferV4(AnyTransfer):
    """The files of a template's step."""

    file_source_list = many(SourceV4)
    file_destination = one(DestinationV4)


class StepV4(Shape):
    """A template's step."""

    id = whole()
    name = text()
    type = whole()
    script_info = one(ScriptV4, absent=True)
    file_info = one(TransferV4, absent=True)
    approval_info = one(Approval, absent=True)


class VariableV4(Shape):
    """A template's variable."""

    id = whole()
    name = text()
    type = whole()
    description = text()
    required = whole()
    value = text(null=True)
    execute_target = one(TargetV4, null=True)


class TemplateV4(TemplateRow):
    """get_job_template_detail."""

    global_var_list = many(VariableV4)
    step_list = many(StepV4)


class CreatedPlan(InScope):
    """create_job_plan."""

    job_plan_id = whole()
    job_plan_name = text()
    job_template_id = whole()
    creator = text()
    create_time = whole()
    need_update = flag()


class _AuthoredV2(Shape):
    creator = text()
    create_time = text(null=True)
    last_modify_user = text()
    last_modify_time = text(null=True)


class _JobV2(InScope, _AuthoredV2):
    bk_job_id = whole()
    name = text()
    step_num = whole()


class JobRowV2(_JobV2):
    """A plan in v2's list."""


class ListedV2(Shape):
    """Hosts as a plan lists them, as v2 names them."""

    variable = text(null=True)
    ip_list = many(HostName)
    dynamic_group_id_list = many(text())
    topo_node_list = many(Node)


class _TargetsV2(Shape):
    ip_list = many(HostName)
    custom_query_id = many(text())
    target_server = one(ListedV2)


class PlanSourceV2(_TargetsV2):
    """A source of a plan's files."""

    files = many(text())
    file_type = whole()
    account = text(null=True)
    account_id = whole(null=True)


class PlanStepV2(_TargetsV2, _AuthoredV2):
    """A step that the plan runs."""

    step_id = whole()
    name = text()
    type = whole()
    block_order = whole()
    block_name = text()
    order = whole()
    pause = whole()
    script_id = whole(null=True)
    script_type = whole(null=True)
    script_content = text(null=True)
    script_param = text(null=True)
    script_timeout = whole(null=True)
    is_param_sensitive = whole(null=True)
    account = text(null=True)
    account_id = whole(null=True)
    db_account_id = whole()
    file_target_path = text(null=True)
    file_source = many(PlanSourceV2, null=True)
    confirm_message = text(null=True)


class PlanVariableV2(_TargetsV2):
    """A plan's variable."""

    id = whole()
    type = whole()
    category = whole()
    name = text()
    value = text(null=True)
    description = text()
    step_ids = many(whole(), null=True)


class PlanV2(_JobV2):
    """get_job_detail."""

    template_id = whole()
    tag_id = text()
    steps = many(PlanStepV2)
    global_vars = many(PlanVariableV2)


V2: Mapping[str, Reply] = {"get_job_list": ListOf(JobRowV2), "get_job_detail": PlanV2}
V3: Mapping[str, Reply] = {"get_job_template_list": PageOf(TemplateRow)}
V4: Mapping[str, Reply] = {"get_job_template_detail": TemplateV4, "create_job_plan": CreatedPlan}
