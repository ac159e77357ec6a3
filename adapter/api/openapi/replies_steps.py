"""What v3 answers about stored and executed steps (adapter/api/views_steps.py, views_plans.py)."""

from __future__ import annotations

from collections.abc import Mapping

from adapter.api.openapi.members import PageOf, Reply, Shape, flag, many, one, text, whole
from adapter.api.openapi.replies_execution import HostName, InScope, WholeHost


class AccountName(Shape):
    """An account by its id and its names."""

    id = whole()
    name = text(null=True)
    alias = text(null=True)


class Group(Shape):
    """A dynamic group."""

    id = text()


class Node(Shape):
    """A topology node."""

    id = whole()
    node_type = text()


class ResolvedHost(WholeHost):
    """A host that a step's targets resolved to."""

    alive = whole(null=True)


class Resolved(Shape):
    """The hosts of a step."""

    variable = text(null=True)
    ip_list = many(ResolvedHost)
    dynamic_group_list = many(Group, null=True)
    topo_node_list = many(Node, null=True)


class Listed(Shape):
    """Hosts as a plan lists them."""

    variable = text(null=True)
    host_id_list = many(whole())
    ip_list = many(HostName)
    dynamic_group_list = many(Group)
    topo_node_list = many(Node)


class AnyScript(Shape):
    """What is told of every script."""

    script_type = whole()
    script_id = text(null=True)
    script_version_id = whole(null=True)
    script_content = text(null=True)
    script_language = whole(null=True)
    script_param = text(null=True)
    script_timeout = whole()
    account = one(AccountName)
    is_param_sensitive = whole()
    is_ignore_error = whole()


class _Source(Shape):
    file_type = whole()
    file_list = many(text())
    account = one(AccountName, null=True)
    file_source_id = whole(null=True)
    file_source_code = text(null=True)


class AnyTransfer(Shape):
    """What is told of every transfer."""

    timeout = whole()
    source_speed_limit = whole(null=True)
    destination_speed_limit = whole(null=True)
    transfer_mode = whole()
    is_ignore_error = whole()


class ExecutedScript(AnyScript):
    """The script of a step."""

    server = one(Resolved)


class ExecutedSource(_Source):
    """A source of a step's files."""

    server = one(Resolved, null=True)


class ExecutedDestination(Shape):
    """Where a step's files go."""

    path = text()
    account = one(AccountName)
    server = one(Resolved)


class ExecutedTransfer(AnyTransfer):
    """The files of a step."""

    file_source_list = many(ExecutedSource)
    file_destination = one(ExecutedDestination)


class Question(Shape):
    """What an approval step asks."""

    approval_message = text(null=True)


class StepDetail(Shape):
    """get_step_instance_detail."""

    id = whole()
    name = text()
    type = whole()
    script_info = one(ExecutedScript, null=True)
    file_info = one(ExecutedTransfer, null=True)
    approval_info = one(Question, null=True)


class PlannedScript(AnyScript):
    """The script of a plan's step."""

    windows_interpreter = text(null=True)
    server = one(Listed)


class PlannedSource(_Source):
    """A source of a plan's files."""

    server = one(Listed, null=True)


class PlannedDestination(Shape):
    """Where a plan's files go."""

    path = text()
    account = one(AccountName)
    server = one(Listed)


class PlannedTransfer(AnyTransfer):
    """The files of a plan's step."""

    file_source_list = many(PlannedSource)
    file_destination = one(PlannedDestination)


class Askable(Shape):
    """Who may answer an approval step."""

    user_list = many(text())
    role_list = many(text())


class Approval(Shape):
    """The question of a plan's approval step."""

    approval_type = whole()
    approval_user = one(Askable)
    approval_message = text(null=True)
    notify_channel = many(text())


class DefinedStep(Shape):
    """A step as it is stored."""

    id = whole()
    name = text()
    type = whole()
    script_info = one(PlannedScript, null=True)
    file_info = one(PlannedTransfer, null=True)
    approval_info = one(Approval, null=True)


class PlanStep(DefinedStep):
    """A step of a plan; one that is not enabled does not run."""

    enable = whole()


class DefinedVariable(Shape):
    """A variable as it is stored."""

    id = whole()
    name = text()
    type = whole()
    value = text(null=True)
    server = one(Listed, null=True)
    description = text(null=True)
    required = whole()
    used = flag()


class Authored(Shape):
    """Who made something and changed it last, and when."""

    creator = text()
    create_time = whole()
    last_modify_user = text(null=True)
    last_modify_time = whole(null=True)


class PlanRow(InScope, Authored):
    """A plan in a list."""

    id = whole()
    job_template_id = whole()
    name = text()
    need_update = flag()


class Plan(PlanRow):
    """get_job_plan_detail."""

    job_plan_id = whole()
    step_list = many(PlanStep)
    global_var_list = many(DefinedVariable)


REPLIES: Mapping[str, Reply] = {
    "get_step_instance_detail": StepDetail,
    "get_job_plan_list": PageOf(PlanRow),
    "get_job_plan_detail": Plan,
}
