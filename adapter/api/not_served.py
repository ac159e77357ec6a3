"""Names of JOB's that are answered "not supported yet" (1241011); docs/compatibility.md says the same."""

from __future__ import annotations

from collections.abc import Mapping

_MANAGEMENT = """
    create_file_source generate_local_file_upload_url
    get_file_source_detail
    get_job_template_list
    update_file_source
"""


def _names(*texts: str) -> frozenset[str]:
    return frozenset(name for text in texts for name in text.split())


#: By version of the API.
NOT_YET: Mapping[str, frozenset[str]] = {
    "v2": _names(
        """
        get_job_list get_job_detail
        """
    ),
    "v3": _names(
        _MANAGEMENT,
    ),
    "v4": _names(
        """
        create_job_plan get_job_template_detail
        get_user_authorized_scopes
        """
    )
    - {"get_user_authorized_scopes"},
}
