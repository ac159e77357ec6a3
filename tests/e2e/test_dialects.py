"""One job on real hosts, as every dialect and every way in tells it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx

from tests.e2e.conftest import NewService
from tests.e2e.jobs import Jobs, Source
from tests.lab import Lab
from tests.support.gateway import NOW, gateway
from tests.support.service import Service, b64

SCOPE = {"bk_scope_type": "biz", "bk_scope_id": "1"}


def _v4(service: Service, name: str, status: int = 200, **fields: Any) -> Any:
    """What v4 answers at JOB's own gateway: its data, or its error."""
    assert service.credentials is not None
    reply = httpx.post(
        f"{service.url}/api/bk-job/prod/api/v4/{name}/",
        json={**SCOPE, **fields},
        headers=service.credentials.in_header(),
        trust_env=False,
    )
    assert reply.status_code == status, reply.text
    return reply.json()["data" if status == 200 else "error"]


def test_a_script_by_v4(service: Service) -> None:
    """Launched, followed and read in v4's words; refused in them, too."""
    launched = _v4(
        service,
        "fast_execute_script",
        script_content=b64("echo v4 $1"),
        script_language=1,
        script_param=b64("é"),
        account_alias="root",
        execute_target={"host_list": [{"bk_host_id": 101}, {"bk_host_id": 102}]},
    )
    job = launched["job_instance_id"]
    service.finished(1, job)
    status = _v4(service, "get_job_instance_status", job_instance_id=job, return_execute_object_result=True)
    results = status["step_instance_list"][0]["step_execute_object_result_list"]
    assert [
        (item["execute_object"]["resource_id"], item["status"], item["exit_code"]) for item in results
    ] == [
        ("101", 9, 0),
        ("102", 9, 0),
    ]
    logs = _v4(
        service,
        "batch_get_job_instance_execute_object_log",
        job_instance_id=job,
        step_instance_id=launched["step_instance_id"],
        host_id_list=[102],
    )
    assert [item["log_content"] for item in logs["script_step_execute_object_logs"]] == ["v4 é\n"]
    error = _v4(service, "get_job_instance_status", 404, job_instance_id=2**62)
    assert error["details"][0]["code"] == "1244006"


def test_groups_have_the_tags_that_scripts_print(jobs: Jobs, service: Service) -> None:
    """job_success and job_fail, each group with its hosts; a search finds what one of them printed."""
    text = 'echo "mark-$1"; echo "[2026-01-01 00:00:00][1] job_%s:[%s]"; exit %d'
    good = jobs.script(text % ("success", "all good", 0), 101, 102, param="one")
    bad = jobs.script(text % ("fail", "no disk", 3), 101)
    for job, expected in ((good, [(9, "all good", 2)]), (bad, [(104, "no disk", 1)])):
        assert job.end["finished"]
        ids: dict[str, Any] = {"job_instance_id": job.id, "step_instance_id": job.step_id}
        status = service.data("get_step_instance_status", **SCOPE, **ids)
        groups = status["step_result_group_list"]
        assert [(group["result_type"], group["tag"], group["host_size"]) for group in groups] == expected
    ids = {"job_instance_id": good.id, "step_instance_id": good.step_id}
    for word, size in (("mark-one", 2), ("mark-two", 0)):
        status = service.data("get_step_instance_status", **SCOPE, **ids, keyword=word)
        assert [group["host_size"] for group in status["step_result_group_list"]] == [size]
    detail = service.data("get_step_instance_detail", **SCOPE, **ids)
    assert (detail["script_info"]["script_param"], detail["script_info"]["account"]["alias"]) == (
        "one",
        "root",
    )
    v2 = service.data("get_step_instance_status", "job", bk_biz_id=1, **ids)
    assert (v2["is_finished"], v2["step_instance_detail"]["success_ip_num"]) == (True, 2)


def test_uploads_and_downloads_of_files(lab: Lab, jobs: Jobs, service: Service) -> None:
    """v4 tells them apart for each host, v3 by their mode."""
    lab.exec(lab.host(101), "echo content > /tmp/dialects")
    job = jobs.files([Source([101], ["/tmp/dialects"])], "/tmp/dialects-out", 102).succeeded()
    asked: dict[str, Any] = {
        "job_instance_id": job.id,
        "step_instance_id": job.step_id,
        "host_id_list": [101, 102],
    }
    source, target = _v4(service, "batch_get_job_instance_execute_object_log", **asked)[
        "file_step_execute_object_logs"
    ]
    assert ("download_log" in source, "upload_log" in target) == (False, False)
    assert (source["upload_log"][0]["status"], target["download_log"][0]["status"]) == (4, 4)
    assert target["download_log"][0]["src_execute_object"]["resource_id"] == "101"
    assert sorted(entry["mode"] for entry in job.files(102)) == [0, 1]


def test_a_gateways_jwt(fresh_service: NewService, tmp_path: Path) -> None:
    """A service that knows the gateway's key believes its word on JOB's own paths, and nobody else's."""
    (tmp_path / "gateway.pem").write_bytes(gateway().public_key)
    service = fresh_service("--jwt-public-keys", str(tmp_path / "gateway.pem"))
    assert service.credentials is not None
    url = f"{service.url}/api/job/v3/job-execute/get_job_instance_list"
    query: dict[str, str | int] = {**SCOPE, "create_time_start": 1, "create_time_end": 2}

    def asked(jwt: str | None) -> httpx.Response:
        return httpx.get(url, params=query, headers={"X-Bkapi-JWT": jwt} if jwt else {}, trust_env=False)

    app = service.credentials.app_code
    assert asked(gateway().jwt(app, "ann", exp=4_000_000_000)).json()["code"] == 0
    assert (asked(None).status_code, asked(None).content) == (401, b"")
    stale = asked(gateway().jwt(app, "ann", exp=NOW))
    assert (stale.status_code, stale.json()["code"]) == (401, 1247001)
