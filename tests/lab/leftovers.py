"""What a lab leaves when its processes are gone: network links and files."""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.lab import network
from tests.lab.model import STATE_FILE, LabState


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
