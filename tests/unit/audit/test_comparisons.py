"""What agrees is not spoken of; each disagreement is named, with what says one thing and what another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from adapter.ansible.runner_events import HostEvent
from adapter.audit import ends, logs, runs, states
from adapter.audit.ends import Evidence
from adapter.audit.finding import Disagreement, Finding, Kind, Place
from adapter.audit.logs import SpooledLog
from adapter.audit.runs import RunOnHost
from adapter.audit.states import LONG, Owner
from adapter.job.model import (
    FileLog,
    FileTask,
    Host,
    HostResult,
    JobInstance,
    Scope,
    ScriptTask,
    StepInstance,
)
from adapter.job.status import HostStatus, RunStatus

HOST = Host(bk_host_id=7, bk_cloud_id=0, ip="10.0.0.7", name="seven")
SCRIPT = ScriptTask(language=1, content="true")
FILES = FileTask(sources=(), target_path="/tmp/", account_id=1)
LOG = b"one\ntwo job_success:[x]\n"
OWN = b"[2024-07-04 12:00:00] killed\n"


def step(status: RunStatus = RunStatus.SUCCESS, **changes: Any) -> StepInstance:
    """A script step that has ended."""
    known = {"id": 3, "job_instance_id": 2, "script": SCRIPT, "start_time": 10, "end_time": 20}
    return StepInstance(**{**known, "status": status, **changes})


def job(status: RunStatus, *steps: StepInstance, **changes: Any) -> JobInstance:
    """A job that has ended."""
    known = {"id": 2, "scope": Scope("biz", "2"), "start_time": 10, "end_time": 20}
    return JobInstance(**{**known, "status": status, "steps": steps, **changes})


def host(status: HostStatus = HostStatus.SUCCESS, **changes: Any) -> HostResult:
    """A host that printed LOG and ended with 0."""
    known: dict[str, Any] = {"exit_code": 0, "start_time": 10, "end_time": 20, "tag": "x"}
    known |= {"log_bytes": len(LOG), "log_kept": len(LOG)}
    return HostResult(**{"host": HOST, "status": status, **known, **changes})


def only(found: Sequence[Disagreement] | Any) -> Disagreement:
    """The one that there is."""
    (one,) = found
    assert isinstance(one, tuple)
    return one


# --- states ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "clean",
    [
        job(RunStatus.SUCCESS, step(), step(RunStatus.IGNORED, order=1)),
        job(RunStatus.FAILED, step(RunStatus.FAILED), step(RunStatus.WAITING, order=1, end_time=None)),
        job(RunStatus.STOPPED, step(RunStatus.SUCCESS)),
        job(RunStatus.RUNNING, step(RunStatus.RUNNING, end_time=None), end_time=None),
    ],
)
def test_a_job_that_adds_up_is_not_spoken_of(clean: JobInstance) -> None:
    """Also one that runs, and one that was terminated although its steps went well."""
    assert list(states.of_job(clean)) == []


@pytest.mark.parametrize(
    ("wrong", "kind", "words"),
    [
        (job(RunStatus.SUCCESS, step(RunStatus.FAILED)), Kind.STATE, "its steps add up to FAILED (4)"),
        (
            job(RunStatus.STOPPED, step(RunStatus.RUNNING, end_time=None)),
            Kind.STATE,
            "its step 3 is RUNNING (2)",
        ),
        (
            job(
                RunStatus.STOPPED,
                step(RunStatus.WAITING, id=8, end_time=None),
                step(RunStatus.SUCCESS, order=1),
            ),
            Kind.STATE,
            "one before it has not begun",
        ),
        (job(RunStatus.SUCCESS, step(), end_time=None), Kind.TIME, "has no end time"),
        (job(RunStatus.RUNNING, step()), Kind.TIME, "is RUNNING (2) and has an end time"),
        (job(RunStatus.RUNNING, step(), start_time=None, end_time=None), Kind.TIME, "has no start time"),
    ],
)
def test_a_job_that_does_not_add_up_is_named(wrong: JobInstance, kind: Kind, words: str) -> None:
    """Its state against its steps', and its times."""
    found = only(states.of_job(wrong))
    assert found[0] is kind
    assert words in found[1]


def owner(**changes: Any) -> Owner:
    """Somebody who has the job and lives."""
    known = {"is_open": True, "worker_id": "w", "worker_silence": 1.0, "somebody_works": True}
    return Owner(**{**known, **changes})


def test_a_job_that_somebody_carries_on_or_that_may_wait_is_not_spoken_of() -> None:
    """A queue is none of the audit's business as long as somebody works."""
    running = job(RunStatus.RUNNING, end_time=None)
    assert list(states.of_owner(running, owner(), LONG + 1)) == []
    assert list(states.of_owner(running, owner(worker_id=None), LONG - 1)) == []
    waiting = job(RunStatus.WAITING)
    assert list(states.of_owner(waiting, owner(worker_id=None), LONG + 1)) == []
    asleep = job(RunStatus.WAITING, started=False)
    assert list(states.of_owner(asleep, owner(worker_id=None, somebody_works=False), LONG + 1)) == []
    ended = job(RunStatus.SUCCESS, callback_url="http://127.0.0.1/")
    assert list(states.of_owner(ended, owner(), LONG + 1)) == []


@pytest.mark.parametrize(
    ("of", "who", "words"),
    [
        (job(RunStatus.RUNNING), owner(worker_id=None), "no worker has claimed it"),
        (job(RunStatus.WAITING), owner(worker_id=None, somebody_works=False), "no worker has claimed it"),
        (job(RunStatus.RUNNING), owner(worker_silence=None), "its worker w is gone"),
        (job(RunStatus.RUNNING), owner(worker_silence=LONG + 1.0), "is silent for more than 300 s"),
        (job(RunStatus.RUNNING), owner(is_open=False), "the engine has nothing left to do for it"),
        (job(RunStatus.SUCCESS), owner(), "the engine still has it to do"),
    ],
)
def test_a_job_that_nobody_carries_on_is_named(of: JobInstance, who: Owner, words: str) -> None:
    """And one that has ended and still has an owner."""
    assert words in only(states.of_owner(of, who, LONG + 1))[1]


def test_a_step_is_what_its_hosts_add_up_to() -> None:
    """A stop that came when all had succeeded is a success; one that ended hosts is a stop."""
    assert list(states.of_step(step(), [host()], False)) == []
    killed = host(HostStatus.TERMINATED, exit_code=143, error_code=126)
    assert list(states.of_step(step(RunStatus.STOPPED), [host(), killed], True)) == []
    unreachable = host(HostStatus.AGENT_ABNORMAL, error_code=117)
    assert list(states.of_step(step(RunStatus.STOPPED), [unreachable], True)) == []
    assert "add up to FAILED (4)" in only(states.of_step(step(RunStatus.STOPPED), [unreachable], False))[1]
    assert "add up to SUCCESS (3)" in only(states.of_step(step(RunStatus.FAILED), [host()], False))[1]
    runs_on = host(HostStatus.RUNNING, exit_code=None, end_time=None)
    words = only(states.of_step(step(), [host(), runs_on], False))[1]
    assert "1 of its hosts have not: 0:10.0.0.7 is RUNNING (7)" in words
    early = step(RunStatus.WAITING, end_time=None)
    assert "has not begun, 1 of its hosts have" in only(states.of_step(early, [host()], False))[1]


@pytest.mark.parametrize(
    ("wrong", "kind", "words"),
    [
        (host(end_time=None), Kind.TIME, "has no end time"),
        (host(HostStatus.RUNNING, exit_code=None), Kind.TIME, "is RUNNING (7) and has an end time"),
        (
            host(HostStatus.RUNNING, exit_code=None, start_time=None, end_time=None),
            Kind.TIME,
            "has no start time",
        ),
        (host(exit_code=1), Kind.EXIT_CODE, "reads SUCCESS with exit code 1"),
        (host(HostStatus.NON_ZERO_EXIT), Kind.EXIT_CODE, "reads NON_ZERO_EXIT with exit code 0"),
        (host(HostStatus.RUNNING, end_time=None), Kind.EXIT_CODE, "is RUNNING (7) with exit code 0"),
        (host(error_code=117), Kind.STATE, "is SUCCESS (9) with error code 117, not 0"),
        (host(log_bytes=3), Kind.LOG, "23 bytes are kept of 3"),
    ],
)
def test_a_host_that_contradicts_itself_is_named(wrong: HostResult, kind: Kind, words: str) -> None:
    """State, exit code, error code, times, sizes."""
    assert list(states.of_host(step(), host())) == []
    found = only(states.of_host(step(), wrong))
    assert found[0] is kind
    assert words in found[1].replace(str(len(LOG)), "23")


# --- ends ------------------------------------------------------------------------------------------------


def event(status: HostStatus = HostStatus.SUCCESS, exit_code: int | None = 0, **changes: Any) -> HostEvent:
    """What the plugin said of a host that printed LOG."""
    known: dict[str, Any] = {"end_time": 20, "log_bytes": len(LOG), "is_answer": True}
    return HostEvent(**{"name": "seven", "status": status, "exit_code": exit_code, **known, **changes})


UNREACHABLE = event(HostStatus.AGENT_ABNORMAL, None, end_time=None, log_bytes=None, is_answer=False)


@pytest.mark.parametrize(
    ("result", "evidence"),
    [
        (host(), Evidence(recorded=event(), told=[event(), event()])),
        (host(), Evidence(recorded=event(), told=[UNREACHABLE])),
        (host(HostStatus.AGENT_ABNORMAL), Evidence(told=[UNREACHABLE])),
        (host(HostStatus.TERMINATE_FAILED), Evidence()),
        (host(HostStatus.NO_AGENT, exit_code=None, log_bytes=0), Evidence()),
        (host(start_time=30, end_time=30), Evidence(recorded=event())),
    ],
)
def test_an_end_that_was_recorded_or_told_is_not_spoken_of(result: HostResult, evidence: Evidence) -> None:
    """An attempt that was killed may have told something else before; a clock may have gone back."""
    assert list(ends.of_end(step(), result, evidence)) == []


@pytest.mark.parametrize(
    ("result", "evidence", "kind", "words"),
    [
        (
            host(),
            Evidence(recorded=event(HostStatus.SCRIPT_TIMEOUT)),
            Kind.STATE,
            "reads SUCCESS (9), the plugin recorded SCRIPT_TIMEOUT (102), exit code 0",
        ),
        (host(exit_code=5), Evidence(recorded=event()), Kind.EXIT_CODE, "exit code 5, the plugin recorded 0"),
        (host(log_bytes=9), Evidence(recorded=event()), Kind.LOG, "reads 9 bytes printed"),
        (host(end_time=21), Evidence(recorded=event()), Kind.TIME, "ended at 21, the plugin recorded 20"),
        (host(), Evidence(), Kind.STATE, "reads SUCCESS (9), Ansible's events tell nothing"),
        (host(), Evidence(told=[UNREACHABLE]), Kind.STATE, "events tell AGENT_ABNORMAL (310)"),
        (host(), Evidence(told=[event()]), Kind.STATE, "and no result is recorded"),
        (
            host(),
            Evidence(recorded=event(), told=[event(HostStatus.NON_ZERO_EXIT, 3)]),
            Kind.STATE,
            "Ansible told NON_ZERO_EXIT (104), exit code 3, the plugin recorded SUCCESS (9)",
        ),
    ],
)
def test_an_end_that_is_not_the_recorded_one_is_named(
    result: HostResult, evidence: Evidence, kind: Kind, words: str
) -> None:
    """Store, spool and Ansible's events, each against the others."""
    found = only(ends.of_end(step(), result, evidence))
    assert found[0] is kind
    assert words in found[1]


# --- logs and files --------------------------------------------------------------------------------------


def spooled(content: bytes = LOG) -> SpooledLog:
    """What the host printed."""
    return SpooledLog(
        size=len(content), read=lambda offset, size: content[offset : offset + size], tail=content.decode()
    )


@pytest.mark.parametrize("size", [1, 4, 1000])
def test_a_whole_log_is_not_spoken_of(size: int) -> None:
    """In whatever chunks, with the service's own words after it or without."""
    for text in (LOG, LOG + OWN):
        chunks = [(at, text[at : at + size]) for at in range(0, len(text), size)]
        assert list(logs.of_log(host(), chunks, spooled())) == []
        assert list(logs.of_log(host(), chunks, None)) == []
    quiet = host(tag="", log_bytes=0, log_kept=0)
    assert list(logs.of_log(quiet, [(0, OWN)], spooled(b""))) == []
    assert list(logs.of_log(quiet, [], spooled(b""))) == []


@pytest.mark.parametrize(
    ("chunks", "words"),
    [
        ([(0, LOG[:4]), (6, LOG[6:])], ["a hole: bytes 4 to 6"]),
        ([(0, LOG[:4]), (2, LOG[2:])], ["an overlap: bytes 2 to 4"]),
        ([(0, b"onE" + LOG[3:])], ["differs from what the host printed, from byte 2 on"]),
        ([(0, LOG[:-1])], [f"{len(LOG)} bytes should be stored, {len(LOG) - 1} are"]),
        ([(0, LOG + b"more")], [f"after the {len(LOG)} bytes that count as kept come 4 more"]),
        ([], [f"{len(LOG)} bytes should be stored, 0 are"]),
    ],
)
def test_a_log_that_is_not_what_was_printed_is_named(
    chunks: list[tuple[int, bytes]], words: list[str]
) -> None:
    """Holes, repetitions, other bytes, a missing end, bytes that nobody printed."""
    assert [text for _, text in logs.of_log(host(), chunks, spooled())] == words


def test_a_spool_that_says_otherwise_is_named() -> None:
    """How much was kept, and the tag."""
    found = [text for _, text in logs.of_log(host(tag="y"), [(0, LOG)], spooled(LOG + b"x"))]
    assert found == [
        f"the host's {len(LOG) + 1} spooled bytes read as {len(LOG)} kept",
        "reads tag 'y', the host printed 'x'",
    ]


def test_of_a_running_host_only_the_order_is_looked_at() -> None:
    """The rest is on its way."""
    running = host(HostStatus.RUNNING, log_bytes=0, log_kept=0, tag="")
    assert list(logs.of_log(running, [(0, b"on")], spooled())) == []
    assert "a hole" in only(logs.of_log(running, [(1, b"n")], spooled()))[1]


def test_files_are_told_of_as_the_host_ended() -> None:
    """And as the plugin last said."""
    done = FileLog(
        bk_host_id=7, mode=1, src_host_id=1, src_path="/a", dest_path="/b", status=4, status_desc="finished"
    )
    moving = FileLog(**{**vars(done), "status": 3, "status_desc": "downloading", "progress": 30})
    failed = FileLog(**{**vars(done), "status": 5, "status_desc": "failed"})
    refused = host(HostStatus.COPY_FAILED)
    assert list(logs.of_files(host(), [done])) == list(logs.of_files(refused, [done, failed])) == []
    assert only(logs.of_files(host(), [moving])) == (Kind.FILE, "reads SUCCESS, /b reads 3 downloading")
    assert only(logs.of_files(refused, [done]))[1] == "reads COPY_FAILED, none of its 1 files has failed"
    assert list(logs.of_file_logs([done], [done])) == []
    assert only(logs.of_file_logs([], [done]))[1] == "/b (finished) is not stored"
    assert (
        "reads 3 downloading 30%, the plugin said 4 finished" in only(logs.of_file_logs([moving], [done]))[1]
    )


# --- runs on hosts ---------------------------------------------------------------------------------------


def run(state: str, exit_code: int | None = None, printed: int = 0) -> RunOnHost:
    """A run directory."""
    return RunOnHost(step_instance_id=3, execute_count=0, state=state, exit_code=exit_code, printed=printed)


RUNNING = host(HostStatus.RUNNING, exit_code=None, end_time=None, log_bytes=0, log_kept=0)


@pytest.mark.parametrize(
    ("found", "result"),
    [
        (run("finished", 0, len(LOG)), host()),
        (run("finished", 0, len(LOG) + 5), host()),  # a daemon that it left goes on printing
        (run("running"), RUNNING),
        (run("finished", 0, 4), RUNNING),
        (run("collected"), host()),
        (run("running"), host(HostStatus.TERMINATE_FAILED)),
        (run("running"), host(HostStatus.LOG_ERROR)),
        (run("terminated", 143, len(LOG)), host(HostStatus.TERMINATED, exit_code=143)),
    ],
)
def test_a_run_that_stands_as_stored_is_not_spoken_of(found: RunOnHost, result: HostResult) -> None:
    """Also one that ended a moment ago, and one that was said to be left running."""
    assert list(runs.of_run(found, result, is_to_be_cleaned=True, stored_sha256=lambda: "sum")) == []


@pytest.mark.parametrize(
    ("found", "result", "cleaned", "words"),
    [
        (run("running"), host(), True, "reads SUCCESS (9), the script is running on the host"),
        (run("launching"), host(HostStatus.TERMINATED), True, "the script is launching on the host"),
        (run("finished", 0, len(LOG)), None, True, "the store knows no such run"),
        (run("finished", 0, len(LOG)), host(HostStatus.AGENT_ABNORMAL), True, "nobody has collected that"),
        (run("collected"), RUNNING, True, "is RUNNING (7), the run was removed from the host"),
        (run("timeout", 0, len(LOG)), host(), True, "the host says SCRIPT_TIMEOUT (102)"),
        (
            run("terminated", 9, len(LOG)),
            host(HostStatus.TERMINATED),
            True,
            "reads exit code 0, the host says",
        ),
        (run("finished", 0, 2), host(), True, "bytes printed, the host has 2"),
        (run("finished", 0, len(LOG)), host(), False, "is still there"),
    ],
)
def test_a_run_that_stands_otherwise_is_named(
    found: RunOnHost, result: HostResult | None, cleaned: bool, words: str
) -> None:
    """What runs though it ended, what nobody knows, what nobody collected, other ends, what nobody removes."""
    assert words in only(runs.of_run(found, result, cleaned, lambda: "sum"))[1]


def test_a_log_that_is_not_the_hosts_is_named() -> None:
    """Where the sum can be told and nothing was printed since."""
    ended = run("finished", 0, len(LOG))
    same, other = replace(ended, sha256="sum"), replace(ended, sha256="another")
    assert list(runs.of_run(same, host(), True, lambda: "sum")) == []
    assert list(runs.of_run(replace(other, printed=99), host(), True, lambda: "sum")) == []
    assert "are not those that the host has" in only(runs.of_run(other, host(), True, lambda: "sum"))[1]


def test_a_finding_is_one_line_that_says_where() -> None:
    """Whatever a file is called."""
    place = Place.of(job(RunStatus.SUCCESS), step(), 0, host())
    finding = Finding(place, Kind.FILE, "/a\nb is gone")
    assert str(finding) == "job 2 step 3.0 host 7 (0:10.0.0.7): file: /a b is gone"
    assert finding.as_json()["bk_host_id"] == 7
    assert str(Finding(Place(job_instance_id=2), Kind.STATE, "x")) == "job 2: state: x"


def test_files_of_a_host_have_no_exit_code() -> None:
    """A transfer that went well has none."""
    of_files = step(script=None, file=FILES)
    assert list(states.of_host(of_files, host(exit_code=None, log_bytes=0, log_kept=0))) == []
