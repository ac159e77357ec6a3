"""docs/compatibility.md says of every name what is true."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

import pytest

from adapter.api.not_served import NOT_YET
from adapter.api.routes import SURFACES

TEXT = (Path(__file__).parents[2] / "docs" / "compatibility.md").read_text()
VERSIONS = ["v2", "v3", "v4"]

#: Contract a, c, d, i: what a client may ask for.
EXECUTION = {
    "v2": """
        execute_job execute_platform_job fast_execute_script fast_execute_sql fast_push_file push_config_file
        operate_step_instance operate_job_instance get_job_instance_status get_step_instance_status
        get_job_instance_log get_job_instance_global_var_value
    """,
    "v3": """
        fast_execute_script fast_execute_sql fast_transfer_file push_config_file execute_job_plan
        get_job_instance_list get_job_instance_status get_job_instance_ip_log batch_get_job_instance_ip_log
        get_job_instance_global_var_value operate_job_instance operate_step_instance get_step_instance_detail
        get_step_instance_status
    """,
    "v4": """
        fast_execute_script get_job_instance_status batch_get_job_instance_execute_object_log
        get_job_instance_list get_script_task_context get_file_task_context
    """,
}


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
def test_what_is_not_served_yet(version: str) -> None:
    """Such a name is answered 1241011, and has no endpoint."""
    assert _said(version, "not yet") == NOT_YET[version]
    assert not NOT_YET[version] & _said(version, "yes")


@pytest.mark.parametrize("version", VERSIONS)
def test_every_name_has_one_line(version: str) -> None:
    """And every execution API of the contract has one."""
    named = list(_named(version))
    assert len(named) == len(set(named))
    assert set(EXECUTION[version].split()) <= set(named)


def test_every_path_is_there() -> None:
    """Each prefix of a surface stands in the table of paths."""
    for surface in SURFACES:
        prefix = re.sub(r"/job-[a-z-]+$", "/SERVICE", surface.prefix)
        shown = f"`{prefix}/NAME" in TEXT or f"`…/{surface.version}/…`" in TEXT
        assert shown, f"{prefix} is not in docs/compatibility.md"
