# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs a script on a host: detached, exactly once per key, with live output (design D4).

    - adapter.job.script:
        phase: start        # launch and wait a moment | follow: until it ends | stop: kill it
        key: "a1b2.17.0"    # <installation>.<step instance>.<execute count>; with the host's id it names the run
        script: files/script
        language: 1
        param: !unsafe "a b"            # or param_secret: NAME
        timeout: 7200
        user: root          # whom the script must run as; "" does not look
        max_log: 5242880    # bytes of output that are kept

The result holds `job`: state, exit_code, log_bytes (printed), log_kept (spooled), message, start_time, end_time.
"""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleConnectionFailure
from ansible.plugins.action import ActionBase
from ansible_collections.adapter.job.plugins.plugin_utils.exchange import Answer, Exchange, NoAnswer
from ansible_collections.adapter.job.plugins.plugin_utils.secret_socket import SecretUnavailable, fetch
from ansible_collections.adapter.job.plugins.plugin_utils.spool import Spool

#: Seconds the first exchange waits: a short script is done in it.
_START_WAIT = 1
#: Seconds a follow exchange waits on the host for new output before it answers.
_FOLLOW_WAIT = 5
#: Output is fetched in pieces of this size.
_PIECE = 1024 * 1024
#: Seconds past the script's own timeout after which the host is given up.
_GRACE = 60
#: Seconds a host may say "launching" before the launch counts as lost.
_LAUNCH_LIMIT = 20
_UNFINISHED = ("running", "launching")
#: How ssh words that nothing can have been launched; trying again at once would only double the wait.
_NEVER_IN = re.compile(
    "connect to host|could not resolve|permission denied|host key|invalid/incorrect|escalation prompt",
    re.IGNORECASE,
)


class ActionModule(ActionBase):  # type: ignore[misc]
    """One phase of a script on one host."""

    _requires_connection = True
    _supports_check_mode = False
    _VALID_ARGS = frozenset(
        {"phase", "key", "script", "language", "param", "param_secret", "timeout", "user", "max_log"}
    )

    def run(self, tmp: Any = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Ansible's entry: the result of the phase, `failed` unless the script ended well or goes on."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        task_vars = task_vars or {}
        self._args = self._task.args
        self._spool = Spool(str(task_vars.get("bk_host_id", task_vars["inventory_hostname"])))
        self._ask = Exchange(self, "supervisor.sh")
        self._key = f"{self._args['key']}.{task_vars.get('bk_host_id', 0)}{self._spool.key_suffix}"
        self._user = str(self._args.get("user") or "")
        self._max_log = int(self._args.get("max_log", 5 * _PIECE))
        self._playbook_dir = Path(str(task_vars["playbook_dir"]))
        try:
            job = getattr(self, f"_phase_{self._args['phase']}")()
        except NoAnswer as error:
            job = self._finish("no_answer", None, str(error))
        except SecretUnavailable as error:
            job = self._finish("refused", None, str(error))
        result["job"] = job
        result["failed"] = not (
            job["state"] in _UNFINISHED or (job["state"] == "finished" and job["exit_code"] == 0)
        )
        if result["failed"]:
            result["msg"] = job["message"] or f"{job['state']}, exit code {job['exit_code']}"
        if not self._spool.is_active:
            result["stdout"] = self._output.decode("utf-8", "replace")
        return result

    # --- phases ----------------------------------------------------------------------------------------

    def _phase_start(self) -> dict[str, Any]:
        self._output = b""
        if recorded := self._spool.result():
            return recorded
        if self._spool.was_started():
            return self._job("running", None, "")
        if self._spool.stop_reason():
            # An earlier attempt may have launched it and died before it could say so: the host knows.
            return self._phase_stop()
        started = _now()
        answer = self._started()
        self._spool.mark_started()
        return self._took(answer, started)

    def _phase_follow(self) -> dict[str, Any]:
        self._output = b""
        if recorded := self._spool.result():
            return recorded
        deadline = time.monotonic() + int(self._args["timeout"]) + _GRACE
        launching_until = time.monotonic() + _LAUNCH_LIMIT
        while True:
            answer = self._followed(deadline)
            job = self._took(answer, None)
            if job["state"] not in _UNFINISHED:
                return job
            if answer.state == "launching" and time.monotonic() > launching_until:
                return self._finish("lost", None, "the host accepted the script but never launched it")
            if time.monotonic() > deadline:
                return self._finish("overdue", None, "the host did not end the script in time")

    def _phase_stop(self) -> dict[str, Any]:
        self._output = b""
        if recorded := self._spool.result():
            return recorded
        answer = self._ask("stop", self._key, self._user)
        return self._took(answer, None)

    # --- exchanges -------------------------------------------------------------------------------------

    def _started(self) -> Answer:
        script = (self._playbook_dir / str(self._args["script"])).read_bytes()
        secret = self._args.get("param_secret")
        param = fetch(str(secret)) if secret else str(self._args.get("param", ""))
        data = param.replace("\n", " ").encode("utf-8", "surrogateescape") + b"\n" + script
        args = (self._user, self._args["timeout"], self._args["language"], len(script), 0)
        try:
            return self._ask("start", self._key, *args, self._room(), _START_WAIT, data=data)
        except AnsibleConnectionFailure as error:
            if _NEVER_IN.search(str(error)):
                raise
            # It may have been launched before the connection broke; starting again only attaches then.
            return self._ask("start", self._key, *args, self._room(), _START_WAIT, data=data)

    def _followed(self, deadline: float) -> Answer:
        pause = 1.0
        while True:
            try:
                offset = self._offset()
                return self._ask("follow", self._key, self._user, offset, self._room(), _FOLLOW_WAIT)
            except (AnsibleConnectionFailure, NoAnswer):
                if time.monotonic() + pause > deadline or self._spool.stop_reason():
                    raise
                time.sleep(pause)
                pause = min(pause * 2, 15)

    def _offset(self) -> int:
        return self._spool.log_size() if self._spool.is_active else len(self._output)

    def _room(self) -> int:
        return max(0, min(_PIECE, self._max_log - self._offset()))

    # --- results ---------------------------------------------------------------------------------------

    def _took(self, answer: Answer, started: int | None) -> dict[str, Any]:
        """Spool what the host sent; once it has ended and its log is complete, record the result and clean."""
        self._keep(answer.output)
        code, size, *words = answer.words
        message = " ".join(words).removeprefix("-")
        if answer.state in _UNFINISHED:
            return self._job(answer.state, None, message, started=started)
        while self._offset() < min(int(size), self._max_log):
            more = self._ask("follow", self._key, self._user, self._offset(), self._room(), 0)
            if not more.output:
                break
            self._keep(more.output)
        exit_code = None if code == "-" else int(code)
        job = self._finish(answer.state, exit_code, message, log_bytes=int(size), started=started)
        if answer.state in ("finished", "timeout", "terminated"):
            self._clean()
        return job

    def _keep(self, output: bytes) -> None:
        self._spool.write_log(self._offset(), output)
        if not self._spool.is_active:
            self._output += output

    def _clean(self) -> None:
        """Remove the run from the host. Its result is recorded: a host that is gone by now changes nothing."""
        if self._spool.stop_reason():
            return  # what is left there keeps a late start from running
        try:
            self._ask("clean", self._key, self._user)
        except (AnsibleConnectionFailure, NoAnswer) as error:
            self._display.vvv(f"could not remove the run {self._key} from the host: {error}")

    def _finish(
        self, state: str, exit_code: int | None, message: str, log_bytes: int = 0, started: int | None = None
    ) -> dict[str, Any]:
        job = self._job(state, exit_code, message, max(log_bytes, self._offset()), started)
        job["end_time"] = _now()
        self._spool.record(job)
        return job

    def _job(
        self,
        state: str,
        exit_code: int | None,
        message: str,
        log_bytes: int = 0,
        started: int | None = None,
    ) -> dict[str, Any]:
        return {
            "state": state,
            "exit_code": exit_code,
            "message": message,
            "log_bytes": log_bytes,
            "log_kept": self._offset(),
            "start_time": started,
            "end_time": None,
        }


def _now() -> int:
    return int(time.time() * 1000)
