"""The end of a lab, whoever started it and whatever became of its supervisor."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import time
from pathlib import Path

from tests.lab import network
from tests.lab.model import STATE_FILE, LabError, LabState

STOP_TIMEOUT = 60.0  # seconds


def take_down(directory: Path) -> bool:
    """Ends the lab in this directory, also one whose supervisor is gone; says whether there was one."""
    state = LabState.read(directory)
    if state is None:
        return False
    if state.alive:
        with contextlib.suppress(ProcessLookupError):
            os.kill(state.supervisor, signal.SIGTERM)
    deadline = time.monotonic() + STOP_TIMEOUT
    while state.alive:
        if time.monotonic() > deadline:
            raise LabError(f"the supervisor of {directory}, process {state.supervisor}, does not end")
        time.sleep(0.005)
    if (directory / STATE_FILE).exists():
        remove(directory, state)
    return True


def remove(directory: Path, state: LabState) -> None:
    """Removes what a lab without processes leaves: its links and its files, `lab.json` last."""
    if state.kind == "namespaces":
        network.remove_links(state.id)
    for entry in directory.iterdir():
        if entry.is_dir():
            shutil.rmtree(entry)
        elif entry.name != STATE_FILE:
            entry.unlink()
    (directory / STATE_FILE).unlink()
    if state.own_directory:
        directory.rmdir()
