# SPDX-License-Identifier: GPL-3.0-or-later
"""Puts files of the controller's cache onto this host: staged beside the target, verified, renamed (design D5).

    - adapter.job.send:
        key: "a1b2.17.0"
        user: root
        mode: force             # or strict: the directory must exist
        speed_limit: 0          # MB/s, 0 is unlimited
        rename: ""              # name at the target, if there is one file only
        sources:                # in order: a later file of the same name wins
          - {source: 0, host: 101, label: "0:10.0.0.1", directory: !unsafe /tmp/in/, files: [...]}

The result holds `job`: state ("ok" or the first thing that went wrong), message, files (how many arrived).
"""

from __future__ import annotations

import time
from typing import Any

from ansible.errors import AnsibleConnectionFailure
from ansible.plugins.action import ActionBase
from ansible_collections.adapter.job.plugins.plugin_utils.exchange import (
    Answer,
    Exchange,
    NoAnswer,
    is_one_line,
)
from ansible_collections.adapter.job.plugins.plugin_utils.pace import Pace, Stopped
from ansible_collections.adapter.job.plugins.plugin_utils.spool import Spool


class Refused(Exception):
    """The host would not take a file; `state` says why in one word."""

    def __init__(self, state: str, message: str) -> None:
        super().__init__(message)
        self.state = state


class ActionModule(ActionBase):  # type: ignore[misc]
    """All files of a step onto one host."""

    _requires_connection = True
    _supports_check_mode = False
    _VALID_ARGS = frozenset({"key", "user", "mode", "speed_limit", "rename", "sources"})

    def run(self, tmp: Any = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Ansible's entry."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        task_vars = task_vars or {}
        args = self._task.args
        self._host_id = int(task_vars.get("bk_host_id", 0))
        self._spool = Spool(str(self._host_id))
        self._ask = Exchange(self, "files.sh")
        self._key = f"{args['key']}.{self._host_id}{self._spool.key_suffix}"
        self._user = str(args.get("user") or "")
        self._mode = str(args.get("mode") or "force")
        self._limit = int(args.get("speed_limit") or 0) * 1024 * 1024
        self._rename = str(args.get("rename") or "")
        self._directories: set[str] = set()
        self._staged = 0
        job = self._spool.result() or self._send(args["sources"])
        result["job"] = job
        result["changed"] = job["files"] > 0
        if job["state"] != "ok":
            result["failed"] = True
            result["msg"] = job["message"]
        return result

    def _send(self, sources: list[dict[str, Any]]) -> dict[str, Any]:
        job: dict[str, Any] = {"state": "ok", "message": "", "files": 0, "exit_code": None}
        problems: list[str] = []
        try:
            for source in sources:
                for spec in self._offered(source):
                    state, message, count = self._send_spec(source, spec)
                    job["files"] += count
                    if state != "ok":
                        problems.append(message)
                        job["state"] = state if job["state"] == "ok" else job["state"]
        except NoAnswer as error:
            job["state"] = "no_answer"
            problems.append(str(error))
        except Stopped as error:
            job["state"] = str(error)
        self._drop_staging()
        job["message"] = "; ".join(problems)
        job["end_time"] = int(time.time() * 1000)
        self._spool.record(job)
        return job

    def _offered(self, source: dict[str, Any]) -> list[dict[str, Any]]:
        """What the source host said it has; a source that was never reached offers every file as unreadable."""
        manifest = self._spool.manifest(int(source["source"]), int(source["host"]))
        if manifest is not None:
            return list(manifest["files"])
        message = f"source host {source['label']} could not be reached"
        return [
            {"path": str(file["path"]), "state": "unreachable", "message": message, "entries": []}
            for file in source["files"]
        ]

    def _send_spec(self, source: dict[str, Any], spec: dict[str, Any]) -> tuple[str, str, int]:
        """Every file one source path stands for: state, message, files placed."""
        directory = str(source["directory"])
        if spec["state"] != "ok":
            state = {"missing": "source_missing", "timeout": "timeout", "terminated": "terminated"}.get(
                spec["state"], "source_failed"
            )
            self._say(
                source, spec["path"], directory, status=5, status_desc="failed", content=spec["message"]
            )
            return state, f"{source['label']} {spec['path']}: {spec['message']}", 0
        placed, state, problems = 0, "ok", []
        for entry in spec["entries"]:
            final = directory + (self._rename or entry["name"])
            try:
                self._send_file(source, entry, directory, final)
                placed += 1
            except Refused as error:
                self._say(source, entry["path"], final, status=5, status_desc="failed", content=str(error))
                state = error.state if state == "ok" else state
                problems.append(f"{final}: {error}")
                self._drop_staging()  # what has come of it may be what leaves no room for the others
            except AnsibleConnectionFailure as error:
                lost = f"the host cannot be reached: {error}"
                self._say(source, entry["path"], final, status=5, status_desc="failed", content=lost)
                raise
        return state, "; ".join(problems), placed

    def _send_file(self, source: dict[str, Any], entry: dict[str, Any], directory: str, final: str) -> None:
        pace = Pace(self._spool, self._limit)
        self._say(source, entry["path"], final, status=3, status_desc="downloading", size=entry["size"])
        place = _line(final)
        self._begin(directory)
        self._staged += 1
        staged = f"{directory}.job-{self._key}/{self._staged}"
        with self._spool.cached(entry["sha256"]).open("rb") as file:
            offset, piece = 0, file.read(pace.piece)
            while True:
                answer = self._ask(
                    "write", self._key, self._user, offset, len(piece), data=_line(staged) + piece
                )
                _require(answer)
                offset += len(piece)
                pace.sent(offset)
                piece = file.read(pace.piece)
                if not piece:
                    break
                self._say(
                    source,
                    entry["path"],
                    final,
                    status=3,
                    status_desc="downloading",
                    size=entry["size"],
                    speed=pace.speed(offset),
                    progress=offset * 100 // max(1, entry["size"]),
                )
        data = _line(staged) + place
        _require(
            self._ask(
                "place", self._key, self._user, entry["sha256"], entry["mode"], entry["type"], data=data
            )
        )
        self._say(
            source,
            entry["path"],
            final,
            status=4,
            status_desc="finished",
            size=entry["size"],
            speed=pace.speed(entry["size"]),
            progress=100,
        )

    def _begin(self, directory: str) -> None:
        if directory in self._directories:
            return
        _require(self._ask("begin", self._key, self._user, self._mode, data=_line(directory)))
        self._directories.add(directory)

    def _drop_staging(self) -> None:
        for directory in self._directories:
            try:
                self._ask("drop", self._key, self._user, data=_line(f"{directory}.job-{self._key}"))
            except (AnsibleConnectionFailure, NoAnswer) as error:
                self._display.vvv(f"could not remove the staging place in {directory}: {error}")
        self._directories.clear()

    def _say(self, source: dict[str, Any], path: str, final: str, **changes: Any) -> None:
        self._spool.file_progress(
            bk_host_id=self._host_id,
            mode=1,
            src_host_id=int(source["host"]),
            src_path=path,
            dest_host_id=self._host_id,
            dest_path=final,
            **changes,
        )


def _line(path: str) -> bytes:
    if not is_one_line(path):
        raise Refused("copy_failed", "a path with a line break in it cannot be copied")
    return path.encode("utf-8", "surrogateescape") + b"\n"


def _require(answer: Answer) -> None:
    if answer.state == "ok":
        return
    detail = answer.detail
    if answer.state == "at":
        detail = f"only {answer.detail} bytes arrived: is the disk full?"
    raise Refused({"wrong_user": "wrong_user"}.get(answer.state, "copy_failed"), detail)
