"""The application with all that the document's examples name: every id in them is one that is here."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import sqlalchemy as sa

from adapter.api.openapi.texts import texts
from adapter.config import Settings
from adapter.job.model import PUBLIC, FileLog, Scope
from adapter.job.status import HostStatus, RunStatus
from adapter.store.opening import Stores
from adapter.store.tables_credentials import credential

from .conftest import StoppedClock
from .described import example
from .real import Real, build

BIZ = Scope("biz", "1")
T0 = StoppedClock().now_ms()
#: Job 1 ran a script and failed, job 2 transferred a file, job 3 has not begun.
FAILED, TRANSFERRED, WAITING = 1, 2, 3


def staged(stores: Stores, settings: Settings) -> Real:
    """Everything in a store that has nothing in it yet."""
    real = build(stores, StoppedClock(), settings)
    for name in ("fast_execute_script", "fast_transfer_file", "fast_execute_script"):
        reply = real.job.v3(name, example("v3", name))
        assert reply["code"] == 0, reply
    _have_run(real)
    real.catalog.create_script_version(
        BIZ, user="admin", script_id=real.script_id, content="echo bye", version="2.0"
    )
    public = real.catalog.create_script(
        PUBLIC, user="admin", name="greet all", language=1, content="echo all", version="1.0"
    )
    of_public = {"user": "admin", "script_id": public.script_id}
    real.catalog.publish_script_version(PUBLIC, script_version_id=public.id, **of_public)
    real.catalog.create_script_version(PUBLIC, content="echo everybody", version="2.0", **of_public)
    rule = {**example("v3", "create_dangerous_rule"), "expression": "mkfs"}
    assert real.job.v3("create_dangerous_rule", rule)["code"] == 0
    _have_credential(real, stores)
    mirror = {**example("v3", "create_file_source"), "code": "mirror", "alias": "mirror"}
    assert real.job.v3("create_file_source", mirror)["code"] == 0
    cron = {"name": "weekly", "job_plan_id": real.plan_id, "expression": "0 4 * * 1"}
    variables = [{"name": "word", "value": "once a week"}]
    scope = {"bk_scope_type": BIZ.type, "bk_scope_id": BIZ.id}
    assert real.job.v3("save_cron", {**scope, **cron, "global_var_list": variables})["code"] == 0
    return real


def _have_credential(real: Real, stores: Stores) -> None:
    """That of the examples, whose id the service would have made up."""
    made = {**example("v3", "create_credential"), "name": "mirror"}
    assert real.job.v3("create_credential", made)["code"] == 0
    wanted = example("v3", "get_credential_detail")["id"]
    with stores.engine.begin() as connection:
        connection.execute(sa.update(credential).values(id=wanted))


def _have_run(real: Real) -> None:
    real.logs.append(FAILED, 0, 101, 0, b"hello\n")
    read = FileLog(
        bk_host_id=101, mode=0, src_host_id=101, src_path="/tmp/a", status=4, size=9, speed=9, progress=100
    )
    real.logs.save_file_logs(
        TRANSFERRED, 0, [read, replace(read, mode=1, dest_host_id=101, dest_path="/tmp/b/a", status=5)]
    )
    for job_id, status in ((FAILED, HostStatus.NON_ZERO_EXIT), (TRANSFERRED, HostStatus.COPY_FAILED)):
        job = real.jobs.get(job_id)
        assert job is not None
        (step,) = job.steps
        real.jobs.begin_job(job_id, T0 + 1)
        real.jobs.begin_step(step.id, T0 + 2)
        ended = [
            item.evolve(
                status=status, exit_code=3, start_time=T0 + 3, end_time=T0 + 4, log_bytes=6, log_kept=6
            )
            for item in real.jobs.hosts(step.id, 0)
        ]
        real.jobs.save_hosts(step.id, 0, ended)
        real.jobs.finish_step(step.id, RunStatus.FAILED, T0 + 5)
        real.jobs.finish_job(job_id, RunStatus.FAILED, T0 + 5)


def sent(real: Real, dialect: str, name: str) -> dict[str, Any]:
    """The example of an API as the document shows it, but for ids that are made up anew in each store."""
    body = example(dialect, name)
    if not isinstance(body.get("script_id"), str):
        return body
    if "public" not in name:
        return body | {"script_id": real.script_id}
    (public,) = real.catalog.get_script_list(PUBLIC).items
    return body | {"script_id": public.id}


#: The APIs that somebody has written an example of.
WRITTEN = sorted(
    (dialect, name) for dialect, apis in texts().apis.items() if dialect != "ext" for name in apis
)
