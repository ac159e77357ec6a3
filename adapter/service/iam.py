"""JOB's permission object: the action that a caller lacks, in the words of BlueKing's IAM (contract b3).

Ids of actions and types of resources are JOB's own. There is no IAM here: what an application or user may do is
registered with `adapter app` and `adapter permission`, and is bound to businesses, and so is the object.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from adapter.job.actions import Action
from adapter.job.model import Account, Scope

ACCESS_BUSINESS = "access_business"
DANGEROUS_RULES = "high-risk_detect_rule"
PUBLIC_SCRIPTS = "manage_public_script_instance"
USE_ACCOUNT = "use_account"

_JOB = ("bk_job", "JOB")
_CMDB = ("bk_cmdb", "Configuration System")
_RESOURCE_TYPES = {"biz": ("biz", "Business"), "biz_set": ("business_set", "Business Set")}

_NAMES: Mapping[str, str] = {
    ACCESS_BUSINESS: "Access Business",
    "quick_execute_script": "Quick Execute Script",
    "quick_transfer_file": "Quick Transfer File",
    "launch_job_plan": "Launch Job Plan",
    "view_history": "View History",
    "view_script": "View Script",
    "create_script": "Create Script",
    "manage_script": "Manage Script",
    "create_public_script": "Create Public Script",
    PUBLIC_SCRIPTS: "Manage Public Script",
    "view_job_template": "View Job Template",
    "view_job_plan": "View Job Plan",
    "create_job_plan": "Create Job Plan",
    "create_account": "Create Account",
    "manage_account": "Manage Account",
    USE_ACCOUNT: "Use Account",
    "create_ticket": "Create Ticket",
    "manage_ticket": "Manage Ticket",
    "view_file_source": "View File Source",
    "create_file_source": "Create File Source",
    "manage_file_source": "Manage File Source",
    "manage_cron": "Manage Cron",
    "notification_setting": "Notification Setting",
    DANGEROUS_RULES: "High-Risk Detect Rules",
}

#: IAM's action of APIs by name; what is not here is of the kind that comes below.
_OF_APIS: Mapping[str, str] = {
    name: action
    for action, names in {
        "quick_execute_script": "fast_execute_script fast_execute_sql bkci_plugin_fast_execute_script",
        "quick_transfer_file": """fast_transfer_file fast_push_file push_config_file
            bkci_plugin_fast_transfer_file generate_local_file_upload_url""",
        "launch_job_plan": "execute_job_plan execute_job execute_platform_job",
        "view_script": "get_script_list get_script_version_list get_script_version_detail get_script_detail",
        "create_script": "create_script",
        "manage_script": """create_script_version update_script_basic update_script_version
            publish_script_version disable_script_version delete_script delete_script_version""",
        "create_public_script": "create_public_script",
        PUBLIC_SCRIPTS: """create_public_script_version update_public_script_basic
            update_public_script_version publish_public_script_version disable_public_script_version
            delete_public_script delete_public_script_version""",
        "view_job_template": "get_job_template_list get_job_template_detail",
        "view_job_plan": "get_job_plan_list get_job_plan_detail get_job_list get_job_detail",
        "create_job_plan": "create_job_plan",
        "create_account": "create_account",
        "manage_account": "update_account delete_account",
        "create_ticket": "create_credential",
        "manage_ticket": "update_credential get_credential_detail",
        "view_file_source": "get_file_source_detail",
        "create_file_source": "create_file_source",
        "manage_file_source": "update_file_source",
        "manage_cron": "get_cron_list get_cron_detail save_cron update_cron_status delete_cron",
        "notification_setting": "get_notify_config",
        DANGEROUS_RULES: """create_dangerous_rule update_dangerous_rule enable_dangerous_rule
            disable_dangerous_rule delete_dangerous_rule get_dangerous_rule_list""",
        ACCESS_BUSINESS: "get_account_list get_os_account get_own_db_account_list",
    }.items()
    for name in names.split()
}

#: What remains: what is asked of job instances, and what stands beside JOB's APIs.
_OF_KINDS: Mapping[Action, str] = {
    Action.VIEW: "view_history",
    Action.LAUNCH: "quick_execute_script",
    Action.OPERATE: "launch_job_plan",  # JOB asks of whoever operates a job what it asks of who launches it
    Action.MANAGE: ACCESS_BUSINESS,
}


def action_of(api: str, action: Action) -> str:
    """IAM's id for what an API of that name and kind does."""
    return _OF_APIS.get(api, _OF_KINDS[action])


def lacking(iam_action: str, scopes: Sequence[Scope] = ()) -> dict[str, Any]:
    """The permission object of an action in these businesses, or of one that is of none."""
    return _permission(
        iam_action, [_resource(_CMDB, *_RESOURCE_TYPES[one.type], one.id, str(one)) for one in scopes]
    )


def lacking_account(account: Account) -> dict[str, Any]:
    """The permission object of running as an account."""
    return _permission(USE_ACCOUNT, [_resource(_JOB, "account", "Account", str(account.id), account.alias)])


def _permission(iam_action: str, resources: list[dict[str, Any]]) -> dict[str, Any]:
    action = {"id": iam_action, "name": _NAMES[iam_action], "related_resource_types": resources}
    return {"system_id": _JOB[0], "system_name": _JOB[1], "actions": [action]}


def _resource(system: tuple[str, str], kind: str, kind_name: str, id_: str, name: str) -> dict[str, Any]:
    return {
        "system_id": system[0],
        "system_name": system[1],
        "type": kind,
        "type_name": kind_name,
        "instances": [[{"type": kind, "type_name": kind_name, "id": id_, "name": name}]],
    }
