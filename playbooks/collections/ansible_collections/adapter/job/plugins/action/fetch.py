# SPDX-License-Identifier: GPL-3.0-or-later
"""Brings source files from this host into the controller's cache, by SHA-256 (design D5).

    - adapter.job.fetch:
        source: 0               # number of the file source within the step
        key: "a1b2.17.0"
        user: root
        files: [{path: !unsafe /etc/hostname, kind: file}]      # file | directory | regex | glob
        speed_limit: 0          # MB/s, 0 is unlimited

The result holds `job`: {state, message}; what was found stands in the spool, for adapter.job.send. The task
does not fail when a file is missing: the targets say so, each for itself.
"""

from __future__ import annotations

import base64
import secrets
from typing import Any

from ansible.errors import AnsibleConnectionFailure
from ansible.plugins.action import ActionBase
from ansible_collections.adapter.job.plugins.plugin_utils.cache_part import CachePart
from ansible_collections.adapter.job.plugins.plugin_utils.exchange import Exchange, NoAnswer, is_one_line
from ansible_collections.adapter.job.plugins.plugin_utils.pace import Pace, Patience, Stopped
from ansible_collections.adapter.job.plugins.plugin_utils.spool import Spool
from ansible_collections.adapter.job.plugins.plugin_utils.stream import (
    Download,
    NotClean,
    can_stream,
    exchange,
)


class ActionModule(ActionBase):  # type: ignore[misc]
    """All files of one source on one host."""

    _requires_connection = True
    _supports_check_mode = False
    _VALID_ARGS = frozenset({"source", "key", "user", "files", "speed_limit"})

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
        self._limit = int(args.get("speed_limit") or 0) * 1024 * 1024
        self._patience = Patience(self._spool)
        self._streams = can_stream(self._connection)
        manifest: dict[str, Any] = {"files": []}
        for spec in args["files"]:
            manifest["files"].append(self._fetch(str(spec["path"]), str(spec["kind"])))
        self._spool.write_manifest(int(args["source"]), manifest)
        bad = [file for file in manifest["files"] if file["state"] != "ok"]
        result["job"] = {
            "state": bad[0]["state"] if bad else "ok",
            "message": "; ".join(file["message"] for file in bad),
        }
        return result

    def _fetch(self, path: str, kind: str) -> dict[str, Any]:
        """One line of the manifest: the entries that `path` stands for, all of them in the cache."""
        found: dict[str, Any] = {"path": path, "kind": kind, "state": "ok", "message": "", "entries": []}
        if not is_one_line(path):
            found.update(state="failed", message="a path with a line break in it cannot be copied")
            return found
        try:
            self._ask.require_shell()
            if kind in ("file", "directory"):
                self._say(path, status=0, status_desc="pulling")
            answer = self._patience.keep(self._ask, "list", self._key, self._user, kind, data=_line(path))
            found["state"], found["message"] = answer.state, answer.detail
            if answer.state == "ok":
                for line in answer.output.split(b"\0")[:-1]:
                    found["entries"].append(self._entry(path, line))
        except NoAnswer as error:
            found.update(state="no_answer", message=str(error))
        except AnsibleConnectionFailure as error:
            self._say(path, status=5, status_desc="failed", content=f"the host cannot be reached: {error}")
            raise
        except Stopped as error:
            found.update(state=str(error), message="stopped while the file was read")
        except OSError as error:
            found.update(state="failed", message=f"the controller cannot store {path}: {error}")
        if found["state"] != "ok":
            self._say(path, status=5, status_desc="failed", content=found["message"])
        return found

    def _entry(self, path: str, line: bytes) -> dict[str, Any]:
        kind, size, mode, sha256, name = line.decode("utf-8", "surrogateescape").split(" ", 4)
        is_archive = kind == "archive"
        entry = {
            "type": "directory" if is_archive else "file",
            "name": name,
            "size": int(size),
            "mode": mode,
            "sha256": sha256,
            "path": path if is_archive else f"{path.rpartition('/')[0]}/{name}",
        }
        if not is_one_line(name):
            return entry  # the targets refuse it, each for itself
        pace = self._cache(entry, kind)
        self._say(
            entry["path"],
            status=4,
            status_desc="finished",
            size=entry["size"],
            speed=pace.speed(entry["size"]),
            progress=100,
        )
        return entry

    def _cache(self, entry: dict[str, Any], kind: str) -> Pace:
        """See to it that the cache holds the entry's bytes, whoever brings them there."""
        pace = Pace(self._spool, self._limit)
        with CachePart(self._spool.cached(entry["sha256"]), entry["size"], pace.wait) as part:
            is_new = part.size == 0
            try:
                while not part.is_complete:
                    part.go_on()
                    pace = Pace(self._spool, self._limit, part.size)
                    if part.size < entry["size"]:
                        self._read_on(entry, kind, part, pace)
                    if part.size == entry["size"] and not part.complete():
                        # What an earlier attempt left may be damaged: all is read anew, once.
                        if is_new:
                            raise NoAnswer(0, f"{entry['path']} changed while it was read")
                        is_new = True
            except (Stopped, NoAnswer, OSError):
                part.discard()
                raise
        return pace

    def _read_on(self, entry: dict[str, Any], kind: str, part: CachePart, pace: Pace) -> None:
        """Bring more of it, as far as the connection holds."""
        try:
            self._read(entry, kind, part, pace)
        except AnsibleConnectionFailure as error:
            self._patience.lost(error)
        except NotClean:
            self._streams = False

    def _read(self, entry: dict[str, Any], kind: str, part: CachePart, pace: Pace) -> None:
        """Bring what is missing. Raises NoAnswer if the source has not that much."""
        size, offset = entry["size"], part.size
        about = ("read", self._key, self._user, kind, offset, size - offset)
        path = _line(entry["path"])

        def report(total: int) -> None:
            self._patience.reached()
            if pace.is_time_to_speak():
                progress, speed = total * 100 // size, pace.speed(total)
                told = {"size": size, "speed": speed, "progress": progress}
                self._say(entry["path"], status=2, status_desc="uploading", **told)

        if not self._streams:
            self._read_pieces(entry, kind, part, pace, report)
            return
        mark = f"job-{secrets.token_hex(8)}"
        flow = Download(part, mark, pace, report)
        answer = exchange(self._connection, flow, lambda: self._ask(*about, mark, data=path))
        self._patience.reached()
        if answer.state != "ok":
            raise NoAnswer(0, answer.detail)
        if part.size < size:
            raise NoAnswer(0, f"{entry['path']} changed while it was read")

    def _read_pieces(
        self, entry: dict[str, Any], kind: str, part: CachePart, pace: Pace, report: Any
    ) -> None:
        """For connections that only give and take bytes: an exchange for each piece."""
        path = _line(entry["path"])
        if kind == "archive":
            path = self._patience.keep(self._ask, "pack", self._key, self._user, data=path).output + b"\n"
        try:
            while part.size < entry["size"]:
                about = ("read", self._key, self._user, "file", part.size)
                count = min(pace.piece, entry["size"] - part.size)
                answer = self._patience.keep(self._ask, *about, count, "-", data=path)
                piece = base64.b64decode(answer.output) if answer.state == "base64" else answer.output
                if len(piece) != count:
                    raise NoAnswer(0, answer.detail or f"{entry['path']} changed while it was read")
                part.add(piece)
                pace.sent(part.size)
                report(part.size)
        finally:
            if kind == "archive":
                self._drop(path)

    def _drop(self, archive: bytes) -> None:
        """Remove what was packed on the host. If it does not answer, what was read is good all the same."""
        try:
            self._ask("drop", self._key, self._user, data=archive)
        except (AnsibleConnectionFailure, NoAnswer) as error:
            self._display.vvv(f"could not remove {archive!r} from the host: {error}")

    def _say(self, path: str, **changes: Any) -> None:
        entry = {"bk_host_id": self._host_id, "mode": 0, "src_host_id": self._host_id, "src_path": path}
        self._spool.file_progress(**entry, **changes)


def _line(path: str) -> bytes:
    return path.encode("utf-8", "surrogateescape") + b"\n"
