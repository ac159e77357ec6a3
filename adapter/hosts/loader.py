"""Reading an inventory: `ansible-inventory --list` as a child process, its JSON parsed.

Ansible merges the variables (no --export, docs/decisions/0001): with --export the groups would carry their
variables unmerged, and precedence, vars plugins and group priorities would have to be imitated here.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from adapter.config import others_environment

_POLL_SECONDS = 0.25
_MESSAGE_CHARS = 2000

#: What may differ in the caller's environment and would spoil the answer.
_ENVIRONMENT = {
    # Without it a source that cannot be parsed is a warning, exit code 0 and fewer hosts; some of
    # them would then be in no biz_ group any more and move to the default business.
    "ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED": "true",
    # Both print to standard output, into the JSON.
    "ANSIBLE_VERBOSITY": "0",
    "ANSIBLE_DEBUG": "false",
    "ANSIBLE_FORCE_COLOR": "false",
    "ANSIBLE_NOCOLOR": "true",
}


class InventoryError(Exception):
    """An inventory that could not be read; the text names it and says what Ansible said."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"Inventory {path}: {reason}")
        self.path = path


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What one run of ansible-inventory gave."""

    data: dict[str, Any]  #: `_meta.hostvars` and a key for every group that is not empty
    messages: tuple[str, ...] = ()  #: Ansible's warnings; nothing is missing because of them


def read_inventory(
    path: Path, *, time_limit: float = 600.0, cancelled: Callable[[], bool] = lambda: False
) -> Reading:
    """Run ansible-inventory on `path` and parse what it prints.

    It runs in the inventory's directory, so that an `ansible.cfg` there counts wherever the service was
    started, and without this service's own variables. `cancelled` is asked a few times a second; True ends
    the run.

    Raises InventoryError: not found, over `time_limit` seconds, refused by Ansible, or no JSON.
    """
    if not path.exists():
        raise InventoryError(path, "does not exist; set ADAPTER_INVENTORY to an Ansible inventory")
    argv = [_executable(path), "-i", str(path), "--list"]
    directory = path if path.is_dir() else path.parent
    with _started(path, argv, directory) as child:
        stdout, stderr = _collect(child, path, time_limit, cancelled)
    if child.returncode != 0:
        raise InventoryError(path, f"ansible-inventory ended with {child.returncode}: {_brief(stderr)}")
    return Reading(data=_parse(path, stdout, stderr), messages=_messages(stderr))


def _executable(path: Path) -> str:
    beside = Path(sys.executable).parent / "ansible-inventory"
    found = str(beside) if beside.exists() else shutil.which("ansible-inventory")
    if found is None:
        raise InventoryError(
            path, "ansible-inventory is neither beside Python nor on PATH; install ansible-core"
        )
    return found


def _started(path: Path, argv: list[str], directory: Path) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(
            argv,
            cwd=directory,
            env=others_environment(os.environ) | _ENVIRONMENT,  # scripts and plugins are anybody's programs
            stdin=subprocess.DEVNULL,  # a vault password prompt must fail, not wait
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,  # an inventory script that hangs is its child, and must go with it
        )
    except OSError as error:
        raise InventoryError(path, f"ansible-inventory could not be started: {error}") from error


def _collect(
    child: subprocess.Popen[bytes], path: Path, time_limit: float, cancelled: Callable[[], bool]
) -> tuple[bytes, bytes]:
    deadline = time.monotonic() + time_limit
    try:
        while True:
            with contextlib.suppress(subprocess.TimeoutExpired):
                return child.communicate(timeout=_POLL_SECONDS)
            if cancelled():
                raise InventoryError(path, "reading was cancelled because the service stops")
            if time.monotonic() > deadline:
                raise InventoryError(path, f"ansible-inventory did not finish within {time_limit:g} seconds")
    except BaseException:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)  # not reaped yet, so the id is still this child's
        raise


def _parse(path: Path, stdout: bytes, stderr: bytes) -> dict[str, Any]:
    try:
        data = json.loads(stdout)
    except (ValueError, RecursionError) as error:
        raise InventoryError(
            path, f"ansible-inventory printed no JSON ({error}): {_brief(stderr)}"
        ) from error
    if not isinstance(data, dict):
        raise InventoryError(path, "ansible-inventory printed JSON that is no object")
    return data


def _brief(stderr: bytes) -> str:
    text = re.sub(r"\s*\n\s*", " | ", stderr.decode(errors="replace").strip())
    if len(text) > _MESSAGE_CHARS:
        half = _MESSAGE_CHARS // 2
        text = f"{text[:half]} … {text[-half:]}"
    return text or "it gave no reason"


def _messages(stderr: bytes) -> tuple[str, ...]:
    blocks = re.split(rb"^(?=\[[A-Z ]+\])", stderr, flags=re.MULTILINE)
    return tuple(_brief(block) for block in blocks if block.strip())
