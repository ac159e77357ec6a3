"""operate_job_instance: terminate ends the processes on the hosts, start starts; and when neither may be done."""

from __future__ import annotations

import itertools
import os
import random
import time
from typing import Any

import pytest

from tests.e2e.conftest import NewService
from tests.e2e.jobs import Job, Jobs, Source, wait_until
from tests.e2e.restarts import marks, wait_for_start
from tests.lab import Lab, LabHost
from tests.support.service import Service

TERMINATE, START = 1, 2
_numbers = itertools.count(1)

#: Prints lines without end; the words of its children name the test, so that they are found among processes.
TREE = """
trap 'echo asked to end' TERM
sh -c 'while :; do sleep 1; done' {mark} &
(sh -c 'while :; do sleep 1; done' {mark} &)
echo start >> "$HOME/{mark}"
i=1
while :; do echo $i; i=$((i + 1)); sleep 0.05; done
"""
STUBBORN = """
trap '' TERM
sh -c 'trap "" TERM HUP INT; while :; do sleep 1; done' {mark} &
echo start >> "$HOME/{mark}"
while :; do sleep 1; done
"""


def new_mark() -> str:
    """A word that no other process has."""
    return f"mark-{os.getpid()}-{next(_numbers)}"


def operate(service: Service, job_id: int, code: int, biz: int = 1) -> dict[str, Any]:
    """The envelope of operate_job_instance."""
    return service.call("operate_job_instance", bk_biz_id=biz, job_instance_id=job_id, operation_code=code)


def terminate(job: Job) -> None:
    """Terminate a job that may be."""
    reply = operate(job.service, job.id, TERMINATE)
    assert (reply["code"], reply["data"]["job_instance_id"]) == (0, job.id)


def marked(lab: Lab, host: LabHost, mark: str) -> list[str]:
    """Processes of the host that have the mark among their words."""
    look = "for p in /proc/[0-9]*; do tr '\\0' ' ' < $p/cmdline 2>/dev/null && echo; done"
    return [line for line in lab.exec(host, look).stdout.splitlines() if mark in line and "tr '" not in line]


@pytest.mark.parametrize("text", [TREE, STUBBORN], ids=["obedient", "ignores-sigterm"])
def test_terminate_ends_every_process_on_every_host(lab: Lab, jobs: Jobs, text: str) -> None:
    """The script, its children and those that it let go of die; hosts are 403, step and job 11."""
    hosts, mark = lab.hosts_of(1), new_mark()
    job = jobs.script(text.format(mark=mark), 101, 102, 103)
    wait_for_start(lab, hosts, mark)
    assert all(marked(lab, host, mark) for host in hosts)
    terminate(job)
    assert job.status == 11, job.why()
    assert [step["status"] for step in job.end["step_instance_list"]] == [11]
    assert {(state, error) for state, _, error in job.states.values()} == {(403, 126)}, job.why()
    assert all(result["end_time"] >= result["start_time"] for result in job.hosts.values())
    for host in hosts:
        assert marked(lab, host, mark) == [], job.why()


def test_the_log_of_a_terminated_script_is_what_it_printed(lab: Lab, jobs: Jobs) -> None:
    """Every line up to the end is there once, in order, also what was printed while it was being stopped."""
    hosts, mark = lab.hosts_of(1), new_mark()
    job = jobs.script(TREE.format(mark=mark), 101, 102, 103)
    wait_for_start(lab, hosts, mark)
    time.sleep(1.5)
    terminate(job)
    assert job.status == 11
    for host in hosts:
        lines = [line for line in job.log(host.bk_host_id).splitlines() if line.isdigit()]
        assert lines == [str(number) for number in range(1, len(lines) + 1)]
        assert len(lines) > 10


def test_the_step_after_a_terminated_one_never_runs(lab: Lab, service: Service) -> None:
    """Of a plan's two steps the second stays as it was: waiting, without a trace on the host."""
    mark = new_mark()
    target = "target: {host_id_list: [101]}"
    service.apply(
        f"""
scope: {{type: biz, id: "1"}}
templates:
  - name: {mark}
    steps:
      - {{name: long, type: 1, {target},
         script: {{language: 1, account: root, content: 'echo start >> "$HOME/{mark}"; sleep 60'}}}}
      - {{name: next, type: 1, {target},
         script: {{language: 1, account: root, content: 'echo next >> "$HOME/{mark}"'}}}}
    plans: [{{name: {mark}}}]
"""
    )
    plans = service.data("get_job_plan_list", bk_biz_id=1, length=1000)["data"]
    (plan,) = [plan["id"] for plan in plans if plan["name"] == mark]
    job_id = service.data("execute_job_plan", bk_biz_id=1, job_plan_id=plan)["job_instance_id"]
    wait_for_start(lab, [lab.host(101)], mark)
    assert operate(service, job_id, TERMINATE)["code"] == 0
    end = service.finished(1, job_id)
    first, second = end["step_instance_list"]
    assert (end["job_instance"]["status"], first["status"], second["status"]) == (11, 11, 1)
    assert [host["status"] for host in second["step_ip_result_list"]] == [5]
    assert marks(lab, lab.host(101), mark) == ["start"]


def test_a_job_that_waits_for_its_turn_is_terminated_untouched(lab: Lab, fresh_service: NewService) -> None:
    """With one job at a time the second waits; terminated, it never reaches a host, down or not."""
    service, mark = fresh_service("--max-running-jobs", "1"), new_mark()
    jobs = Jobs(service)
    first = jobs.script(STUBBORN.format(mark=mark), 101)
    wait_for_start(lab, [lab.host(101)], mark)
    second = jobs.script(f'echo ran >> "$HOME/{mark}"', 102, 199)
    time.sleep(1)
    assert service.status(1, second.id)["job_instance"]["status"] == 1
    terminate(second)
    assert second.status == 11
    assert set(second.states.values()) == {(403, None, 126)}
    assert not service.status(1, first.id)["finished"]
    terminate(first)
    assert first.status == 11
    assert marks(lab, lab.host(102), mark) == []


def test_what_has_ended_or_not_begun_cannot_be_terminated(service: Service, jobs: Jobs) -> None:
    """1241003 for a finished job, for one that waits for its start, and a second time."""
    ended = jobs.script("true", 101)
    assert ended.status == 3
    assert operate(service, ended.id, TERMINATE)["code"] == 1241003
    waiting = jobs.script("true", 101, start_task=False)
    reply = operate(service, waiting.id, TERMINATE)
    assert (reply["code"], reply["data"]) == (1241003, None)
    assert service.status(1, waiting.id)["job_instance"]["status"] == 1
    long = jobs.script("sleep 60", 101)
    terminate(long)
    assert long.status == 11
    assert operate(service, long.id, TERMINATE)["code"] == 1241003


def test_start_starts_once(service: Service, jobs: Jobs) -> None:
    """start_task=false waits for operation 2; once started, and for any other job, that is 1241015."""
    job = jobs.script("echo started", 101, start_task=False)
    time.sleep(1.5)
    assert service.status(1, job.id)["job_instance"]["status"] == 1
    assert operate(service, job.id, START)["code"] == 0
    again = operate(service, job.id, START)
    assert (again["code"], again["result"]) == (1241015, False)
    assert str(job.id) in again["message"]
    assert job.status == 3
    assert job.log(101) == "started\n"
    assert operate(service, job.id, START)["code"] == 1241015


def test_jobs_of_others_and_unknown_operations(service: Service, jobs: Jobs) -> None:
    """A job of another business does not exist here; operations that are none are 1241002."""
    job = jobs.script("true", 101, start_task=False)
    assert operate(service, job.id, START, biz=2)["code"] == 1244006
    assert operate(service, 2**40, TERMINATE)["code"] == 1244006
    for code in (0, 3, 99):
        assert operate(service, job.id, code)["code"] == 1241002


def test_a_transfer_ends_at_once_and_leaves_nothing(lab: Lab, jobs: Jobs) -> None:
    """In the middle of a slow copy: hosts 403, job 11, no file at its place and no staging beside it."""
    source, target, mark = lab.host(101), lab.host(102), new_mark()
    big, place = f"{source.home or '/root'}/{mark}.bin", f"{target.home or '/root'}/{mark}"
    lab.exec(source, f"head -c 30000000 /dev/zero > {big}")
    job = jobs.files([Source([101], [big])], f"{place}/", 102, download_speed_limit=1)
    wait_until(lambda: ".job-" in lab.exec(target, f"ls -A {place}").stdout, "the transfer")
    began = time.monotonic()
    terminate(job)
    assert job.status == 11, job.why()
    assert time.monotonic() - began < 20
    assert job.statuses == {102: 403}
    assert lab.exec(target, f"ls -A {place}").stdout == ""


def test_a_host_that_is_down_does_not_hold_up_a_terminate(lab: Lab, jobs: Jobs) -> None:
    """The hosts that answer are 403; the job ends soon."""
    mark = new_mark()
    job = jobs.script(STUBBORN.format(mark=mark), 101, 199)
    wait_for_start(lab, [lab.host(101)], mark)
    began = time.monotonic()
    terminate(job)
    assert job.status == 11
    assert time.monotonic() - began < 40
    assert job.statuses[101] == 403, job.why()
    assert job.statuses[199] in (310, 403, 404)
    assert marked(lab, lab.host(101), mark) == []


def test_a_host_whose_cable_is_cut_is_not_confirmed(lab: Lab, fresh_service: NewService) -> None:
    """404 and the reason in its log, for the script may go on there; the others are 403."""
    if not lab.isolated:
        pytest.skip(f"hosts of the {lab.kind} kind have no cable to cut")
    host, other, mark = lab.host(103), lab.host(102), new_mark()
    alone = {"ANSIBLE_SSH_ARGS": "-o ControlMaster=no -o ConnectTimeout=4"}
    job = Jobs(fresh_service(environment=alone)).script(STUBBORN.format(mark=mark), 102, 103)
    wait_for_start(lab, [host, other], mark)
    lab.cut(host)
    try:
        began = time.monotonic()
        terminate(job)
        assert job.status == 11
        assert time.monotonic() - began < 60
        assert job.statuses == {102: 403, 103: 404}, {host_id: job.log(host_id) for host_id in (102, 103)}
        assert "not stopped" in job.log(103)
        assert marked(lab, host, mark)
    finally:
        lab.mend(host)
        lab.exec(host, f"kill -9 $(grep -l {mark} /proc/[0-9]*/cmdline | cut -d/ -f3)")


def test_terminate_as_the_job_ends_is_refused_or_carried_out(lab: Lab, jobs: Jobs) -> None:
    """At any moment around the end: 1241003 and success, or success of the call and job state 11."""
    seed = random.SystemRandom().randrange(10**6)
    print(f"seed {seed}")
    chance = random.Random(seed)
    for _ in range(5):
        job = jobs.script("sleep 1; echo done", 101, 102)
        time.sleep(chance.uniform(0.8, 2.6))
        code = operate(job.service, job.id, TERMINATE)["code"]
        assert code in (0, 1241003)
        assert job.status == (11 if code == 0 else 3), f"seed {seed}: {job.why()}"
        for host_id, status in job.statuses.items():
            assert status in ((403, 9) if code == 0 else (9,)), f"seed {seed}: {job.why()}"
            assert job.log(host_id).count("done") <= 1, f"seed {seed}: {job.why()}"
            assert status != 9 or job.log(host_id) == "done\n"
