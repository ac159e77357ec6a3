"""What the API tells of one step instance and of a job's variables, in v3 and v2 (contract c, i)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from adapter.job.model import JobVariable, ScriptTask
from adapter.job.status import HostStatus, VariableType
from adapter.messages import HOST_STATUS, Language

from .bodies import v2, v3
from .client import ESB_V2, ESB_V3, GATEWAY, envelope
from .conftest import World
from .jobs import FILE_STEP, JOB, RESULTS, SCRIPT_STEP, SOURCE, T0, A, B, data_of

_OPTIONAL = ("execute_count", "batch", "max_host_num_per_group", "keyword", "search_ip", "status", "tag")


def _status(world: World, **changes: Any) -> Any:
    """In English, with nothing asked for but what `changes` says."""
    body = v3("get_step_instance_status", **{**dict.fromkeys(_OPTIONAL), **changes})
    reply = envelope(
        world.http.post(
            f"{ESB_V3}/get_step_instance_status/",
            json={**world.job.credentials, **body},
            headers={"Blueking-Language": "en"},
        )
    )
    assert reply["code"] == 0, reply
    return reply["data"]


def _hosts(data: Any) -> list[tuple[int, str, int, list[int]]]:
    return [
        (
            group["result_type"],
            group["tag"],
            group["host_size"],
            [item["bk_host_id"] for item in group["host_result_list"]],
        )
        for group in data["step_result_group_list"]
    ]


# --- get_step_instance_status ----------------------------------------------------------------------------


def test_groups(job: World) -> None:
    """By status and tag; times are milliseconds, and what is not known here is null."""
    data = _status(job)
    groups = data.pop("step_result_group_list")
    assert data == {
        "step_instance_id": 200,
        "name": "Hello",
        "type": 1,
        "status": 4,
        "execute_count": 0,
        "create_time": T0,
        "start_time": T0 + 100,
        "end_time": T0 + 1600,
        "total_time": 1500,
    }
    assert [(group["result_type"], group["tag"], group["host_size"]) for group in groups] == [
        (5, "", 1),
        (9, "ok", 1),
        (104, "", 1),
    ]
    assert groups[1]["host_result_list"] == [
        {
            "bk_host_id": 101,
            "ip": "10.0.0.1",
            "bk_cloud_id": 0,
            "ipv6": None,
            "bk_agent_id": None,
            "bk_cloud_name": None,
            "status": 9,
            "status_desc": "Success",
            "tag": "ok",
            "exit_code": 0,
            "start_time": T0,
            "end_time": T0 + 5,
            "total_time": 100,
        }
    ]


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({"status": 9, "tag": "ok"}, [(5, "", 1, []), (9, "ok", 1, [101]), (104, "", 1, [])]),
        ({"status": "104"}, [(5, "", 1, []), (9, "ok", 1, []), (104, "", 1, [102])]),
        ({"status": 9}, [(5, "", 1, [103]), (9, "ok", 1, []), (104, "", 1, [])]),
        ({"tag": "ok"}, [(5, "", 1, [103]), (9, "ok", 1, [101]), (104, "", 1, [102])]),
        ({"keyword": "hello"}, [(5, "", 0, []), (9, "ok", 1, [101]), (104, "", 0, [])]),
        ({"keyword": "l"}, [(5, "", 0, []), (9, "ok", 1, [101]), (104, "", 1, [102])]),
        ({"keyword": "Hello"}, [(5, "", 0, []), (9, "ok", 0, []), (104, "", 0, [])]),
        ({"search_ip": "0.0.2"}, [(5, "", 0, []), (9, "ok", 0, []), (104, "", 1, [102])]),
        ({"search_ip": "10.0.0.1"}, [(5, "", 1, [103]), (9, "ok", 1, [101]), (104, "", 0, [])]),
        ({"search_ip": "10.0.0.1", "keyword": "l"}, [(5, "", 0, []), (9, "ok", 1, [101]), (104, "", 0, [])]),
        ({"search_ip": "%"}, [(5, "", 0, []), (9, "ok", 0, []), (104, "", 0, [])]),
        ({"max_host_num_per_group": 0}, [(5, "", 1, []), (9, "ok", 1, []), (104, "", 1, [])]),
        ({"batch": 0}, [(5, "", 1, [103]), (9, "ok", 1, [101]), (104, "", 1, [102])]),
        ({"batch": 1}, []),
    ],
    ids=str,
)
def test_search_and_groups(job: World, asked: dict[str, Any], expected: list[Any]) -> None:
    """Alone and together; a step that is not rolling has no batch 1."""
    assert _hosts(_status(job, **asked)) == expected


def test_a_search_in_what_became_of_files(job: World) -> None:
    """The lines about its files are a host's log there."""
    assert _hosts(_status(job, step_instance_id=201, keyword="a line")) == [
        (9, "ok", 1, [101]),
        (104, "", 0, []),
    ]
    assert _hosts(_status(job, step_instance_id=201, keyword="downloading")) == [
        (9, "ok", 1, [101]),
        (104, "", 1, [102]),
    ]


def test_an_earlier_execution(job: World) -> None:
    """Its times are those of its hosts, and it says which one it is."""
    latest = replace(SCRIPT_STEP, execute_count=1, start_time=T0 + 5000, end_time=None)
    job.query.known[100] = replace(JOB, steps=(latest, FILE_STEP))
    assert _status(job)["start_time"] == T0 + 5000
    earlier = _status(job, execute_count=0)
    assert (earlier["execute_count"], earlier["start_time"], earlier["end_time"]) == (0, T0, T0 + 2500)
    assert earlier["total_time"] == 2500


@pytest.mark.parametrize(
    ("header", "words"), [("en", "Non-zero Exit Code"), ("zh-cn", "脚本返回码非零"), ("", "脚本返回码非零")]
)
def test_statuses_are_named_in_the_callers_language(job: World, header: str, words: str) -> None:
    """Chinese unless English is asked for."""
    body = {**job.job.credentials, **v3("get_step_instance_status", keyword=None, status=104, tag=None)}
    headers = {"Blueking-Language": header}
    reply = envelope(job.http.post(f"{ESB_V3}/get_step_instance_status/", json=body, headers=headers))
    group = reply["data"]["step_result_group_list"][2]
    assert (group["result_type_desc"], group["host_result_list"][0]["status_desc"]) == (words, words)
    body = {**job.job.credentials, **v2("get_step_instance_status")}
    reply = envelope(job.http.post(f"{ESB_V2}/get_step_instance_status/", json=body, headers=headers))
    assert reply["data"]["step_instance_analyse_result"][2]["result_type_text"] == words


def test_every_status_has_a_name() -> None:
    """In both languages."""
    assert set(HOST_STATUS) == set(HostStatus)
    assert all(names[language] for names in HOST_STATUS.values() for language in Language)


@pytest.mark.parametrize("name", ["get_step_instance_status", "get_step_instance_detail"])
@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"step_instance_id": 999}, 1244007),
        ({"step_instance_id": 2**63 - 1}, 1244007),
        ({"step_instance_id": 2**63}, 1240003),
        ({"step_instance_id": 0}, 1240003),
        ({"step_instance_id": None}, 1240003),
        ({"job_instance_id": 999}, 1244006),
        ({"job_instance_id": "x"}, 1240003),
        ({"bk_scope_id": "2"}, 1244006),
        ({"bk_scope_type": None, "bk_scope_id": None, "bk_biz_id": 1}, 1240003),
    ],
)
def test_steps_that_there_are_none_of(job: World, name: str, changes: dict[str, Any], code: int) -> None:
    """A job of another business is none, and these APIs know no bk_biz_id."""
    assert job.job.v3(name, v3(name, **changes))["code"] == code


@pytest.mark.parametrize(
    "changes",
    [
        {"execute_count": -1},
        {"execute_count": 2**31},
        {"batch": -1},
        {"max_host_num_per_group": -1},
        {"keyword": "x" * 1025},
        {"keyword": "a\u0000"},
        {"search_ip": ["10.0.0.1"]},
        {"status": "nine"},
        {"tag": {}},
    ],
    ids=str,
)
def test_questions_that_cannot_be_asked(job: World, changes: dict[str, Any]) -> None:
    """1240003 naming the field."""
    reply = job.job.v3("get_step_instance_status", v3("get_step_instance_status", **changes))
    assert (reply["code"], next(iter(changes)) in reply["message"]) == (1240003, True)


# --- get_step_instance_detail ----------------------------------------------------------------------------


def test_a_script_step(job: World) -> None:
    """The script itself, its account, the hosts it was resolved to."""
    script = replace(
        SCRIPT_STEP,
        ignore_error=True,
        script=ScriptTask(
            language=4,
            content="print(1)\n",
            param="a b",
            timeout=60,
            account_id=10**9,
            script_id="s",
            script_version_id=3,
        ),
    )
    job.query.known[100] = replace(JOB, steps=(script,))
    data = data_of(job, "get_step_instance_detail")
    assert (data["id"], data["name"], data["type"]) == (200, "Hello", 1)
    assert (data["file_info"], data["approval_info"]) == (None, None)
    info = data["script_info"]
    hosts = info.pop("server")["ip_list"]
    assert [host["bk_host_id"] for host in hosts] == [101, 102, 103]
    assert set(hosts[0]) == {
        *("bk_host_id", "bk_cloud_id", "bk_cloud_name", "ip", "ipv6", "bk_agent_id", "alive"),
    }
    assert info == {
        "script_type": 2,
        "script_id": "s",
        "script_version_id": 3,
        "script_content": "print(1)\n",
        "script_language": 4,
        "script_param": "a b",
        "script_timeout": 60,
        "account": {"id": 10**9, "name": None, "alias": None},
        "is_param_sensitive": 0,
        "is_ignore_error": 1,
    }


def test_a_file_step(job: World) -> None:
    """Sources and destination, each with its account and hosts."""
    data = data_of(job, "get_step_instance_detail", step_instance_id=201)
    assert (data["type"], data["script_info"]) == (2, None)
    info = data["file_info"]
    source, destination = info["file_source_list"][0], info["file_destination"]
    assert (source["file_type"], source["file_list"]) == (1, ["/tmp/x"])
    assert [host["bk_host_id"] for host in source["server"]["ip_list"]] == [SOURCE.bk_host_id]
    assert (destination["path"], [host["ip"] for host in destination["server"]["ip_list"]]) == (
        "/tmp/",
        [A.ip, B.ip],
    )
    assert (info["timeout"], info["transfer_mode"], info["source_speed_limit"]) == (7200, 2, None)


def test_a_get_is_what_gateways_send(job: World) -> None:
    """Numbers as strings."""
    for name in ("get_step_instance_detail", "get_step_instance_status"):
        reply = job.job.get(f"{GATEWAY}/{name}", v3(name))
        assert reply["code"] == 0, reply


# --- v2 --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("nested", [False, True])
def test_status_v2(job: World, nested: bool) -> None:
    """Flat as today's JOB has it, or in `params` as JOB 2.x; with counts that are true."""
    body = v2("get_step_instance_status")
    if nested:
        body = {"bk_biz_id": 1, "params": {key: body[key] for key in ("job_instance_id", "step_instance_id")}}
    reply = job.job.v2("get_step_instance_status", body)
    data = reply["data"]
    detail = data["step_instance_detail"]
    assert data["is_finished"] is True
    assert (detail["step_instance_id"], detail["job_instance_id"], detail["step_id"]) == (200, 100, -1)
    assert detail["target_ips"] == "0:10.0.0.1,0:10.0.0.2,5:10.0.0.1"
    assert detail["total_time"] == 1.5
    counts = ("total", "abnormal_agent", "running", "fail", "success")
    assert [detail[f"{name}_ip_num"] for name in counts] == [3, 0, 0, 1, 1]
    groups = data["step_instance_analyse_result"]
    assert [(group["result_type"], group["count"]) for group in groups] == [(5, 1), (9, 1), (104, 1)]
    assert groups[1]["ip_list"] == [{"bk_host_id": 101, "ip": "10.0.0.1", "bk_cloud_id": 0}]


def test_unreachable_hosts_in_v2(job: World) -> None:
    """They are counted as failed, too."""
    job.query.results = {200: (RESULTS[0], replace(RESULTS[1], status=HostStatus.AGENT_ABNORMAL))}
    detail = job.job.v2("get_step_instance_status", v2("get_step_instance_status"))["data"][
        "step_instance_detail"
    ]
    assert (detail["abnormal_agent_ips"], detail["abnormal_agent_ip_num"]) == ("0:10.0.0.2", 1)
    assert detail["fail_ip_num"] == 1


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"job_instance_id": None}, 1241007),
        ({"step_instance_id": 0}, 1241007),
        ({"params": {}}, 0),
        ({"step_instance_id": None, "params": {"job_instance_id": 100}}, 1241007),
        ({"step_instance_id": None, "params": {"step_instance_id": 200}}, 0),
        ({"params": []}, 1240003),
        ({"step_instance_id": 999}, 1244007),
        ({"job_instance_id": 999}, 1244006),
    ],
)
def test_refusals_of_v2(job: World, changes: dict[str, Any], code: int) -> None:
    """v2 has codes of its own for what is missing."""
    assert job.job.v2("get_step_instance_status", v2("get_step_instance_status", **changes))["code"] == code


def test_operate_job_instance_in_v2(job: World) -> None:
    """As in v3; the reply has the id alone."""
    reply = job.job.v2("operate_job_instance", v2("operate_job_instance"))
    assert reply["data"] == {"job_instance_id": 100}
    assert job.operate.calls[0][0] == "terminate"
    assert job.job.v2("operate_job_instance", v2("operate_job_instance", operation_code=9))["code"] == 1241002


# --- variables -------------------------------------------------------------------------------------------


def test_variables(job: World) -> None:
    """Strings alone, as each step left them."""
    others = [
        JobVariable(name=f"v{int(kind)}", type=kind, value="hush")
        for kind in VariableType
        if kind is not VariableType.STRING
    ]
    job.query.values[100] = {
        step_id: (
            JobVariable(name="word", type=VariableType.STRING, value=word),
            *others,
            JobVariable(name="empty", type=VariableType.STRING, value=""),
        )
        for step_id, word in ((200, "hi"), (201, "changed"))
    }
    told = [{"name": "word", "value": "hi", "type": 1}, {"name": "empty", "value": "", "type": 1}]
    later = [{"name": "word", "value": "changed", "type": 1}, told[1]]
    assert data_of(job, "get_job_instance_global_var_value") == {
        "job_instance_id": 100,
        "step_instance_var_list": [
            {"step_instance_id": 200, "global_var_list": told},
            {"step_instance_id": 201, "global_var_list": later},
        ],
    }
    name = "get_job_instance_global_var_value"
    data = job.job.v2(name, v2(name))["data"]
    assert data["job_instance_var_values"][0] == {
        "step_instance_id": 200,
        "step_instance_var_values": [
            {"name": "word", "value": "hi", "category": 1},
            {"name": "empty", "value": "", "category": 1},
        ],
    }


def test_a_job_without_variables(job: World) -> None:
    """null in v3, nothing in v2's list."""
    name = "get_job_instance_global_var_value"
    assert data_of(job, name)["step_instance_var_list"][0] == {
        "step_instance_id": 200,
        "global_var_list": None,
    }
    assert job.job.v2(name, v2(name))["data"]["job_instance_var_values"][0]["step_instance_var_values"] == []
    for call in (
        job.job.v3(name, v3(name, job_instance_id=0)),
        job.job.v2(name, v2(name, job_instance_id=None)),
    ):
        assert call["code"] == 1241007
    assert job.job.v3(name, v3(name, job_instance_id=999))["code"] == 1244006
