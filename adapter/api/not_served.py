"""Names of JOB's that are answered "not supported yet" (1241011); docs/compatibility.md says the same."""

from __future__ import annotations

from collections.abc import Mapping

_PUBLIC_SCRIPTS = """
    create_public_script create_public_script_version delete_public_script delete_public_script_version
    disable_public_script_version get_public_script_list get_public_script_version_detail
    get_public_script_version_list publish_public_script_version update_public_script_basic
    update_public_script_version
"""
_MANAGEMENT = """
    create_credential create_file_source delete_account
    delete_script delete_script_version disable_script_version
    generate_local_file_upload_url
    get_credential_detail get_file_source_detail
    get_job_template_list get_latest_service_version get_notify_config update_account
    update_credential update_file_source update_script_basic
    update_script_version
"""


def _names(*texts: str) -> frozenset[str]:
    return frozenset(name for text in texts for name in text.split())


#: By version of the API.
NOT_YET: Mapping[str, frozenset[str]] = {
    "v2": _names(
        """
        get_job_list get_job_detail get_script_list get_public_script_list get_script_detail get_os_account
        get_own_db_account_list
        """
    ),
    "v3": _names(
        _MANAGEMENT,
        _PUBLIC_SCRIPTS,
    ),
    "v4": _names(
        """
        create_job_plan get_job_template_detail
        get_user_authorized_scopes
        """
    ),
}
