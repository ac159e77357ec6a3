"""Crons on a real service: launched to the second on real hosts, and told of when nobody was there."""

from __future__ import annotations

import math
import time
from typing import Any

import httpx

from tests.e2e.conftest import NewService
from tests.e2e.jobs import wait_until
from tests.lab import Lab
from tests.support.audits import agrees
from tests.support.service import Service

#: Host 104 is in another business, and 4711 is nowhere.
_PLAN = """
scope: {type: biz, id: "1"}
templates:
  - name: by the clock
    variables: [{id: 1, name: word, type: 1, value: the plan's}]
    steps:
      - {id: 4501, name: say, type: 1, target: {host_id_list: [101, 104, 4711]},
         script: {language: 1, account: root, content: 'echo "said by $word"; echo "$word" >> "$HOME/by-cron"'}}
    plans: [{id: 4500, name: by the clock}]
  - name: files by the clock
    steps:
      - {id: 4601, name: fetch, type: 2, target: {host_id_list: [101]},
         file: {account: root, target_path: /tmp/by-cron/,
                sources: [{account: root, files: [/etc/hostname], server: {host_id_list: [101]}},
                          {account: root, files: [/etc/passwd], server: {host_id_list: [104]}}]}}
    plans: [{id: 4600, name: files by the clock}]
"""
LATE = 1


def told(service: Service, api: str, /, **fields: Any) -> Any:
    """The data of v3's answer."""
    assert service.credentials is not None
    body = {**service.credentials.in_body(), "bk_biz_id": 1, **fields}
    reply = service.post(f"/api/c/compapi/v2/jobv3/{api}/", body)
    assert reply["code"] == 0, reply
    return reply["data"]


def one_off(service: Service, name: str, at: int, plan_id: int = 4500) -> int:
    """A started cron that is launched once; its id."""
    variables = [{"name": "word", "value": name}] if plan_id == 4500 else []
    fields = {"job_plan_id": plan_id, "name": name, "execute_time": at, "global_var_list": variables}
    cron = told(service, "save_cron", **fields)
    told(service, "update_cron_status", id=cron["id"], status=1)
    return int(cron["id"])


def runs(service: Service, cron_id: int) -> Any:
    """What became of its times."""
    assert service.credentials is not None
    url = f"{service.url}/api/ext/v1/crons/{cron_id}/runs?bk_biz_id=1"
    return httpx.get(url, headers=service.credentials.in_header(), trust_env=False).json()["data"]["data"]


def soon(seconds: float) -> int:
    """A full second, at least so far away."""
    return math.ceil(time.time() + seconds)


def test_a_killed_service_and_a_missed_time(lab: Lab, fresh_service: NewService) -> None:
    """A time comes: hosts that may run do, the others are 2, the step is 4. Another comes while nobody is there."""
    service = fresh_service()
    service.apply(_PLAN)
    at = soon(3)
    cron_id = one_off(service, "cron", at)
    files_id = one_off(service, "files", at, 4600)
    wait_until(lambda: runs(service, cron_id), "the cron's time", timeout=10)
    (run,) = runs(service, cron_id)
    assert (run["state"], run["fire_time"]) == ("launched", at * 1000)
    assert 0 <= run["told_time"] - at * 1000 <= 3000  # on an idle machine some milliseconds
    span = {"create_time_start": (at - 3600) * 1000, "create_time_end": (at + 3600) * 1000}
    (row,) = told(service, "get_job_instance_list", job_cron_id=cron_id, **span)["data"]
    job_id = row["job_instance_id"]
    assert (job_id, row["launch_mode"], row["operator"]) == (run["job_instance_id"], 3, "admin")
    status = service.finished(1, job_id)
    (step,) = status["step_instance_list"]
    assert (status["job_instance"]["status"], step["status"]) == (4, 4)
    states = {one["bk_host_id"]: one["status"] for one in step["step_ip_result_list"]}
    assert states == {101: 9, 104: 2, 4711: 2}
    assert service.log_of(1, job_id, step["step_instance_id"], 101) == "said by cron\n"
    (run,) = runs(service, files_id)
    status = service.finished(1, run["job_instance_id"])
    (step,) = status["step_instance_list"]
    assert step["status"] == 4
    entries = service.file_logs_of(1, run["job_instance_id"], step["step_instance_id"], 101)
    downloads = {entry["src_ip"]["bk_host_id"]: entry["status"] for entry in entries if entry["mode"] == 1}
    assert downloads == {101: 4, 104: 5}  # what 104 has is never read
    agrees(service.data_dir, lab.inventory, with_hosts=False)

    missed_at = soon(3)
    missed_id = one_off(service, "missed", missed_at)
    next_id = one_off(service, "next", missed_at + 3600)
    service.kill()
    assert time.time() < missed_at
    service.options = ("--cron-late-seconds", str(LATE))
    time.sleep(max(0.0, missed_at + LATE + 0.2 - time.time()))
    service.start()
    wait_until(lambda: runs(service, missed_id), "word of the missed time", timeout=10)
    (run,) = runs(service, missed_id)
    assert (run["state"], run["fire_time"], run["job_instance_id"]) == ("missed", missed_at * 1000, None)
    assert '"cron_missed"' in service.log()
    assert told(service, "get_cron_detail", id=missed_id)["status"] == 0
    assert told(service, "get_cron_detail", id=next_id)["status"] == 1
    assert len(runs(service, cron_id)) == 1
