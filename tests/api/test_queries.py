"""What the API tells of job instances, field by field, in both dialects."""

from __future__ import annotations

import time
from typing import Any

import pytest

from adapter.job.commands import JobFilter
from adapter.job.model import (
    FileLog,
)

from .bodies import v2, v3
from .conftest import World
from .jobs import BIZ, DOWNLOADS, T0, UPLOAD, data_of


def test_status(job: World) -> None:
    """Times are integer milliseconds, null while not started; no hosts unless asked for."""
    data = data_of(job, "get_job_instance_status", return_ip_result=False)
    assert data == {
        "finished": False,
        "job_instance": {
            "job_instance_id": 100,
            "name": "Test",
            "status": 2,
            "create_time": T0,
            "start_time": T0 + 100,
            "end_time": None,
            "total_time": None,
            "bk_scope_type": "biz",
            "bk_scope_id": "1",
            "bk_biz_id": 1,
        },
        "step_instance_list": [
            {
                "step_instance_id": 200,
                "name": "Hello",
                "type": 1,
                "status": 4,
                "execute_count": 0,
                "create_time": T0,
                "start_time": T0 + 100,
                "end_time": T0 + 1600,
                "total_time": 1500,
                "step_ip_result_list": None,
            },
            {
                "step_instance_id": 201,
                "name": "Copy",
                "type": 2,
                "status": 1,
                "execute_count": 0,
                "create_time": T0,
                "start_time": None,
                "end_time": None,
                "total_time": None,
                "step_ip_result_list": None,
            },
        ],
    }


def test_status_with_hosts(job: World) -> None:
    """The hosts' list is there from the start; the shortest total_time is 100."""
    job.query.results[201] = ()
    steps = data_of(job, "get_job_instance_status")["step_instance_list"]
    assert steps[1]["step_ip_result_list"] == []
    assert steps[0]["step_ip_result_list"] == [
        {
            "bk_host_id": 101,
            "ip": "10.0.0.1",
            "bk_cloud_id": 0,
            "status": 9,
            "tag": "ok",
            "exit_code": 0,
            "error_code": 0,
            "start_time": T0,
            "end_time": T0 + 5,
            "total_time": 100,
        },
        {
            "bk_host_id": 102,
            "ip": "10.0.0.2",
            "bk_cloud_id": 0,
            "status": 104,
            "tag": "",
            "exit_code": 3,
            "error_code": 0,
            "start_time": T0,
            "end_time": T0 + 2500,
            "total_time": 2500,
        },
        {
            "bk_host_id": 103,
            "ip": "10.0.0.1",
            "bk_cloud_id": 5,
            "status": 5,
            "tag": "",
            "exit_code": None,
            "error_code": 0,
            "start_time": None,
            "end_time": None,
            "total_time": None,
        },
    ]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"job_instance_id": None}, 1241007),
        ({"job_instance_id": 0}, 1241007),
        ({"job_instance_id": 101}, 1244006),
        ({"bk_scope_id": "2"}, 1244006),
    ],
)
@pytest.mark.parametrize("dialect", ["v3", "v2"])
def test_jobs_that_are_not_there(job: World, changes: dict[str, Any], code: int, dialect: str) -> None:
    """Another business's job does not exist."""
    if dialect == "v3":
        found = job.job.v3("get_job_instance_status", v3("get_job_instance_status", **changes))
    else:
        changes = {name.replace("scope", "biz"): value for name, value in changes.items()}
        found = job.job.v2("get_job_instance_status", v2("get_job_instance_status", **changes))
    assert found["code"] == code


@pytest.mark.parametrize(
    "asked", [{"bk_host_id": 101}, {"bk_host_id": None, "bk_cloud_id": 0, "ip": "10.0.0.1"}]
)
def test_a_log_of_a_script(job: World, asked: dict[str, Any]) -> None:
    """Raw text; the host is named in full, however it was asked for."""
    assert data_of(job, "get_job_instance_ip_log", **asked) == {
        "log_type": 1,
        "bk_host_id": 101,
        "bk_cloud_id": 0,
        "ip": "10.0.0.1",
        "log_content": "hello <b>&'\"\n",
        "file_logs": None,
    }


def test_a_log_of_the_same_address_in_another_cloud(job: World) -> None:
    """Nothing printed yet is null."""
    data = data_of(job, "get_job_instance_ip_log", bk_host_id=0, bk_cloud_id=5, ip="10.0.0.1")
    assert (data["bk_host_id"], data["log_content"]) == (103, None)


def test_a_log_of_a_host_that_is_not_in_the_step(job: World) -> None:
    """Success, and nothing."""
    data = data_of(job, "get_job_instance_ip_log", bk_host_id=999)
    assert (data["bk_host_id"], data["ip"], data["log_content"]) == (999, None, None)
    data = data_of(
        job, "get_job_instance_ip_log", step_instance_id=201, bk_cloud_id=1, ip="x", bk_host_id=None
    )
    assert (data["ip"], data["file_logs"]) == ("x", [_entry(UPLOAD)])


def _entry(log: FileLog) -> dict[str, Any]:
    is_upload = log.mode == 0
    line = (
        "FileName: /tmp/x FileSize: 1.5 KB Status: 3 StatusDesc: downloading Speed: 2 KB/s Progress: 50% "
        "Detail: a line\n"
    )
    if log is not DOWNLOADS[0]:
        size, speed = ("9.0 Bytes", "0 KB/s") if is_upload else ("1.5 KB", "2 KB/s")
        line = (
            f"FileName: /tmp/x FileSize: {size} Status: {log.status} StatusDesc: {log.status_desc} "
            f"Speed: {speed} Progress: {log.progress}%\n"
        )
    return {
        "mode": log.mode,
        "src_ip": {"bk_host_id": 301, "bk_cloud_id": 0, "ip": "10.0.3.1"},
        "src_path": "/tmp/x",
        "dest_ip": None
        if is_upload
        else {
            "bk_host_id": log.bk_host_id,
            "bk_cloud_id": 0,
            "ip": "10.0.0.1" if log.bk_host_id == 101 else "10.0.0.2",
        },
        "dest_path": None if is_upload else "/tmp/x",
        "status": log.status,
        "log_content": line,
        "size": "9.0 Bytes" if is_upload else "1.5 KB",
        "speed": "0 KB/s" if is_upload else "2 KB/s",
        "process": "100%" if is_upload else "50%",
    }


def test_a_log_of_a_transfer(job: World) -> None:
    """The host's downloads and every source's uploads."""
    assert data_of(job, "get_job_instance_ip_log", step_instance_id=201) == {
        "log_type": 2,
        "bk_host_id": 101,
        "bk_cloud_id": 0,
        "ip": "10.0.0.1",
        "log_content": None,
        "file_logs": [_entry(DOWNLOADS[0]), _entry(UPLOAD)],
    }


@pytest.mark.parametrize("name", ["get_job_instance_ip_log", "batch_get_job_instance_ip_log"])
@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"job_instance_id": 0}, 1241007),
        ({"step_instance_id": None}, 1241007),
        ({"step_instance_id": 999}, 1244006),
        ({"job_instance_id": 999}, 1244006),
        ({"bk_host_id": None, "host_id_list": [], "ip_list": []}, 1241007),
        ({"bk_host_id": 0, "bk_cloud_id": 0, "host_id_list": [], "ip_list": [{"bk_cloud_id": 0}]}, 1241007),
    ],
)
def test_refused_logs(job: World, name: str, changes: dict[str, Any], code: int) -> None:
    """JOB's codes."""
    assert job.job.v3(name, v3(name, **changes))["code"] == code


def test_logs_of_many_hosts(job: World) -> None:
    """Both names of a host's id; hosts that are not in the step are absent."""
    assert data_of(job, "batch_get_job_instance_ip_log", host_id_list=[102, 999, 103, 102]) == {
        "job_instance_id": 100,
        "step_instance_id": 200,
        "log_type": 1,
        "script_task_logs": [
            {
                "host_id": 102,
                "bk_host_id": 102,
                "bk_cloud_id": 0,
                "ip": "10.0.0.2",
                "ipv6": None,
                "log_content": "failed\n",
            },
            {
                "host_id": 103,
                "bk_host_id": 103,
                "bk_cloud_id": 5,
                "ip": "10.0.0.1",
                "ipv6": None,
                "log_content": "",
            },
        ],
        "file_task_logs": None,
    }


@pytest.mark.parametrize("hosts", [[{"bk_host_id": 101}], [{"bk_cloud_id": 0, "ip": "10.0.0.1"}]])
def test_logs_by_address(job: World, hosts: list[dict[str, Any]]) -> None:
    """ip_list counts where there is no host_id_list."""
    data = data_of(job, "batch_get_job_instance_ip_log", host_id_list=None, ip_list=hosts)
    assert [log["host_id"] for log in data["script_task_logs"]] == [101]


def test_logs_of_many_files(job: World) -> None:
    """Uploads only for the hosts asked for."""
    data = data_of(job, "batch_get_job_instance_ip_log", step_instance_id=201, host_id_list=[301, 102])
    assert (data["log_type"], data["script_task_logs"]) == (2, None)
    assert data["file_task_logs"] == [
        {"bk_host_id": 301, "bk_cloud_id": 0, "ip": "10.0.3.1", "file_logs": [_entry(UPLOAD)]},
        {"bk_host_id": 102, "bk_cloud_id": 0, "ip": "10.0.0.2", "file_logs": [_entry(DOWNLOADS[1])]},
    ]
    data = data_of(job, "batch_get_job_instance_ip_log", step_instance_id=201, host_id_list=[999])
    assert data["file_task_logs"] is None


def test_logs_of_too_many_hosts(job: World) -> None:
    """500 and no more."""
    name = "batch_get_job_instance_ip_log"
    assert job.job.v3(name, v3(name, host_id_list=list(range(1, 501))))["code"] == 0
    assert job.job.v3(name, v3(name, host_id_list=list(range(1, 502))))["code"] == 1241007


def test_the_list(job: World) -> None:
    """The code's names and the documentation's names of three fields."""
    assert data_of(job, "get_job_instance_list") == {
        "start": 0,
        "length": 20,
        "total": 1,
        "data": [
            {
                "job_instance_id": 100,
                "id": 100,
                "job_plan_id": 7,
                "job_template_id": 6,
                "name": "Test",
                "operator": "admin",
                "launch_mode": 2,
                "status": 2,
                "task_status": 2,
                "type": 0,
                "task_type": 0,
                "create_time": T0,
                "start_time": T0 + 100,
                "end_time": None,
                "total_time": None,
                "bk_scope_type": "biz",
                "bk_scope_id": "1",
                "bk_biz_id": 1,
            }
        ],
    }
    assert job.query.filters == [
        JobFilter(scope=BIZ, create_time_start=T0, create_time_end=T0 + 600_000, status=3, name="Te")
    ]


def test_the_list_with_every_filter(job: World) -> None:
    """Numbers may be text; the page is as asked for."""
    filters = {
        "job_instance_id": "100",
        "operator": "admin",
        "launch_mode": 2,
        "type": 0,
        "ip": "10.0.0.1",
        "job_cron_id": "5",
        "start": -5,
        "length": 1000,
    }
    assert data_of(job, "get_job_instance_list", **filters)["length"] == 1000
    wanted = job.query.filters[0]
    assert (wanted.job_instance_id, wanted.operator, wanted.launch_mode) == (100, "admin", 2)
    assert (wanted.type, wanted.ip, wanted.cron_id) == (0, "10.0.0.1", 5)
    assert (wanted.start, wanted.length) == (0, 1000)


def test_an_empty_list(job: World) -> None:
    """JOB answers null for the rows."""
    empty = {"start": 0, "length": 20, "total": 0, "data": None}
    assert data_of(job, "get_job_instance_list", bk_scope_id="2") == empty


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"create_time_start": None}, 1241007),
        ({"create_time_start": 0}, 1241007),
        ({"create_time_end": None}, 1241007),
        ({"create_time_end": T0}, 1241007),
        ({"create_time_end": T0 + 30 * 86_400_000}, 0),
        ({"create_time_end": T0 + 30 * 86_400_000 + 1}, 1241002),
        ({"type": 3}, 1241002),
        ({"status": 12}, 1241002),
        ({"launch_mode": 0}, 1241002),
        ({"length": 0}, 1240003),
        ({"length": 1001}, 1240003),
    ],
)
def test_refused_lists(job: World, changes: dict[str, Any], code: int) -> None:
    """JOB's codes; a bad filter is the caller's fault, not an internal error."""
    assert job.job.v3("get_job_instance_list", v3("get_job_instance_list", **changes))["code"] == code


def test_operate(job: World) -> None:
    """Asynchronous: the reply only names the job."""
    for code, name in ((1, "terminate"), ("2", "start")):
        data = data_of(job, "operate_job_instance", operation_code=code)
        assert data == {"job_instance_id": 100, "job_instance_name": None, "step_instance_id": None}
        call = job.operate.calls.pop()
        assert (call[0], call[1].user, call[2], call[3]) == (name, "admin", BIZ, 100)


@pytest.mark.parametrize("changes", [{"job_instance_id": 0}, {"operation_code": 3}, {"operation_code": None}])
def test_refused_operations(job: World, changes: dict[str, Any]) -> None:
    """One code for all of them."""
    assert job.job.v3("operate_job_instance", v3("operate_job_instance", **changes))["code"] == 1241002
    assert job.operate.calls == []


@pytest.fixture
def utc_plus_8(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The service's time zone."""
    monkeypatch.setenv("TZ", "Asia/Shanghai")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.usefixtures("utc_plus_8")
def test_status_of_v2(job: World) -> None:
    """Times are text in the service's time zone, durations float seconds, one block for each step."""
    data = job.job.v2("get_job_instance_status", v2("get_job_instance_status"))["data"]
    blocks = data.pop("blocks")
    assert data == {
        "is_finished": False,
        "job_instance": {
            "job_instance_id": 100,
            "bk_scope_type": "biz",
            "bk_scope_id": "1",
            "bk_biz_id": 1,
            "bk_job_id": 7,
            "status": 2,
            "name": "Test",
            "operator": "admin",
            "create_time": "2023-11-15 06:13:20",
            "start_time": "2023-11-15 06:13:20",
            "end_time": None,
            "total_time": None,
            "start_way": 2,
            "current_step_instance_id": 201,
        },
    }
    assert [(block["type"], block["block_order"], block["block_name"]) for block in blocks] == [
        (1, 1, "Hello"),
        (2, 2, "Copy"),
    ]
    assert [len(block["step_instances"]) for block in blocks] == [1, 1]
    step = blocks[0]["step_instances"][0]
    hosts = step.pop("step_ip_status")
    assert step == {
        "step_instance_id": 200,
        "step_id": -1,
        "name": "Hello",
        "type": 1,
        "operator": "admin",
        "status": 4,
        "execute_count": 0,
        "retry_count": 0,
        "create_time": "2023-11-15 06:13:20",
        "start_time": "2023-11-15 06:13:20",
        "end_time": "2023-11-15 06:13:21",
        "total_time": 1.5,
        "pause": 0,
        "order": 1,
        "operation_list": [],
    }
    assert hosts[1] == {"ip": "10.0.0.2", "bk_cloud_id": 0, "bk_host_id": 102, "status": 104}


@pytest.mark.usefixtures("utc_plus_8")
def test_log_of_v2(job: World) -> None:
    """An array of steps, hosts grouped by status and tag, text escaped for HTML."""
    steps = job.job.v2("get_job_instance_log", v2("get_job_instance_log"))["data"]
    assert [step["step_instance_id"] for step in steps] == [200, 201]
    assert [(step["is_finished"], step["name"], step["status"]) for step in steps] == [
        (True, "Hello", 4),
        (False, "Copy", 1),
    ]
    groups = steps[0]["step_results"]
    assert [(group["ip_status"], group["tag"]) for group in groups] == [(9, "ok"), (104, ""), (5, "")]
    assert groups[0]["ip_logs"] == [
        {
            "ip": "10.0.0.1",
            "bk_cloud_id": 0,
            "bk_host_id": 101,
            "start_time": "2023-11-15 06:13:20",
            "end_time": "2023-11-15 06:13:20",
            "total_time": 0.1,
            "execute_count": 0,
            "retry_count": 0,
            "error_code": 0,
            "exit_code": 0,
            "log_content": "hello &lt;b&gt;&amp;&#39;&quot;\n",
        }
    ]
    assert groups[2]["ip_logs"][0]["log_content"] == ""
    assert steps[1]["step_results"][0]["ip_logs"][0]["log_content"] == (
        "FileName: /tmp/x FileSize: 1.5 KB Status: 3 StatusDesc: downloading Speed: 2 KB/s Progress: 50% "
        "Detail: a line\n"
    )


def test_log_of_v2_unescaped(job: World) -> None:
    """JOB 2.x lets callers ask for it."""
    body = v2("get_job_instance_log", use_html_encode=False)
    steps = job.job.v2("get_job_instance_log", body)["data"]
    assert steps[0]["step_results"][0]["ip_logs"][0]["log_content"] == "hello <b>&'\"\n"


def test_log_of_v2_of_a_job_that_has_just_begun(job: World) -> None:
    """Clients look at data[0].is_finished at once."""
    job.query.results = {}
    steps = job.job.v2("get_job_instance_log", v2("get_job_instance_log"))["data"]
    assert [step["step_results"] for step in steps] == [[], []]
