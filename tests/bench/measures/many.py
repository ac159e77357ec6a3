"""One job on 50,000 hosts: what it costs to have, and what others notice of it. It is not run to its end."""

from __future__ import annotations

import http.client
import json
import statistics
import time
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import yaml

from tests.bench import processes
from tests.bench.client import BIZ, headers, script_body
from tests.bench.rows import Row
from tests.bench.world import Serving, World, ids

_HOSTS = 50_000
_FIRST_ID = 1_000_000  #: of hosts that the lab does not know
_SECONDS = 60.0  #: that the job runs before it is terminated
_READY_IN = 300.0
_RUNS = 5  #: of what is asked and launched beside it
_QUIET = 20  #: polls whose processor time is measured together
_SUCCEEDED = 9


@dataclass
class _Seen:
    """What one big job showed, in seconds and MB."""

    answered: float = 0.0
    first_host: float = 0.0
    terminated: float = 0.0
    own_mb: float = 0.0
    all_mb: float = 0.0
    ended_hosts: int = 0
    status: dict[str, list[float]] = field(default_factory=lambda: {"v3": [], "v4": []})  #: the first at once
    status_cpu: dict[str, float] = field(default_factory=dict)
    status_mb: dict[str, float] = field(default_factory=dict)
    lists: list[float] = field(default_factory=list)
    small_jobs: list[float] = field(default_factory=list)


def many(world: World) -> list[Row]:
    """50,000 hosts of one business."""
    return _rows(world, _HOSTS, _SECONDS)


def _rows(world: World, number: int, seconds: float) -> list[Row]:
    inventory = _inventory(world, number)
    host_ids = ids(world.hosts(1))
    began = time.perf_counter()
    with world.serving(inventory=inventory, ready_in=_READY_IN) as serving:
        ready = time.perf_counter() - began
        serving.warm_up(host_ids)
        alone = _Seen()
        _beside(serving, host_ids, alone)
        seen = _Seen()
        with serving.memory_peak() as memory:
            _run(serving, host_ids, seen, number, seconds)
        seen.own_mb, seen.all_mb = memory.own_mb, memory.mb
    return _told(alone, seen, number, ready)


def _inventory(world: World, number: int) -> Path:
    """So many names of the lab's hosts, in turns: what runs on one is told apart by the name's id."""
    tree = yaml.safe_load((world.lab.inventory / "hosts.yml").read_text())
    lab = tree["all"]["children"]["lab"]
    real = {host.name: lab["hosts"][host.name] for host in world.lab.hosts}
    given = list(real.values())
    names = {
        f"many-{n}": {
            **given[n % len(given)],
            "bk_host_id": _FIRST_ID + n,
            "bk_cloud_id": 1 + n // len(given),
        }
        for n in range(number)
    }
    lab["hosts"] = {**real, **names}
    lab["children"] = {
        f"biz_{BIZ}": {
            "hosts": {name: {} for name in real},
            "children": {"module_7": {"hosts": {name: {} for name in names}}},
        }
    }
    path = world.place("many") / "hosts.yml"
    path.write_text(json.dumps({"all": {"children": {"lab": lab}}}))  # YAML that is read fast
    return path.parent


def _run(serving: Serving, host_ids: list[int], seen: _Seen, number: int, seconds: float) -> None:
    client = serving.client
    began = time.perf_counter()
    nodes = {"topo_node_list": [{"id": 7, "node_type": "module"}]}
    launched = client.call("fast_execute_script", **script_body("echo hello", []) | {"target_server": nodes})
    seen.answered = time.perf_counter() - began
    job = launched["job_instance_id"]
    _ask_status(serving, job, seen)
    while not client.log(launched, _FIRST_ID):
        assert time.perf_counter() - began < _READY_IN, "no host has begun"
        time.sleep(0.1)
    seen.first_host = time.perf_counter() - began
    until = time.perf_counter() + seconds
    while time.perf_counter() < until or len(seen.small_jobs) < _RUNS:
        _beside(serving, host_ids, seen, runs=1)
        _ask_status(serving, job, seen)
    seen.ended_hosts = _succeeded(serving, job)
    stopped = time.perf_counter()
    client.call("operate_job_instance", job_instance_id=job, operation_code=1)
    while not client.call("get_job_instance_status", job_instance_id=job)["finished"]:
        time.sleep(0.1)
    seen.terminated = time.perf_counter() - stopped
    seen.status_cpu = {version: _status_cpu(serving, job, version) for version in seen.status}


def _ask_status(serving: Serving, job: int, seen: _Seen) -> None:
    """In each dialect, once."""
    for version, taken in seen.status.items():
        seconds, body = _status(serving, job, version)
        taken.append(seconds)
        seen.status_mb[version] = len(body) / 1e6


def _status_cpu(serving: Serving, job: int, version: str) -> float:
    """Seconds of the service's processor time for one of them, once nothing else is left to do."""
    _status(serving, job, version)
    before = processes.cpu_seconds([serving.pid])
    for _ in range(_QUIET):
        _status(serving, job, version)
    return (processes.cpu_seconds([serving.pid]) - before) / _QUIET


def _beside(serving: Serving, host_ids: list[int], seen: _Seen, runs: int = _RUNS) -> None:
    """A list of jobs and a small job, so often."""
    now = int(time.time() * 1000)
    for _ in range(runs):
        began = time.perf_counter()
        serving.client.call(
            "get_job_instance_list", create_time_start=now - 3_600_000, create_time_end=now + 60_000
        )
        seen.lists.append(time.perf_counter() - began)
        seen.small_jobs.append(serving.client.run("echo hello", host_ids))


def _status(serving: Serving, job: int, version: str) -> tuple[float, bytes]:
    """Seconds until the whole answer with all hosts is here, and the answer."""
    hosts = {"v3": "return_ip_result", "v4": "return_execute_object_result"}[version]
    wanted = {"bk_scope_type": "biz", "bk_scope_id": str(BIZ), "job_instance_id": job, hosts: True}
    connection = http.client.HTTPConnection(urlsplit(serving.service.url).netloc, timeout=60)
    began = time.perf_counter()
    path = f"/api/bk-job/prod/api/{version}/get_job_instance_status/"
    connection.request("POST", path, json.dumps(wanted), headers(serving.service))
    body = connection.getresponse().read()
    taken = time.perf_counter() - began
    connection.close()
    return taken, body


def _succeeded(serving: Serving, job: int) -> int:
    """How many hosts read success."""
    told = json.loads(_status(serving, job, "v3")[1])["data"]["step_instance_list"][0]
    return sum(host["status"] == _SUCCEEDED for host in told["step_ip_result_list"])


def _told(alone: _Seen, seen: _Seen, number: int, ready: float) -> list[Row]:
    what = f"a job on {number:,} hosts"
    median = statistics.median
    return [
        Row(
            line="many", what=f"{what}: answered", ours=(seen.answered,), must=3,
            also={"inventory_read_s": ready, "first_output_s": seen.first_host,
                  "succeeded_when_terminated": seen.ended_hosts, "terminate_s": seen.terminated},
        ),
        Row(
            line="many", what=f"{what}: memory of the service", unit="MB", ours=(seen.own_mb,), must=500,
            also={"with_all_it_started_mb": seen.all_mb},
        ),
        *(
            Row(
                line="many", what=f"{what}: first {version} status with all of them", ours=(first,), must=1,
            )
            for version, (first, *_) in seen.status.items()
        ),
        *(
            Row(
                line="many", what=f"{what}: later {version} status with all of them", ours=tuple(later), must=1,
                also={"mb": seen.status_mb[version], "worst_s": max(later),
                      "processor_ms": 1000 * seen.status_cpu[version]},
            )
            for version, (_, *later) in seen.status.items()
        ),
        Row(
            line="many", what=f"{what}: list of jobs beside it", unit="ms",
            ours=(1000 * median(seen.lists),), beside="without it", theirs=(1000 * median(alone.lists),),
        ),
        Row(
            line="many", what=f"{what}: one host's job beside it", ours=(median(seen.small_jobs),),
            beside="without it", theirs=(median(alone.small_jobs),),
        ),
    ]  # fmt: skip
