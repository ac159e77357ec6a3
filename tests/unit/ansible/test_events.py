"""What ansible-runner's events mean for a host."""

from __future__ import annotations

from typing import Any

import pytest

from adapter.ansible.runner_events import HostEvent, of_result, parse, unreachable
from adapter.job.status import HostStatus


def raw(kind: str, task: str = "script", host: str | None = "web", **res: Any) -> dict[str, Any]:
    """An event as ansible-runner gives it."""
    return {"event": kind, "event_data": {"host": host, "task": task, "res": res}}


def status(state: str, *, is_file: bool = False, **job: Any) -> HostStatus:
    """What a plugin's result means."""
    return of_result("web", {"state": state, **job}, is_file=is_file).status


def test_a_task_that_starts_means_running() -> None:
    """On a target; a stop that starts says nothing about the script."""
    assert parse(raw("runner_on_start")) == HostEvent(name="web", status=HostStatus.RUNNING)
    assert parse(raw("runner_on_start", "send")) == HostEvent(name="web", status=HostStatus.RUNNING)
    assert parse(raw("runner_on_start", "stop")) is None


@pytest.mark.parametrize(
    "event",
    [
        {},
        {"event": "playbook_on_stats", "event_data": None},
        {"event": "verbose"},
        raw("runner_on_ok", "fetch", job={"state": "ok"}),
        raw("runner_on_ok", host=None),
        raw("runner_on_skipped", "script"),
        raw("runner_item_on_ok"),
        raw("runner_retry"),
    ],
)
def test_events_that_tell_nothing_about_a_target(event: dict[str, Any]) -> None:
    """The play's own, a source's, a skipped task's: None."""
    assert parse(event) is None


def test_a_result_carries_everything_the_plugin_said() -> None:
    """Exit code, times and bytes; a failed task has the same as an ok one."""
    said: dict[str, Any] = {"exit_code": 3, "start_time": 5, "end_time": 9, "log_bytes": 70, "message": "m"}
    job = {"state": "finished", **said}
    expected = HostEvent(name="web", status=HostStatus.NON_ZERO_EXIT, **said, is_answer=True)
    assert parse(raw("runner_on_ok", job=job)) == expected
    assert parse(raw("runner_on_failed", "script", job=job)) == expected


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        ("running", HostStatus.RUNNING),
        ("launching", HostStatus.RUNNING),
        ("timeout", HostStatus.SCRIPT_TIMEOUT),
        ("terminated", HostStatus.TERMINATED),
        ("lost", HostStatus.LOG_ERROR),
        ("gone", HostStatus.LOG_ERROR),
        ("overdue", HostStatus.TIMEOUT),
        ("refused", HostStatus.SUBMIT_FAILED),
        ("wrong_user", HostStatus.TASK_ERROR),
        ("never heard of", HostStatus.TASK_ERROR),
    ],
)
def test_states_of_scripts(state: str, expected: HostStatus) -> None:
    """Every state of the supervisor has its status; an unknown one is a task error."""
    assert status(state) is expected


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        ("ok", HostStatus.SUCCESS),
        ("source_missing", HostStatus.SOURCE_MISSING),
        ("source_failed", HostStatus.FILE_FETCH_ERROR),
        ("copy_failed", HostStatus.COPY_FAILED),
        ("timeout", HostStatus.FILE_TIMEOUT),
        ("terminated", HostStatus.TERMINATED),
        ("wrong_user", HostStatus.TASK_ERROR),
        ("never heard of", HostStatus.TASK_ERROR),
    ],
)
def test_states_of_files(state: str, expected: HostStatus) -> None:
    """Every state of a transfer has its status."""
    assert status(state, is_file=True) is expected


@pytest.mark.parametrize("code", [1, 126, 127, 137, 143, 255])
def test_exit_codes(code: int) -> None:
    """0 is success, any other 104."""
    assert status("finished", exit_code=0) is HostStatus.SUCCESS
    assert status("finished", exit_code=code) is HostStatus.NON_ZERO_EXIT


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (
            "su: user nosuch does not exist or the user entry does not contain all fields",
            HostStatus.USER_MISSING,
        ),
        ("sudo: unknown user: nosuch", HostStatus.USER_MISSING),
        ("sudo: unknown user nosuch", HostStatus.USER_MISSING),
        ("su: unknown login: nosuch", HostStatus.USER_MISSING),
        ("No passwd entry for user 'nosuch'", HostStatus.USER_MISSING),
        ("runuser: user nosuch does not exist", HostStatus.USER_MISSING),
        ("root@10.0.0.1: Permission denied (publickey,password).", HostStatus.BAD_PASSWORD),
        ("Invalid/incorrect password: Permission denied", HostStatus.BAD_PASSWORD),
        ("Incorrect sudo password", HostStatus.BAD_PASSWORD),
        ("Missing sudo password", HostStatus.BAD_PASSWORD),
        ("su: Authentication failure", HostStatus.BAD_PASSWORD),
        ("Timeout (12s) waiting for privilege escalation prompt: ", HostStatus.BAD_PASSWORD),
        ("/bin/sh: 1: sudo: not found", HostStatus.SUBMIT_FAILED),
    ],
)
def test_reasons_for_no_answer(message: str, expected: HostStatus) -> None:
    """A missing user and a refused password are told from everything else, as programs word them."""
    assert status("no_answer", message=message) is expected
    otherwise = HostStatus.TASK_ERROR if expected is HostStatus.SUBMIT_FAILED else expected
    assert status("no_answer", is_file=True, message=message) is otherwise


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("ssh: connect to host 10.0.0.1 port 22: Connection refused", HostStatus.AGENT_ABNORMAL),
        ("ssh: connect to host 10.0.0.1 port 22: No route to host", HostStatus.AGENT_ABNORMAL),
        ("Connection timed out during banner exchange", HostStatus.AGENT_ABNORMAL),
        ("Host key verification failed.", HostStatus.AGENT_ABNORMAL),
        ("Permission denied (publickey)", HostStatus.BAD_PASSWORD),
    ],
)
def test_unreachable_hosts(message: str, expected: HostStatus) -> None:
    """310 unless the host was there and would not let us in; while stopping it is a failed stop."""
    assert parse(raw("runner_on_unreachable", msg=message)) == HostEvent(
        name="web", status=expected, message=message
    )
    assert unreachable("web", message, "stop").status is HostStatus.TERMINATE_FAILED


def test_an_unreachable_host_without_a_reason_gets_one() -> None:
    """The log is never empty."""
    event = parse({"event": "runner_on_unreachable", "event_data": {"host": "web", "task": "script"}})
    assert event == HostEvent(
        name="web", status=HostStatus.AGENT_ABNORMAL, message="the host cannot be reached"
    )


def test_a_failure_of_ansible_s_own_is_a_task_error_with_its_words() -> None:
    """For instance a variable that cannot be rendered."""
    event = parse(raw("runner_on_failed", msg="'nosuch' is undefined"))
    assert event == HostEvent(name="web", status=HostStatus.TASK_ERROR, message="'nosuch' is undefined")
    silent = parse(raw("runner_on_failed"))
    assert silent is not None
    assert silent.message


def test_times_are_those_of_ansible_s_own_words() -> None:
    """Events are stored in batches, a moment later; without a time the moment of storing has to do."""
    began = raw("runner_on_start") | {"created": "2026-11-23T05:09:26.125000+00:00"}
    assert parse(began) == HostEvent(name="web", status=HostStatus.RUNNING, start_time=1795410566125)
    lost = raw("runner_on_unreachable", msg="gone") | {"created": "2026-11-23T05:09:27"}
    ended = parse(lost)
    assert ended is not None
    assert ended.end_time == 1795410567000
    for nothing in (None, "soon", 5):
        event = parse(raw("runner_on_start") | {"created": nothing})
        assert event is not None
        assert event.start_time is None
