# SPDX-License-Identifier: GPL-3.0-or-later
"""Puts files of the controller's cache onto this host: staged beside the target, verified, renamed (design D5).

    - adapter.job.send:
        key: "a1b2.17.0"
        user: root
        mode: force             # or strict: the directory must exist
        speed_limit: 0          # MB/s, 0 is unlimited
        rename: ""              # name at the target of every file; directories keep theirs
        sources:                # in order: a later file of the same name wins
          - {source: 0, host: 101, label: "0:10.0.0.1", directory: !unsafe /tmp/in/, files: [...]}
                            # given: true: files that the service itself provides

The result holds `job`: state ("ok" or the first thing that went wrong), message, files (how many arrived).
"""

from __future__ import annotations

import time
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

from ansible.errors import AnsibleConnectionFailure
from ansible.plugins.action import ActionBase
from ansible_collections.adapter.job.plugins.plugin_utils.cache_part import hashed
from ansible_collections.adapter.job.plugins.plugin_utils.exchange import (
    Answer,
    Exchange,
    NoAnswer,
    is_one_line,
)
from ansible_collections.adapter.job.plugins.plugin_utils.pace import BLOCK, Pace, Patience, Stopped
from ansible_collections.adapter.job.plugins.plugin_utils.spool import Spool
from ansible_collections.adapter.job.plugins.plugin_utils.stream import (
    Upload,
    can_stream,
    exchange,
)

#: Bytes that ssh is given before it has reached the host: that many more have gone out for certain.
_BUFFERED = 2 * 1024 * 1024


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
        self._patience = Patience(self._spool)
        self._streams = can_stream(self._connection)
        #: An earlier attempt may have left files half way, or brought them all the way.
        self._again = self._spool.has_file_progress()
        self._unfinished: set[str] = set()
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
            self._ask.require_shell()
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
            if self._again:
                self._unfinished.update(str(source["directory"]) for source in sources)
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
        if source.get("given"):
            message = (
                "the file's content is kept by the service, not in this artifact; it cannot be sent by hand"
            )
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
            is_renamed = self._rename and entry["type"] == "file"  # a directory keeps its name, as in JOB
            final = directory + (self._rename if is_renamed else entry["name"])
            try:
                self._send_file(source, entry, directory, final)
                placed += 1
            except Refused as error:
                self._say(source, entry["path"], final, status=5, status_desc="failed", content=str(error))
                state = error.state if state == "ok" else state
                problems.append(f"{final}: {error}")
            except AnsibleConnectionFailure as error:
                lost = f"the host cannot be reached: {error}"
                self._say(source, entry["path"], final, status=5, status_desc="failed", content=lost)
                raise
        return state, "; ".join(problems), placed

    def _send_file(self, source: dict[str, Any], entry: dict[str, Any], directory: str, final: str) -> None:
        """Bring one file to its place, however often the connection breaks meanwhile."""
        say = partial(self._say, source, entry["path"], final, size=entry["size"])
        say(status=3, status_desc="downloading")
        place = _line(directory) + _line(final)
        try:
            file = self._spool.cached(entry["sha256"]).open("rb")
        except OSError as error:
            raise Refused("source_failed", f"the controller's copy cannot be read: {error}") from error
        self._unfinished.add(directory)
        self._was_stuck = False
        with file:
            again, spoilt = self._again, False
            while True:
                try:
                    offset = self._staged(entry, place) if again else 0
                    pace = Pace(self._spool, self._limit, offset)
                    if offset < 0 or self._put(file, entry, place, offset, pace, say):
                        break
                except AnsibleConnectionFailure as error:
                    self._patience.lost(error)
                except Refused as error:
                    if error.state != "corrupt":
                        raise
                    # What an earlier attempt left may be damaged. It is gone now: all is sent anew, once.
                    if spoilt or not again:
                        raise _why_corrupt(file, entry["sha256"], error) from error
                    spoilt = True
                again = True
        self._unfinished.discard(directory)
        say(status=4, status_desc="finished", speed=pace.speed(entry["size"]), progress=100)

    def _staged(self, entry: dict[str, Any], place: bytes) -> int:
        """The offset to go on from; -1 if the whole file is in its place."""
        about = (entry["sha256"], entry["size"], entry["mode"], entry["type"])
        answer = self._ask("size", self._key, self._user, *about, data=place)
        self._patience.reached()
        if answer.state == "placed":
            return -1
        _require(answer)
        return min(int(answer.words[0]), entry["size"]) // BLOCK * BLOCK

    def _put(
        self, file: BinaryIO, entry: dict[str, Any], place: bytes, offset: int, pace: Pace, say: Any
    ) -> bool:
        """Send what is missing; False if it did not all arrive and the target is to be asked how much did."""
        size = entry["size"]

        def report(total: int) -> None:
            if total - offset > _BUFFERED:
                self._patience.reached()
            if pace.is_time_to_speak() and total < size:
                progress = total * 100 // size
                say(status=3, status_desc="downloading", speed=pace.speed(total), progress=progress)

        def ask(count: int, data: bytes) -> Answer:
            about = (size, entry["sha256"], entry["mode"], entry["type"], self._mode)
            return self._ask("put", self._key, self._user, offset, count, *about, data=data)

        if self._streams:
            flow = Upload(file, offset, size, pace, report)
            answer = exchange(self._connection, flow, lambda: ask(size - offset, place))
            self._patience.reached()
            return self._arrived(answer, offset)
        file.seek(offset)
        while True:
            piece = file.read(pace.piece)
            answer = ask(len(piece), place + piece)
            self._patience.reached()
            if not self._arrived(answer, offset):
                return False
            offset += len(piece)
            if offset >= size:
                return True
            pace.sent(offset)
            report(offset)

    def _arrived(self, answer: Answer, offset: int) -> bool:
        """True if the target took it; False if it has another number of bytes than it should.

        If it has no more than before another attempt may have brought the file to its place, when a connection
        that was lost gave its last bytes up late: the target is asked once. Else something is wrong there.
        """
        if answer.state != "at":
            _require(answer)
            return True
        is_stuck = int(answer.words[0]) <= offset
        if is_stuck and self._was_stuck:
            raise Refused("copy_failed", f"only {answer.detail} bytes arrived: is the disk full?")
        self._was_stuck = is_stuck
        return False

    def _drop_staging(self) -> None:
        """Nothing of a file that did not get to its place stays, as far as the host can be reached."""
        if not self._unfinished:
            return
        try:
            data = b"".join(_line(directory) for directory in self._unfinished)
            self._ask("drop", self._key, self._user, data=data)
        except (AnsibleConnectionFailure, NoAnswer) as error:
            self._display.vvv(f"could not remove what is staged in {self._unfinished}: {error}")
        self._unfinished.clear()

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
    if answer.state != "ok":
        state = answer.state if answer.state in ("wrong_user", "corrupt") else "copy_failed"
        raise Refused(state, answer.detail)


def _why_corrupt(file: BinaryIO, sha256: str, error: Refused) -> Refused:
    """The controller's own copy may be what is damaged: then the next job reads it anew."""
    file.seek(0)
    if hashed(file).hexdigest() == sha256:
        return Refused("copy_failed", str(error))
    Path(file.name).unlink(missing_ok=True)
    return Refused("source_failed", "the controller's copy was damaged; it has been removed")
