"""get_job_instance_list while 1,000,000 jobs are stored: each filter, first and last pages, totals included."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from adapter.store.database import open_database
from tests.bench.million import DAY_MS, fill
from tests.bench.rows import Row
from tests.bench.world import Serving, World
from tests.support.postgres import Cluster

_JOBS, _DAYS, _SHARE = 1_000_000, 90, 40
_FIRST = 1_700_000_000_000
_ASKED_EACH = 20

#: A month of the business that has most of the jobs: 133,000 of them.
_FILTERS: Mapping[str, Mapping[str, Any]] = {
    "newest page": {},
    "page of 1000": {"length": 1000, "start": 2000},
    "middle page": {"start": 66_000},
    "last page": {"start": 133_900},
    "operator": {"operator": "user7"},
    "status": {"status": 4, "start": 6_000},
    "type": {"type": 1},
    "launch_mode": {"launch_mode": 2},
    "a name that a quarter has": {"name": "deploy", "start": 15_000},
    "a name that nobody has": {"name": "zzz"},
    "ip": {"ip": "10.0.3.27"},
    "ip and status": {"ip": "10.0.3.27", "status": 11},
    "operator, name and status": {"operator": "user7", "name": "deploy", "status": 3},
}

#: The same of v4, which tells no total and reaches no further than this.
_FILTERS_V4: Mapping[str, Mapping[str, Any]] = {
    "newest page": {},
    "the furthest page": {"offset": 10_000, "length": 200},
    "a name that a quarter has": {"name": "deploy", "offset": 10_000},
    "ip and status": {"ip": "10.0.3.27", "status": 11},
}

_V3, _V4 = "/api/c/compapi/v2/jobv3/get_job_instance_list/", "/api/v4/get_job_instance_list/"


def lists(world: World) -> list[Row]:
    """p99 of each filter on each database, through the API, one request at a time."""
    rows = []
    with Cluster(durable=True) as cluster:
        for name, url in (("SQLite", None), ("PostgreSQL", cluster.url())):
            environment = {} if url is None else {"ADAPTER_DATABASE_URL": url}
            with world.serving("--no-worker", environment=environment) as serving:
                engine = open_database(url or f"sqlite:///{serving.service.data_dir}/adapter.db")
                fill(engine, _JOBS, _FIRST, days=_DAYS, share=_SHARE)
                engine.dispose()
                v3, v4 = {"bk_biz_id": 2}, {"bk_scope_type": "biz", "bk_scope_id": "2"}
                rows += [_row(serving, name, _V3, what, {**v3, **asked}) for what, asked in _FILTERS.items()]
                rows += [
                    _row(serving, name, _V4, f"v4, {what}", {**v4, **asked})
                    for what, asked in _FILTERS_V4.items()
                ]
    return rows


def _row(serving: Serving, database: str, path: str, what: str, asked: Mapping[str, Any]) -> Row:
    assert serving.service.credentials is not None
    header = serving.service.credentials.in_header()
    month = {"create_time_start": _FIRST + 45 * DAY_MS, "create_time_end": _FIRST + 75 * DAY_MS}
    body = {**month, **asked}
    seconds = []
    found = 0
    for _ in range(_ASKED_EACH):
        began = time.perf_counter()
        reply = serving.service.post(path, body, header)
        seconds.append(time.perf_counter() - began)
        found = reply["data"].get("total", len(reply["data"].get("job_instance_list", ())))
    worst = sorted(seconds)[min(len(seconds) - 1, int(len(seconds) * 0.99))]
    return Row(
        line="lists",
        what=f"get_job_instance_list of 1,000,000, {what}, {database}: p99",
        ours=(worst,),
        must=0.2,
        also={"found": found, "median_s": sorted(seconds)[len(seconds) // 2]},
    )
