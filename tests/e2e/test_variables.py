"""A plan's variables of all six types on real hosts, from step to step, also over a service that is killed."""

from __future__ import annotations

import json
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.by_hand import downloaded, run_by_hand
from tests.e2e.conftest import NewService
from tests.e2e.jobs import Job
from tests.e2e.operating import operate_step, status_of
from tests.e2e.restarts import wait_for_start
from tests.lab import Lab
from tests.support.audits import agrees
from tests.support.service import Service

SECRET = "c1pher-$(id)-'quoted'"
#: A script knows its host's id by the end of its run's directory; ksh where this machine has it.
_KSH = shutil.which("ksh") or "/bin/bash"

_BEGIN = """#!/bin/bash
me=${0%/*} me=${me##*.}
# job_import {{JOB_LAST_ALL}}
# job_import {{JOB_NAMESPACE_ALL}}
echo "$WORD|$FIX|$NS|${MAP[a]}|${LIST[1]}|${#PASS}|$JOB_LAST_ALL|$JOB_NAMESPACE_ALL"
WORD="of $me's 🐙"; FIX=changed; NS="$NS-$me"; MAP[$me]='{{ x }}'; LIST+=("of $me"); PASS=changed
"""
_FAIL = f"""#!{_KSH}
me=${{0%/*}} me=${{me##*.}}
echo "$WORD|$FIX|$NS|${{MAP[102]}}|${{LIST[2]}}|${{#PASS}}"
NS=$NS+; WORD="dir-$me"; [ "$me" != 101 ] || {{ WORD=lost; exit 3; }}
"""
_END = """#!/bin/sh
# job_import {{JOB_LAST_SUCCESS}}
# job_import {{JOB_LAST_FAIL}}
# job_import {{JOB_NAMESPACE_NS}}
# job_import {{WHERE}}
# job_import {{NOSUCH}}
set -u
echo "$WORD|$1|${#2}|$NS|$JOB_LAST_SUCCESS|$JOB_LAST_FAIL|$JOB_NAMESPACE_NS|$WHERE|${NOSUCH-}"
WORD=last
"""


def _plan(directory: str) -> str:
    def script(content: str, **more: Any) -> dict[str, Any]:
        return {"language": 1, "account": "root", "content": content, **more}

    steps = [
        {"id": 4101, "name": "begin", "target": {"variable": "WHERE"}, "script": script(_BEGIN)},
        {"id": 4102, "name": "never", "target": {"variable": "WHERE"}, "script": script("exit 1")},
        {
            "id": 4103,
            "name": "fail",
            "target": {"host_id_list": [101, 102, 103]},
            "script": script(_FAIL),
            "ignore_error": True,
        },
        {
            "id": 4104,
            "name": "file",
            "target": {"host_id_list": [103]},
            "file": {
                "account": "root",
                "target_path": f"{directory}/${{WORD}}/${{FIX}}/${{NOSUCH}}",
                "sources": [
                    {"files": ["/etc/hostname"], "account": "root", "server": {"host_id_list": [102]}}
                ],
            },
        },
        {
            "id": 4105,
            "name": "end",
            "target": {"host_id_list": [103]},
            "script": script(_END, param="${WORD} '${PASS}'"),
        },
    ]
    variables = [
        {"name": "WORD", "type": 1, "value": "start", "changeable": True},
        {"name": "FIX", "type": 1, "value": "fixed"},
        {"name": "NS", "type": 2, "value": "none"},
        {"name": "WHERE", "type": 3, "server": {"host_id_list": [102, 101]}},
        {"name": "PASS", "type": 4, "value": SECRET},
        {"name": "MAP", "type": 5, "value": '(["a"]="1 2")', "changeable": True},
        {"name": "LIST", "type": 6, "value": "('x' \"y z\")", "changeable": True},
    ]
    template = {
        "name": "variables",
        "variables": variables,
        "steps": steps,
        "plans": [{"id": 4100, "name": "variables", "steps": [4101, 4103, 4104, 4105]}],
    }
    return json.dumps({"scope": {"type": "biz", "id": "1"}, "templates": [template]}, ensure_ascii=False)


@pytest.fixture
def directory(lab: Lab, tmp_path: Path) -> Iterator[str]:
    """Where the file step writes: each host's own, or all hosts'."""
    yield str(tmp_path / "in") if not lab.isolated else "/tmp/vars-in"
    if lab.isolated:
        for host in lab.hosts_of(1):
            lab.exec(host, "rm -rf /tmp/vars-in")


def _labels(lab: Lab, *host_ids: int) -> str:
    ips = {host.bk_host_id: host.ip for host in lab.hosts}
    return ",".join(f"0:{ips[host_id]}" for host_id in host_ids)


def _run(service: Service, **values: Any) -> tuple[int, dict[str, dict[str, Any]]]:
    """The job, and its steps by name once it has ended."""
    data = service.data("execute_job_plan", bk_biz_id=1, job_plan_id=4100, **values)
    assert data["step_instance_id"] is None
    return data["job_instance_id"], _steps(service, data["job_instance_id"])


def _steps(service: Service, job_id: int) -> dict[str, dict[str, Any]]:
    status = service.finished(1, job_id)
    assert status["job_instance"]["status"] == 3, json.dumps(status)
    return {step["name"]: step for step in status["step_instance_list"]}


def test_a_plan_with_variables_of_all_types(lab: Lab, service: Service, directory: str) -> None:
    """What each step sees, what goes on to the next, what is told of it, and where the secret is not."""
    service.apply(_plan(directory))
    job_id, steps = _run(service)
    assert list(steps) == ["begin", "fail", "file", "end"]
    assert [steps[name]["status"] for name in steps] == [3, 6, 3, 3]

    def log(name: str, host_id: int) -> str:
        return service.log_of(1, job_id, steps[name]["step_instance_id"], host_id).rstrip("\n")

    for host_id in (101, 102):
        assert log("begin", host_id) == f"start|fixed|none|1 2|y z|{len(SECRET)}||{{}}"
        # Of two hosts the first of the step's targets spoke for the job: 102.
        assert log("fail", host_id) == f"of 102's 🐙|fixed|none-{host_id}|{{{{ x }}}}|of 102|{len(SECRET)}"
    assert log("fail", 103) == f"of 102's 🐙|fixed|none|{{{{ x }}}}|of 102|{len(SECRET)}"
    detail = service.data("get_step_instance_detail", **_step(job_id, steps["file"]))["file_info"]
    assert detail["file_destination"]["path"] == f"{directory}/dir-102/fixed/${{NOSUCH}}"
    namespace = json.dumps(
        {_labels(lab, 102): "none-102+", _labels(lab, 101): "none-101+", _labels(lab, 103): "none+"},
    )
    found = log("end", 103).split("|")
    assert found[:6] == ["dir-102", "dir-102", str(len(SECRET) - 2), "none+", _labels(lab, 103), ""]
    assert json.loads(found[6]) == json.loads(namespace)
    assert found[7:] == [_labels(lab, 102, 101), ""]

    told_values = service.data("get_job_instance_global_var_value", bk_biz_id=1, job_instance_id=job_id)
    words = [
        {value["name"]: value["value"] for value in step["global_var_list"]}
        for step in told_values["step_instance_var_list"]
    ]
    assert words == [{"WORD": word, "FIX": "fixed"} for word in ("of 102's 🐙", "dir-102", "dir-102", "last")]
    agrees(service.data_dir, service.inventory, job=job_id)
    _is_nowhere(service.data_dir)
    if lab.isolated:
        assert lab.exec(lab.host(101), "grep -rls c1pher /tmp/bkjob.root || true").stdout == ""


_CRASH = """
scope: {type: biz, id: "1"}
templates:
  - name: crash
    variables:
      - {name: WORD, type: 1, value: old, changeable: true}
      - {name: NS, type: 2, value: old}
      - {name: PASS, type: 4, value: c1pher}
    steps:
      - {id: 4201, name: first, target: {host_id_list: [101, 102]}, script: {language: 1, account: root, content:
          'WORD=$(date +%s%N) NS=$WORD-ns; echo start > "$HOME/MARK"; echo "$WORD|$NS"; sleep 1.5'}}
      - {id: 4202, name: second, target: {host_id_list: [102, 101]}, script: {language: 1, account: root, content:
          'echo "$WORD|$NS"'}}
      - {id: 4203, name: third, target: {host_id_list: [101]}, script: {language: 4, account: root, content:
          'print("${WORD}")', param: "${WORD}"}}
    plans: [{id: 4200, name: crash}]
"""


def test_a_killed_service_loses_no_value(lab: Lab, fresh_service: NewService, tmp_path: Path) -> None:
    """What the scripts left while nobody looked is there for the next step, and in its private data directory."""
    service, mark = fresh_service(), f"mark{secrets.token_hex(4)}"
    service.apply(_CRASH.replace("MARK", mark))
    job_id = service.data("execute_job_plan", bk_biz_id=1, job_plan_id=4200)["job_instance_id"]
    wait_for_start(lab, lab.hosts_of(1)[:1], mark)
    service.kill()
    service.start()
    steps = _steps(service, job_id)
    first, second, third = (Job(service, 1, job_id, step["step_instance_id"]) for step in steps.values())
    word = first.log_now(101).partition("|")[0]
    for host_id in (101, 102):
        assert second.log_now(host_id) == f"{word}|{first.log_now(host_id).partition('|')[2]}"
    assert third.log_now(101) == "${WORD}\n"
    (tmp_path / "bundle").mkdir()
    bundle = downloaded(second, tmp_path / "bundle")
    code, results = run_by_hand(bundle)
    assert (code, results["lab101"]["job"]["state"]) == (2, "refused")  # there is a secret among them
    given = bundle / "project/files/variables.json"
    given.write_text(given.read_text().replace('"secret": "variable-PASS-value"', '"value": "by hand"'))
    code, results = run_by_hand(bundle)
    assert (code, results["lab101"]["stdout"]) == (0, second.log_now(101))


_RETRY = """
scope: {type: biz, id: "1"}
templates:
  - name: retry
    variables:
      - {name: WORD, type: 1, value: old, changeable: true}
      - {name: NS, type: 2, value: old}
    steps:
      - {id: 4301, name: first, target: {host_id_list: [101, 102]}, script: {language: 1, account: root, content:
          'WORD=new NS=mine'}}
      - {id: 4302, name: fails, target: {host_id_list: [101, 102]}, script: {language: 1, account: root, content:
          'echo "$WORD|$NS"; WORD=$WORD+ NS=$NS+; case $0 in *.102.vars|*.102/*) exit 0;; esac; rm "$HOME/MARK"'}}
      - {id: 4303, name: last, target: {host_id_list: [101, 102]}, script: {language: 1, account: root, content:
          'echo "$WORD|$NS"'}}
    plans: [{id: 4300, name: retry}]
"""


def test_a_repeated_step_begins_as_it_first_did(lab: Lab, service: Service) -> None:
    """What its first execution left is nothing to its second; the step after it has the newest of each host."""
    mark = f"mark{secrets.token_hex(4)}"
    service.apply(_RETRY.replace("MARK", mark))
    job_id = service.data("execute_job_plan", bk_biz_id=1, job_plan_id=4300)["job_instance_id"]
    status = service.finished(1, job_id)
    assert status["job_instance"]["status"] == 4
    failed = Job(service, 1, job_id, status["step_instance_list"][1]["step_instance_id"])
    assert (failed.log_now(101).splitlines()[0], failed.log_now(102)) == ("new|mine", "new|mine\n")
    lab.exec(lab.host(101), f'touch "$HOME/{mark}"')
    assert operate_step(failed, 2)["code"] == 0
    status_of(failed, lambda now: now["finished"])
    steps = _steps(service, job_id)
    assert steps["fails"]["execute_count"] == 1
    assert failed.log_now(101) == "new|mine\n"
    last = Job(service, 1, job_id, steps["last"]["step_instance_id"])
    assert [last.log_now(host_id) for host_id in (101, 102)] == ["new+|mine+\n"] * 2


def _step(job_id: int, step: dict[str, Any]) -> dict[str, Any]:
    return {
        "bk_scope_type": "biz",
        "bk_scope_id": "1",
        "job_instance_id": job_id,
        "step_instance_id": step["step_instance_id"],
    }


def _is_nowhere(data_dir: Path) -> None:
    """No file of the service has the secret: not as it is, not quoted."""
    for path in data_dir.rglob("*"):
        if path.is_file() and path.name != "apply.yml":  # the test's own
            assert b"c1pher" not in path.read_bytes(), path
