"""What ansible-runner's events mean for a host: raw event dict -> HostEvent, or None if it tells nothing."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from adapter.job.status import HostStatus

#: Tasks whose events are about a target host; a "fetch" is about a source.
_TARGET_TASKS = ("script", "send", "stop")

_USER_MISSING = re.compile(
    r"unknown user|does not exist|unknown login|no passwd entry|invalid user|unknown uid", re.IGNORECASE
)
_BAD_PASSWORD = re.compile(
    r"permission denied|incorrect \S*\s*password|missing \S*\s*password|authentication fail"
    r"|privilege escalation prompt",
    re.IGNORECASE,
)

_SCRIPT_STATES = {
    "timeout": HostStatus.SCRIPT_TIMEOUT,
    "terminated": HostStatus.TERMINATED,
    "not_stopped": HostStatus.TERMINATE_FAILED,
    "no_password": HostStatus.BAD_PASSWORD,
    "lost": HostStatus.LOG_ERROR,
    "gone": HostStatus.LOG_ERROR,
    "overdue": HostStatus.TIMEOUT,
    "refused": HostStatus.SUBMIT_FAILED,
    "wrong_user": HostStatus.TASK_ERROR,
}
_FILE_STATES = {
    "ok": HostStatus.SUCCESS,
    "source_missing": HostStatus.SOURCE_MISSING,
    "source_failed": HostStatus.FILE_FETCH_ERROR,
    "copy_failed": HostStatus.COPY_FAILED,
    "timeout": HostStatus.FILE_TIMEOUT,
    "terminated": HostStatus.TERMINATED,
    "wrong_user": HostStatus.TASK_ERROR,
}


@dataclass(frozen=True, kw_only=True)
class HostEvent:
    """Something happened to a host: it was taken up (RUNNING) or it ended (any finished status)."""

    name: str  #: inventory_hostname
    status: HostStatus
    exit_code: int | None = None
    message: str = ""
    start_time: int | None = None
    end_time: int | None = None
    log_bytes: int | None = None
    is_answer: bool = (
        False  #: True if it is the word of a plugin about the host, whether that has ended or not
    )


def parse(raw: Mapping[str, Any]) -> HostEvent | None:
    """The event of one target host; None for everything else a run says."""
    data = raw.get("event_data") or {}
    kind, name, task = raw.get("event"), data.get("host"), data.get("task")
    if not name or task not in _TARGET_TASKS:
        return None
    at = _created(raw)
    if kind == "runner_on_start":
        return None if task == "stop" else HostEvent(name=name, status=HostStatus.RUNNING, start_time=at)
    if kind == "runner_on_unreachable":
        message = str((data.get("res") or {}).get("msg") or "the host cannot be reached")
        return replace(unreachable(name, message, task), end_time=at)
    if kind not in ("runner_on_ok", "runner_on_failed"):
        return None
    res = data.get("res") or {}
    if isinstance(res.get("job"), Mapping):
        return of_result(name, res["job"], is_file=task == "send")
    message = str(res.get("msg") or res.get("exception") or "Ansible reported a failure without a reason")
    status = _of_message(message, HostStatus.TASK_ERROR)
    return HostEvent(name=name, status=status, message=message, end_time=at)


def _created(raw: Mapping[str, Any]) -> int | None:
    """When Ansible said it, in milliseconds: whoever stores it does so later, in batches."""
    text = raw.get("created")
    if not isinstance(text, str):
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    return int((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() * 1000)


def unreachable(name: str, message: str, task: str) -> HostEvent:
    """A host that cannot be reached, or will not let Ansible in."""
    if task == "stop":
        return HostEvent(name=name, status=HostStatus.TERMINATE_FAILED, message=f"not stopped: {message}")
    status = _of_message(message, HostStatus.AGENT_ABNORMAL)
    return HostEvent(name=name, status=status, message=message)


def of_result(name: str, job: Mapping[str, Any], *, is_file: bool) -> HostEvent:
    """What an action plugin of adapter.job said (its `job` result, also kept in the spool)."""
    return HostEvent(
        name=name,
        status=_status(job, is_file),
        exit_code=job.get("exit_code"),
        message=str(job.get("message") or ""),
        start_time=job.get("start_time"),
        end_time=job.get("end_time"),
        log_bytes=job.get("log_bytes"),
        is_answer=True,
    )


def _status(job: Mapping[str, Any], is_file: bool) -> HostStatus:
    state = str(job.get("state"))
    if state in ("running", "launching"):
        return HostStatus.RUNNING
    if state == "no_answer":
        otherwise = HostStatus.TASK_ERROR if is_file else HostStatus.SUBMIT_FAILED
        return _of_message(str(job.get("message")), otherwise)
    if is_file:
        return _FILE_STATES.get(state, HostStatus.TASK_ERROR)
    if state == "finished":
        return HostStatus.SUCCESS if job.get("exit_code") == 0 else HostStatus.NON_ZERO_EXIT
    return _SCRIPT_STATES.get(state, HostStatus.TASK_ERROR)


def _of_message(message: str, otherwise: HostStatus) -> HostStatus:
    if _USER_MISSING.search(message):
        return HostStatus.USER_MISSING
    if _BAD_PASSWORD.search(message):
        return HostStatus.BAD_PASSWORD
    return otherwise
