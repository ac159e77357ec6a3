"""Every API says what it does to the world: view, launch, operate or manage (design D11)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pytest

from adapter.api.records import RECORDS
from adapter.api.routes import SURFACES
from adapter.api.streams import STREAMS
from adapter.job.actions import Action

#: Whoever adds an API that is not VIEW writes its name here as well: so two people have thought of it.
#: Names that begin with get_, query_, check_ or batch_get_ only read; any other is in one of these lists.
WRITES: Mapping[Action, str] = {
    Action.LAUNCH: """
        fast_execute_script fast_execute_sql fast_transfer_file fast_push_file push_config_file
        execute_job_plan execute_job execute_platform_job
        bkci_plugin_fast_execute_script bkci_plugin_fast_transfer_file
    """,
    Action.OPERATE: "operate_job_instance operate_step_instance",
    Action.MANAGE: """
        create_account update_account delete_account
        create_script create_script_version update_script_basic update_script_version publish_script_version
        disable_script_version delete_script delete_script_version
        create_public_script create_public_script_version update_public_script_basic
        update_public_script_version publish_public_script_version disable_public_script_version
        delete_public_script delete_public_script_version
        create_dangerous_rule update_dangerous_rule enable_dangerous_rule disable_dangerous_rule
        delete_dangerous_rule
        create_credential update_credential create_file_source update_file_source
        generate_local_file_upload_url
        save_cron update_cron_status delete_cron
        create_job_plan
    """,
}
READS = (
    "get_",
    "query_",
    "check_",
    "batch_get_",
    "bkci_plugin_get_",
    "bkci_plugin_batch_get_",
    "callback_protocol",
)


def expected(name: str) -> Action:
    """What an API of JOB's of that name does."""
    found = [action for action, names in WRITES.items() if name in names.split()]
    if not found and name.startswith(READS):
        return Action.VIEW
    assert len(found) == 1, f"{name}: say in WRITES of {__file__} whether it launches, operates or manages"
    return found[0]


def served() -> Iterator[tuple[str, str, Action]]:
    """Where, which name, and what it says of itself."""
    for surface in SURFACES:
        for name, found in surface.endpoints.items():
            yield surface.prefix, name, found.action


def test_every_api_of_every_surface_is_what_its_name_says() -> None:
    """An API that writes can't pass for one that reads, nor the other way round, anywhere."""
    wrong = [
        f"{prefix}/{name}: is {action!r}, its name says {expected(name)!r}; give its endpoint() that `action=`"
        for prefix, name, action in served()
        if action is not expected(name)
    ]
    assert not wrong, "\n".join(wrong)


def test_no_name_stands_for_two_things() -> None:
    """Not even in different dialects."""
    names = [name for found in WRITES.values() for name in found.split()]
    assert len(names) == len(set(names))
    assert not [name for name in names if name.startswith(READS)]


@pytest.mark.parametrize("path", [one.path for one in (*RECORDS, *STREAMS)])
def test_what_is_beside_jobs_apis_reads(path: str) -> None:
    """Records and streams below /api/ext/v1 say so one by one, too."""
    found = next(one for one in (*RECORDS, *STREAMS) if one.path == path)
    assert found.action is Action.VIEW
