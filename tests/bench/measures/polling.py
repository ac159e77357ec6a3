"""What a client waits for get_job_instance_status when there are many jobs and many clients."""

from __future__ import annotations

import time
from itertools import islice

import sqlalchemy as sa

from adapter.config import Settings
from adapter.job.model import Host, JobInstance, Scope, ScriptTask, StepInstance
from adapter.job.status import HostStatus, RunStatus, StepType, TaskType
from adapter.store import job_rows, tables
from adapter.store.opening import Stores, open_store
from tests.bench.client import BIZ
from tests.bench.clients import many_clients
from tests.bench.rows import Row
from tests.bench.world import Serving, World

_JOBS = 100_000
_CLIENTS = 50
_SECONDS = 8.0
_BATCH = 5_000


def status(world: World) -> list[Row]:
    """100,000 jobs, 50 clients asking for any of them with its hosts: at once again, and twice a second each."""
    busy, paced, rates = [], [], []
    with world.serving("--no-worker") as serving:
        job_ids = store_jobs(serving, _JOBS)
        bodies = [
            {"job_instance_id": id_, "return_ip_result": True} for id_ in job_ids[:: len(job_ids) // 5000]
        ]
        for _ in range(world.runs):
            slow = many_clients(
                serving, "get_job_instance_status", bodies, clients=_CLIENTS, seconds=_SECONDS, pause=0.5
            )
            paced.append(1000 * slow.percentile(0.99))
            fast = many_clients(
                serving, "get_job_instance_status", bodies, clients=_CLIENTS, seconds=_SECONDS
            )
            busy.append(1000 * fast.percentile(0.99))
            rates.append(fast.a_second)
    what = f"get_job_instance_status p99, {_JOBS:,} jobs, {_CLIENTS} clients"
    return [
        Row(line="status", what=f"{what}, each twice a second", unit="ms", ours=tuple(paced), must=50, aim=15),
        Row(
            line="status", what=f"{what}, each again at once", unit="ms", ours=tuple(busy), must=50, aim=15,
            also={"requests_a_second": sorted(rates)[len(rates) // 2]},
        ),
    ]  # fmt: skip


def store_jobs(serving: Serving, number: int) -> list[int]:
    """Finished jobs of one script on one host, through the store's own tables; their ids."""
    stores = open_store(Settings(data_dir=serving.service.data_dir))
    try:
        jobs = _insert(stores, tables.job_instance, [_job_values()] * number)
        steps = _insert(stores, tables.step_instance, [_step_values(stores, id_) for id_ in jobs])
        _insert(stores, tables.host_result, [_host_values(id_) for id_ in steps])
    finally:
        stores.close()
    return jobs


def _insert(stores: Stores, table: sa.Table, rows: list[dict[str, object]]) -> list[int]:
    """The ids of the new rows if the table gives them; nothing else writes it meanwhile."""
    rest = iter(rows)
    with stores.engine.begin() as connection:
        while batch := list(islice(rest, _BATCH)):
            connection.execute(sa.insert(table), batch)
        if "id" not in table.c:
            return []
        newest = sa.select(table.c.id).order_by(table.c.id.desc()).limit(len(rows))
        return sorted(connection.scalars(newest))


def _job_values() -> dict[str, object]:
    now = int(time.time() * 1000)
    job = JobInstance(
        scope=Scope("biz", str(BIZ)), name="stored", type=TaskType.SCRIPT, plan_id=-1, template_id=-1,
        operator="admin", app_code="bench", status=RunStatus.SUCCESS,
        create_time=now, start_time=now, end_time=now,
    )  # fmt: skip
    return job_rows.job_values(job)


def _step_values(stores: Stores, job_id: int) -> dict[str, object]:
    now = int(time.time() * 1000)
    step = StepInstance(
        job_instance_id=job_id, step_id=-1, name="stored", type=StepType.SCRIPT, status=RunStatus.SUCCESS,
        script=ScriptTask(language=1, content="echo hello\n" * 20, account_id=1),
        create_time=now, start_time=now, end_time=now,
    )  # fmt: skip
    return job_rows.step_values(step, stores.box)


def _host_values(step_id: int) -> dict[str, object]:
    host = Host(bk_host_id=101, bk_cloud_id=0, ip="10.0.0.1", name="stored")
    return {**job_rows.host_values(step_id, 0, 0, host), "status": int(HostStatus.SUCCESS), "exit_code": 0}
