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
import hashlib
import os
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleConnectionFailure
from ansible.plugins.action import ActionBase
from ansible_collections.adapter.job.plugins.plugin_utils.exchange import Exchange, NoAnswer, is_one_line
from ansible_collections.adapter.job.plugins.plugin_utils.pace import Pace, Stopped
from ansible_collections.adapter.job.plugins.plugin_utils.spool import Spool


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
        manifest: dict[str, Any] = {"files": []}
        for number, spec in enumerate(args["files"]):
            manifest["files"].append(self._fetch(number, str(spec["path"]), str(spec["kind"])))
        self._spool.write_manifest(int(args["source"]), manifest)
        bad = [file for file in manifest["files"] if file["state"] != "ok"]
        result["job"] = {
            "state": bad[0]["state"] if bad else "ok",
            "message": "; ".join(file["message"] for file in bad),
        }
        return result

    def _fetch(self, number: int, path: str, kind: str) -> dict[str, Any]:
        """One line of the manifest: the entries that `path` stands for, all of them in the cache."""
        found: dict[str, Any] = {"path": path, "kind": kind, "state": "ok", "message": "", "entries": []}
        if not is_one_line(path):
            found.update(state="failed", message="a path with a line break in it cannot be copied")
            return found
        try:
            if kind in ("file", "directory"):
                self._say(path, status=0, status_desc="pulling")
            answer = self._ask("list", f"{self._key}.{number}", self._user, kind, data=f"{path}\n".encode())
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
        archive = kind.partition(":")[2]
        entry = {
            "type": "directory" if archive else "file",
            "name": name,
            "size": int(size),
            "mode": mode,
            "sha256": sha256,
            "path": path if archive else f"{path.rpartition('/')[0]}/{name}",
        }
        if not is_one_line(name):
            return entry  # the targets refuse it, each for itself
        remote = archive or str(entry["path"])
        try:
            pace = Pace(self._spool, self._limit)
            if not self._spool.cached(sha256).exists():
                self._read(remote, entry, pace)
        finally:
            if archive:
                self._drop(archive)
        self._say(
            entry["path"],
            status=4,
            status_desc="finished",
            size=entry["size"],
            speed=pace.speed(entry["size"]),
            progress=100,
        )
        return entry

    def _drop(self, archive: str) -> None:
        """Remove what was packed on the host. If it does not answer, what was read is good all the same."""
        try:
            self._ask("drop", self._key, self._user, data=f"{archive}\n".encode("utf-8", "surrogateescape"))
        except (AnsibleConnectionFailure, NoAnswer) as error:
            self._display.vvv(f"could not remove {archive} from the host: {error}")

    def _read(self, remote: str, entry: dict[str, Any], pace: Pace) -> None:
        """Bring the bytes into the cache under their digest, or not at all."""
        final = self._spool.cached(entry["sha256"])
        part = final.with_name(f"{final.name}.{os.getpid()}.part")
        digest = hashlib.sha256()
        try:
            with part.open("wb") as file:
                offset = 0
                while offset < entry["size"]:
                    piece = self._piece(remote, offset, min(pace.piece, entry["size"] - offset))
                    digest.update(piece)
                    file.write(piece)
                    offset += len(piece)
                    pace.sent(offset)
                    self._say(
                        entry["path"],
                        status=2,
                        status_desc="uploading",
                        size=entry["size"],
                        speed=pace.speed(offset),
                        progress=offset * 100 // entry["size"],
                    )
            if digest.hexdigest() != entry["sha256"]:
                raise NoAnswer(0, f"{entry['path']} changed while it was read")
            _durable(part, final)
        finally:
            part.unlink(missing_ok=True)

    def _piece(self, remote: str, offset: int, size: int) -> bytes:
        data = f"{remote}\n".encode("utf-8", "surrogateescape")
        answer = self._ask("read", self._key, self._user, offset, size, data=data)
        piece = base64.b64decode(answer.output) if answer.state == "base64" else answer.output
        if len(piece) != size:
            raise NoAnswer(0, f"{remote} changed while it was read")
        return piece

    def _say(self, path: str, **changes: Any) -> None:
        entry = {"bk_host_id": self._host_id, "mode": 0, "src_host_id": self._host_id, "src_path": path}
        self._spool.file_progress(**entry, **changes)


def _durable(part: Path, final: Path) -> None:
    with part.open("rb") as file:
        os.fsync(file.fileno())
    part.rename(final)
