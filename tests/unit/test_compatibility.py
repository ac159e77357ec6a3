"""docs/compatibility.md says of every name what is true."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

import pytest

from adapter.api.routes import SURFACES

TEXT = (Path(__file__).parents[2] / "docs" / "compatibility.md").read_text()
VERSIONS = ["v2", "v3", "v4"]

#: Contract a and i: every name that a client may ask for.
NAMES = {
    "v2": """
        execute_job execute_platform_job fast_execute_script fast_execute_sql fast_push_file push_config_file
        operate_step_instance operate_job_instance get_job_instance_status get_step_instance_status
        get_job_instance_log get_job_instance_global_var_value get_job_list get_job_detail get_script_list
        get_public_script_list get_script_detail get_os_account get_own_db_account_list get_cron_list save_cron
        update_cron_status
    """,
    "v3": """
        fast_execute_script fast_execute_sql fast_transfer_file push_config_file execute_job_plan
        get_job_instance_list get_job_instance_status get_job_instance_ip_log batch_get_job_instance_ip_log
        get_job_instance_global_var_value operate_job_instance operate_step_instance get_step_instance_detail
        get_step_instance_status bkci_plugin_fast_execute_script bkci_plugin_fast_transfer_file
        bkci_plugin_get_job_instance_status bkci_plugin_batch_get_job_instance_execute_object_log
        get_account_list get_account_password_encryption_metadata create_account
        get_credential_detail create_credential update_credential get_cron_detail get_cron_list save_cron
        update_cron_status delete_cron get_file_source_detail create_file_source update_file_source
        get_job_plan_detail get_job_plan_list get_job_template_list get_notify_config
        get_public_script_list get_public_script_version_detail get_public_script_version_list get_script_list
        get_script_version_detail get_script_version_list get_dangerous_rule_list create_dangerous_rule
        update_dangerous_rule enable_dangerous_rule disable_dangerous_rule delete_dangerous_rule check_script
        generate_local_file_upload_url get_latest_service_version query_agent_info
    """,
    "v4": """
        fast_execute_script get_job_instance_status batch_get_job_instance_execute_object_log
        get_job_instance_list get_script_task_context get_file_task_context create_job_plan
        get_job_template_detail get_user_authorized_scopes
    """,
}
#: The same: names that stand for GSE, or for documentation alone.
NEVER = {"v2": set(), "v3": {"callback_protocol", "query_gse_task", "query_job_instance"}, "v4": set()}


def _said(version: str, word: str) -> set[str]:
    """The names of a version's table with this word."""
    section = TEXT.split(f"\n## {version}\n")[1].split("\n## ")[0]
    return set(re.findall(rf"^\| `([a-z_]+)` \| {word} \|", section, re.MULTILINE))


def _named(version: str) -> Iterable[str]:
    section = TEXT.split(f"\n## {version}\n")[1].split("\n## ")[0]
    return re.findall(r"^\| `([a-z_]+)` \|", section, re.MULTILINE)


@pytest.mark.parametrize("version", VERSIONS)
def test_what_is_served(version: str) -> None:
    """No name is there that the tables do not have, and none is missing."""
    served = {name for one in SURFACES if one.version == version for name in one.endpoints}
    assert _said(version, "yes") == served


@pytest.mark.parametrize("version", VERSIONS)
def test_every_name_of_the_contract_is_served(version: str) -> None:
    """Or its line says why it never will be; no name has two."""
    named = list(_named(version))
    assert len(named) == len(set(named))
    assert set(NAMES[version].split()) <= _said(version, "yes")
    assert _said(version, "never") == NEVER[version]


def test_every_path_is_there() -> None:
    """Each prefix of a surface stands in the table of paths."""
    for surface in SURFACES:
        prefix = re.sub(r"/job-[a-z-]+$", "/SERVICE", surface.prefix)
        shown = f"`{prefix}/NAME" in TEXT or f"`…/{surface.version}/…`" in TEXT
        assert shown, f"{prefix} is not in docs/compatibility.md"
