"""Requests about job templates and job plans, of all dialects (contract d, i)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from adapter.api import checks
from adapter.api.call import Call
from adapter.api.launch_v4 import server_of
from adapter.api.reports import PlanReport, TemplateReport
from adapter.api.times import midnight
from adapter.errors import (
    AccountUnknown,
    FieldInvalid,
    HostsUnknown,
    MissingOrInvalid,
    ReasonedParameter,
    ScopeUnknown,
    ScriptNotExecutable,
    ScriptUnknown,
)
from adapter.job.commands import AccountRef, ScriptRef
from adapter.job.model import Account, Scope, ScriptVersion, Server
from adapter.job.plan import (
    JobPlan,
    ListedPlan,
    ListedTemplate,
    ListFilter,
    PlanScript,
    PlanStep,
)
from adapter.messages import say
from adapter.service.pages import Page
from adapter.service.plan_making import GivenVariable

_PERIODS = ("create_time", "last_modify_time")


def template_list(call: Call) -> Page[ListedTemplate]:
    """get_job_template_list."""
    return call.services.catalog.get_job_template_list(
        call.scope, _wanted(call.fields), start=call["start"], length=call["length"]
    )


def plan_list(call: Call) -> Page[ListedPlan]:
    """get_job_plan_list."""
    return call.services.catalog.get_job_plan_list(
        call.scope,
        _wanted(call.fields),
        template_id=call["job_template_id"],
        start=call["start"],
        length=call["length"],
    )


def job_list(call: Call) -> tuple[ListedPlan, ...]:
    """v2 get_job_list; its days begin and end in the service's time zone."""
    fields = dict(call.fields)
    for name in _PERIODS:
        first, last = fields[f"{name}_start"], fields[f"{name}_end"]
        fields[f"{name}_start"] = None if first is None else midnight(first)
        fields[f"{name}_end"] = None if last is None else _end_of(last)
    return call.services.catalog.get_job_list(
        call.scope, _wanted(fields), start=call["start"], length=call["length"]
    )


def plan(call: Call) -> PlanReport:
    """get_job_plan_detail, and v2's get_job_detail, where the plan is bk_job_id."""
    name = "job_plan_id" if "job_plan_id" in call.fields else "bk_job_id"
    plan_id = checks.require_id(name, call[name], MissingOrInvalid)
    found = call.services.catalog.get_job_plan_detail(call.scope, plan_id=plan_id)
    return PlanReport(
        plan=found,
        accounts=_accounts(call, found.steps),
        scripts=_scripts(call, found.scope, found.steps),
        hosts=call.services.hosts,
    )


def template(call: Call) -> TemplateReport:
    """v4 get_job_template_detail."""
    found = call.services.catalog.get_job_template_detail(call.scope, template_id=call["id"])
    return TemplateReport(
        template=found,
        accounts=_accounts(call, found.steps),
        scripts=_scripts(call, found.scope, found.steps),
        hosts=call.services.hosts,
    )


def create(call: Call) -> JobPlan:
    """v4 create_job_plan."""
    if call["enable_steps"] == []:
        raise FieldInvalid("enable_steps", say("must not be empty"))
    return call.services.catalog.create_job_plan(
        call.scope,
        user=call.caller.user,
        template_id=call["job_template_id"],
        name=call["name"],
        enable_steps=call["enable_steps"],
        variables=[_given(call, item) for item in call["variables"]],
    )


def _given(call: Call, item: Mapping[str, Any]) -> GivenVariable:
    target = item["execute_target"]
    return GivenVariable(
        name=item["name"],
        value=item["value"],
        server=None if target is None else _server(call, target),
        follow_template=item["follow_template"],
    )


def _server(call: Call, target: Mapping[str, Any]) -> Server:
    """Addresses become ids, as in JOB: whoever has an address later is not meant."""
    hosts = call.services.hosts
    try:
        server = server_of(call, target)
        if not server.ips:
            return server
        if not hosts.has_scope(call.scope):
            raise ScopeUnknown(str(call.scope))
        found = hosts.resolve(call.scope, Server(ips=server.ips))
    except HostsUnknown as error:
        raise ReasonedParameter(
            "variables[].execute_target.host_list",
            say("there is no host {hosts}", hosts=error.values["hosts"]),
        ) from error
    return replace(server, ips=(), host_ids=tuple(host.bk_host_id for host in found))


def _wanted(fields: Mapping[str, Any]) -> ListFilter:
    create_time, last_modify_time = ((fields[f"{name}_start"], fields[f"{name}_end"]) for name in _PERIODS)
    return ListFilter(
        name=fields["name"],
        creator=fields["creator"],
        last_modify_user=fields["last_modify_user"],
        create_time=create_time,
        last_modify_time=last_modify_time,
    )


def _end_of(day: date) -> int:
    """The last millisecond of a day."""
    return midnight(day + timedelta(days=1)) - 1


def _accounts(call: Call, steps: Iterable[PlanStep]) -> dict[int, Account]:
    """Those that still exist."""
    known = {}
    for id_ in _account_ids(steps):
        try:
            known[id_] = call.services.catalog.account(call.scope, AccountRef(id=id_))
        except AccountUnknown:
            continue
    return known


def _account_ids(steps: Iterable[PlanStep]) -> set[int]:
    ids = set()
    for step in steps:
        if step.script:
            ids.add(step.script.account_id)
        if step.file:
            ids |= {step.file.account_id, *(source.account_id for source in step.file.sources)}
    return ids


def _scripts(call: Call, scope: Scope, steps: Iterable[PlanStep]) -> dict[int, ScriptVersion]:
    """What steps that name a script execute, by the step's id; without those that can't be run any more."""
    found = {}
    for step in steps:
        if step.script and step.script.content is None:
            try:
                found[step.id] = call.services.catalog.script_version(scope, _ref(step.script))
            except (ScriptUnknown, ScriptNotExecutable):
                continue
    return found


def _ref(script: PlanScript) -> ScriptRef:
    return ScriptRef(version_id=script.script_version_id, script_id=script.script_id)
