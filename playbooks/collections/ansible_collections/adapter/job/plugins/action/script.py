# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs a script on a host: detached, exactly once per key, with live output (design D4).

    - adapter.job.script:
        phase: run          # launch unless it was, and follow until it ends | stop: kill it | clean: remove runs
        key: "a1b2.17.0"    # <installation>.<step instance>.<execute count>; with the host's id it names the run
        script: files/script
        language: 1
        param: !unsafe "a b"            # or param_secret: NAME
        variables: files/variables.json # of a plan, for a shell script; see _wrapper()
        timeout: 7200
        user: root          # whom the script must run as; "" does not look
        max_log: 5242880    # bytes of output that are kept
        windows_script: files/script.ps1                # where the connection's shell is one of Windows: by
        windows_interpreter: !unsafe 'D:\\py\\python.exe'  # Ansible's own `script` instead (plugin_utils/windows)
        keys: [...]         # of runs to remove, for clean only

With $ADAPTER_WAIT a host gets that many seconds of this run and may stay unfinished (`running`): when there are
more hosts than forks the service runs the play again on those, so that every script starts at once and every log
is live (design D4).

The result holds `job`: state, exit_code, log_bytes (printed), log_kept (spooled), message, start_time, end_time.
The spool has with it `variables`: what a script that ended by itself left of those that were to be captured.
"""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleConnectionFailure
from ansible.plugins.action import ActionBase
from ansible_collections.adapter.job.plugins.plugin_utils import windows
from ansible_collections.adapter.job.plugins.plugin_utils.exchange import Answer, Exchange, NoAnswer
from ansible_collections.adapter.job.plugins.plugin_utils.reach import pause_before, take_retries, was_in_vain
from ansible_collections.adapter.job.plugins.plugin_utils.secret_socket import SecretUnavailable, fetch
from ansible_collections.adapter.job.plugins.plugin_utils.spool import Spool
from ansible_collections.adapter.job.plugins.plugin_utils.variables import (
    NAMESPACE,
    can_source,
    captured,
    wrapper,
)

#: Seconds an exchange waits on the host for an end or for new output before it answers.
_PATIENCE = 15
#: Hundredths of a second that new output waits for more, from the first exchange to the later ones of a talkative
#: script: its first line is there at once, and it does not cost an exchange a line.
_LINGER = (10, 100)
#: Output is fetched in pieces of this size.
_PIECE = 1024 * 1024
#: Seconds past the script's own timeout after which the host is given up.
_GRACE = 60
#: Seconds a host may say "launching" before the launch counts as lost.
_LAUNCH_LIMIT = 20
#: Seconds: what is left of a turn below that is not worth another exchange.
_SHORTEST = 0.5
#: Languages that only Windows has, and all that it has.
_OF_WINDOWS, _ON_WINDOWS = (2, 5), (1, 2, 3, 4, 5)
_NOT_TWICE = (
    "the connection to this Windows host broke, or the service, after the script may have started: what became of "
    "it cannot be learned, and it is not started again"
)
_NOT_ENDED = "the script has not ended in its time; it may go on, for nobody can stop it on this Windows host"
_UNFINISHED = ("running", "launching")
#: The language whose script is run by a client of a database.
_SQL = 6
_PROGRAMS = Path(__file__).parents[1] / "plugin_utils"
_SILENT = "the host does not answer"
_NOT_WHOLE = "the variables at the script's end are not taken over: they are over 1 MiB, or the disk was full"


class ActionModule(ActionBase):  # type: ignore[misc]
    """One phase of a script on one host."""

    _requires_connection = True
    _supports_check_mode = False
    _VALID_ARGS = frozenset(
        "phase key keys script language param param_secret variables timeout user max_log "  # noqa: SIM905
        "windows_script windows_interpreter".split()
    )

    def run(self, tmp: Any = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Ansible's entry: the result of the phase, `failed` unless the script ended well or goes on."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        task_vars = task_vars or {}
        self._args = self._task.args
        self._host_id = str(task_vars.get("bk_host_id", 0))
        self._spool = Spool(str(task_vars.get("bk_host_id", task_vars["inventory_hostname"])))
        self._ask = Exchange(self, "runs.sh", "supervisor.sh")
        self._key = self._key_of(str(self._args.get("key", "")))
        self._user = str(self._args.get("user") or "")
        self._max_log = int(self._args.get("max_log", 5 * _PIECE))
        self._playbook_dir = Path(str(task_vars["playbook_dir"]))
        self._namespace = dict(task_vars.get("job_namespace") or {})  # what this host has of its own
        self._output = b""
        self._exchanges = 0
        self._from = self._asked = (
            0  # of the last exchange: where its output begins, and how much of it was wanted
        )
        try:
            self._task_vars = task_vars
            where = "_windows" if windows.is_windows(self) else ""
            job = getattr(self, f"_phase_{self._args['phase']}{where}")()
        except NoAnswer as error:
            job = self._finish("no_answer", None, str(error))
        except SecretUnavailable as error:
            job = self._finish("refused", None, str(error))
        # They are in the spool, whole and once; events are not the place for what may be long.
        result["job"] = {name: value for name, value in job.items() if name != "variables"}
        result["failed"] = not (
            job["state"] in _UNFINISHED or (job["state"] == "finished" and job["exit_code"] == 0)
        )
        if result["failed"]:
            result["msg"] = job["message"] or f"{job['state']}, exit code {job['exit_code']}"
        if not self._spool.is_active:
            result["stdout"] = self._output.decode("utf-8", "replace")
        return result

    def _key_of(self, key: str) -> str:
        return f"{key}.{self._host_id}{self._spool.key_suffix}"

    # --- phases ----------------------------------------------------------------------------------------

    def _phase_run(self) -> dict[str, Any]:
        if recorded := self._spool.result():
            return recorded
        if int(self._args["language"]) in _OF_WINDOWS:
            return self._finish("refused", None, "bat and PowerShell scripts run on Windows hosts only")
        until = self._spool.turn_ends()
        if not self._spool.is_started():
            if self._spool.stop_reason():
                # An earlier attempt may have launched it and died before it could say so: the host knows.
                return self._phase_stop()
            now = _now()
            answer = self._started(until)
            if answer is None:
                return self._job("launching", None, _SILENT)
            self._spool.mark_started()
            job = self._took(answer, now)
            if job["state"] not in _UNFINISHED or _is_over(until):
                return job
        return self._follow(until, self._overdue())

    def _overdue(self) -> float:
        """When the host is given up, by time.monotonic()."""
        return time.monotonic() + int(self._args["timeout"]) + _GRACE - self._spool.seconds_since_told()

    def _phase_stop(self) -> dict[str, Any]:
        if recorded := self._spool.result():
            return recorded
        answer = self._ask("stop", self._key, self._user)
        self._from, self._asked = self._offset(), 0
        return self._took(answer, None)

    def _phase_clean(self) -> dict[str, Any]:
        answer = self._ask("clean", self._key, self._user, *map(self._key_of, self._args["keys"]))
        if answer.state == "gone":
            return self._job("finished", 0, "")
        return self._job(answer.state, None, " ".join(answer.words[2:]))

    def _phase_run_windows(self) -> dict[str, Any]:
        """To the end, whatever this host's turn is: nobody could follow the script later."""
        if recorded := self._spool.result():
            return recorded
        if self._spool.stop_reason():
            return self._phase_stop_windows()
        if reason := self._task_vars.get("job_windows_problem"):
            return self._finish("no_password", None, str(reason))
        if int(self._args["language"]) not in _ON_WINDOWS:
            return self._finish("refused", None, "scripts of this language do not run on Windows hosts")
        if not self._spool.mark_told():
            return self._finish("lost", None, _NOT_TWICE)
        return self._run_on_windows()

    def _run_on_windows(self) -> dict[str, Any]:
        line, program = windows.command_line(
            self._playbook_dir / str(self._args["windows_script"]),
            int(self._args["language"]),
            str(self._args.get("windows_interpreter") or ""),
            self._param().replace("\n", " "),
        )
        started = _now()
        try:
            reply = windows.run(self, self._task_vars, line, program, int(self._args["timeout"]))
        except windows.Overdue:
            return self._finish("overdue", None, _NOT_ENDED, started=started)
        except AnsibleConnectionFailure as error:
            if was_in_vain(self._connection, error):
                self._spool.forget_told()
                raise
            return self._finish("lost", None, f"{_NOT_TWICE}: {error}", started=started)
        output = f"{reply['stdout']}{reply['stderr']}".encode("utf-8", "replace")
        self._from = 0
        self._keep(output[: self._max_log])
        return self._finish("finished", int(reply["rc"]), "", log_bytes=len(output), started=started)

    def _phase_stop_windows(self) -> dict[str, Any]:
        if recorded := self._spool.result():
            return recorded
        if self._spool.was_told():
            return self._finish(
                "not_stopped", None, "a script on a Windows host cannot be stopped; it may go on"
            )
        return self._finish("terminated", None, "")

    def _phase_clean_windows(self) -> dict[str, Any]:
        return self._job("finished", 0, "")  # Ansible's `script` has left nothing

    def _follow(self, until: float | None, overdue: float) -> dict[str, Any]:
        """Take what comes until the script ends, or this host's turn; `overdue` is when the host is given up."""
        launching_until = time.monotonic() + _LAUNCH_LIMIT
        while True:
            answer = self._followed(until, overdue)
            if answer is None:
                return self._job("running", None, _SILENT)
            job = self._took(answer, None)
            if job["state"] not in _UNFINISHED or _is_over(until):
                return job
            if answer.state == "launching" and time.monotonic() > launching_until:
                return self._finish("lost", None, "the host accepted the script but never launched it")
            if time.monotonic() > overdue:
                return self._finish("overdue", None, "the host did not end the script in time")

    # --- exchanges -------------------------------------------------------------------------------------

    def _started(self, until: float | None) -> Answer | None:
        """The host's first answer; None if its turn is over without one.

        Once a connection has broken under it the script may run: starting it again only attaches then, and the
        host is tried for as long as one whose script is known to run.
        """
        script = (self._playbook_dir / str(self._args["script"])).read_bytes()
        if int(self._args["language"]) == _SQL:
            script = (_PROGRAMS / "sql.sh").read_bytes() + script
        wrap = self._wrapper(script)
        data = self._param().replace("\n", " ").encode("utf-8", "surrogateescape") + b"\n" + wrap + script
        size = len(wrap) + len(script)
        head = (self._user, self._args["timeout"], self._args["language"], size, *self._place())
        tail = (len(wrap),) if wrap else ()
        is_first = self._spool.mark_told()
        retries = take_retries(self._connection)

        def start() -> Answer:
            patience = self._patience(until)
            return self._ask("start", self._key, *head, *patience, *tail, data=data, is_sealed=True)

        for retry in itertools.count():
            try:
                return start()
            except AnsibleConnectionFailure as error:
                if not is_first or not was_in_vain(self._connection, error):
                    break
                if retry == retries:
                    self._spool.forget_told()
                    raise
            time.sleep(pause_before(retry))
        return self._until_answered(start, until, self._overdue(), AnsibleConnectionFailure)

    def _param(self) -> str:
        """Ansible reads an empty text that is marked unsafe as None."""
        secret = self._args.get("param_secret")
        return fetch(str(secret)) if secret else str(self._args.get("param") or "")

    def _wrapper(self, script: bytes) -> bytes:
        """What declares the variables of the step's file for the script and sources it; empty without any.

        The file holds `capture`, names, and `variables`: each with `name`, `type`, and `value`, `items` (pairs
        of an array), or `secret`, the name of its value at the service. A namespace's value may be the host's own.
        """
        name = self._args.get("variables")
        if not name or not can_source(script):
            return b""
        given = json.loads((self._playbook_dir / str(name)).read_text())
        variables = [self._valued(dict(each)) for each in given["variables"]]
        return wrapper(variables, given["capture"], script)

    def _valued(self, variable: dict[str, Any]) -> dict[str, Any]:
        if "secret" in variable:
            variable["value"] = fetch(variable["secret"])
        elif variable["type"] == NAMESPACE and variable["name"] in self._namespace:
            variable["value"] = str(self._namespace[variable["name"]])
        return variable

    def _followed(self, until: float | None, overdue: float) -> Answer | None:
        """An answer, however often the connection breaks; None if the host's turn is over without one."""

        def follow() -> Answer:
            return self._ask("follow", self._key, self._user, *self._place(), *self._patience(until))

        return self._until_answered(follow, until, overdue, (AnsibleConnectionFailure, NoAnswer))

    def _until_answered(
        self, ask: Callable[[], Answer], until: float | None, overdue: float, passing: Any
    ) -> Answer | None:
        """What `ask` answers, again after each error of a passing kind until `overdue`."""
        pause = 1.0
        while True:
            try:
                return ask()
            except passing:
                if time.monotonic() + pause > overdue or self._spool.stop_reason():
                    raise
                if until is not None and time.monotonic() + pause > until:
                    return None
                time.sleep(pause)
                pause = min(pause * 2, 15)

    def _patience(self, until: float | None) -> tuple[int, int]:
        """Seconds that the host waits with its answer, and hundredths that output is let grow."""
        left = _PATIENCE if until is None else max(0, min(_PATIENCE, round(until - time.monotonic())))
        first, last = _LINGER
        self._exchanges += 1
        return left, min(last, first * self._exchanges)

    def _place(self) -> tuple[int, int]:
        """What to ask for now: the output from where, and how much of it."""
        self._from, self._asked = self._offset(), self._room()
        return self._from, self._asked

    def _offset(self) -> int:
        return self._spool.log_size() if self._spool.is_active else len(self._output)

    def _room(self) -> int:
        return max(0, min(_PIECE, self._max_log - self._offset()))

    # --- results ---------------------------------------------------------------------------------------

    def _took(self, answer: Answer, started: int | None) -> dict[str, Any]:
        """Spool what the host sent; once it has ended and its log is complete, record the result.

        The run stays on the host until the service has stored what was collected, on whatever machine.
        """
        self._keep(answer.output)
        code, _size, *words = answer.words
        message = " ".join(words).removeprefix("-")
        if answer.state in _UNFINISHED:
            return self._job(answer.state, None, message, started=started)
        size = self._rest(answer)
        exit_code = None if code == "-" else int(code)
        variables = captured(answer.variables) if answer.variables else {}
        if variables is None:
            message = f"{message} {_NOT_WHOLE}".lstrip()
        if not self._spool.is_active:
            self._remove()
        return self._finish(answer.state, exit_code, message, size, started, variables)

    def _rest(self, answer: Answer) -> int:
        """Take what is left of the output of a script that has ended; the bytes it printed in all."""
        while self._is_more(answer):
            answer = self._ask("follow", self._key, self._user, *self._place(), 0, 0)
            self._keep(answer.output)
        return self._offset() if answer.words[1] == "-" else int(answer.words[1])

    def _is_more(self, answer: Answer) -> bool:
        """Less than was asked for is the end; where nothing was asked for the host says how much there is."""
        if answer.words[1] == "-":
            return len(answer.output) >= self._asked
        return self._offset() < min(int(answer.words[1]), self._max_log)

    def _keep(self, output: bytes) -> None:
        """At its place: somebody else may follow the host too, until he is noticed and ended."""
        self._spool.write_log(self._from, output)
        if not self._spool.is_active:
            self._output += output

    def _remove(self) -> None:
        """After a run by hand, which no service will clean up after; a host that is gone by now changes nothing."""
        try:
            self._ask("clean", self._key, self._user, self._key)
        except (AnsibleConnectionFailure, NoAnswer) as error:
            self._display.vvv(f"could not remove the run {self._key} from the host: {error}")

    def _finish(
        self,
        state: str,
        exit_code: int | None,
        message: str,
        log_bytes: int = 0,
        started: int | None = None,
        variables: dict[str, Any] | None = None,
    ) -> dict[str, Any]:
        job = self._job(state, exit_code, message, max(log_bytes, self._offset()), started)
        job["end_time"] = _now()
        if variables:
            job["variables"] = variables
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


def _is_over(until: float | None) -> bool:
    return until is not None and time.monotonic() >= until - _SHORTEST


def _now() -> int:
    return int(time.time() * 1000)
