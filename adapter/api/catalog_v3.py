"""v3 requests about accounts and job plans (contract d)."""

from __future__ import annotations

from adapter.api import checks
from adapter.api.call import Call
from adapter.api.reports import PlanReport
from adapter.errors import AccountUnknown, MissingOrInvalid
from adapter.job.commands import AccountRef
from adapter.job.model import Account
from adapter.job.plan import JobPlan
from adapter.service.pages import Page


def password_encryption(call: Call) -> str:
    """get_account_password_encryption_metadata: the key for passwords."""
    return call.services.password_key()


def create_account(call: Call) -> Account:
    """create_account."""
    return call.services.catalog.create_account(call.scope, user=call.caller.user, **call.fields)


def update_account(call: Call) -> Account:
    """update_account."""
    return call.services.catalog.update_account(call.scope, user=call.caller.user, **call.fields)


def delete_account(call: Call) -> None:
    """delete_account."""
    call.services.catalog.delete_account(call.scope, **call.fields)


def accounts(call: Call) -> Page[Account]:
    """get_account_list."""
    return call.services.catalog.get_account_list(call.scope, **call.fields)


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
