"""v3 requests about accounts, scripts and job plans (contract d)."""

from __future__ import annotations

from adapter.api import checks
from adapter.api.call import Call
from adapter.api.reports import PlanReport, VersionPage
from adapter.errors import AccountUnknown, MissingOrInvalid
from adapter.job.commands import AccountRef
from adapter.job.model import Account, Script, ScriptVersion
from adapter.job.plan import JobPlan
from adapter.service.pages import Page


def password_encryption(call: Call) -> str:
    """get_account_password_encryption_metadata: the key for host_password_list."""
    return call.services.password_key()


def create_account(call: Call) -> Account:
    """create_account."""
    return call.services.catalog.create_account(call.scope, user=call.caller.user, **call.fields)


def accounts(call: Call) -> Page[Account]:
    """get_account_list."""
    return call.services.catalog.get_account_list(call.scope, **call.fields)


def create_script(call: Call) -> ScriptVersion:
    """create_script."""
    fields = dict(call.fields)
    language = fields.pop("script_language")
    checks.check_language("script_language", language)
    return call.services.catalog.create_script(call.scope, user=call.caller.user, language=language, **fields)


def create_script_version(call: Call) -> ScriptVersion:
    """create_script_version."""
    return call.services.catalog.create_script_version(call.scope, user=call.caller.user, **call.fields)


def publish_script_version(call: Call) -> ScriptVersion:
    """publish_script_version."""
    return call.services.catalog.publish_script_version(call.scope, user=call.caller.user, **call.fields)


def scripts(call: Call) -> Page[Script]:
    """get_script_list."""
    fields = dict(call.fields)
    language = fields.pop("script_language")
    return call.services.catalog.get_script_list(call.scope, language=language, **fields)


def script_versions(call: Call) -> VersionPage:
    """get_script_version_list."""
    fields = dict(call.fields)
    with_content = fields.pop("return_script_content")
    page = call.services.catalog.get_script_version_list(call.scope, **fields)
    return VersionPage(page=page, with_content=with_content)


def script_version(call: Call) -> ScriptVersion:
    """get_script_version_detail."""
    return call.services.catalog.get_script_version_detail(
        call.scope, version_id=call["id"], script_id=call["script_id"], version=call["version"]
    )


def plans(call: Call) -> Page[JobPlan]:
    """get_job_plan_list."""
    return call.services.catalog.get_job_plan_list(
        call.scope,
        template_id=call["job_template_id"],
        create_time=(call["create_time_start"], call["create_time_end"]),
        last_modify_time=(call["last_modify_time_start"], call["last_modify_time_end"]),
        **{name: call[name] for name in ("name", "creator", "last_modify_user", "start", "length")},
    )


def plan(call: Call) -> PlanReport:
    """get_job_plan_detail."""
    plan_id = checks.require_id("job_plan_id", call["job_plan_id"], MissingOrInvalid)
    found = call.services.catalog.get_job_plan_detail(call.scope, plan_id=plan_id)
    return PlanReport(plan=found, accounts=_accounts(call, found), hosts=call.services.hosts)


def _accounts(call: Call, found: JobPlan) -> dict[int, Account]:
    known = {}
    for id_ in _account_ids(found):
        try:
            known[id_] = call.services.catalog.account(found.scope, AccountRef(id=id_))
        except AccountUnknown:
            continue
    return known


def _account_ids(found: JobPlan) -> set[int]:
    ids = set()
    for step in found.steps:
        if step.script:
            ids.add(step.script.account_id)
        if step.file:
            ids |= {step.file.account_id, *(source.account_id for source in step.file.sources)}
    return ids
