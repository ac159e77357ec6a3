"""Runs of ansible-playbook by the real warm server."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

from adapter.config import Settings
from adapter.engine.warm import WarmAnsible
from tests.support.processes import processes_with

PLAYBOOKS = Settings().playbooks
_INVENTORY = "one ansible_connection=local\n"


def environment(**more: str) -> dict[str, str]:
    """What a run sees."""
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    return {"PATH": path, "HOME": os.environ.get("HOME", "/"), "LC_ALL": "C.UTF-8", **more}


def wait_ready(warm: WarmAnsible, env: dict[str, str]) -> None:
    """Ask for the server and wait until it is there."""
    warm.environment(env)
    until = time.monotonic() + 30
    while warm.pid is None:
        assert time.monotonic() < until, "the warm server did not get ready"
        time.sleep(0.05)


def start(
    warm: WarmAnsible,
    directory: Path,
    task: str,
    *arguments: str,
    inventory: str = _INVENTORY,
    **more: str,
) -> subprocess.Popen[str]:
    """ansible-playbook with one task, as a run would start it; by default for one host, which is this machine."""
    (directory / "inventory").write_text(inventory)
    (directory / "play.yml").write_text(f"- hosts: all\n  gather_facts: false\n  tasks:\n    - {task}\n")
    env = warm.environment(environment()) | more
    command = ["ansible-playbook", "-i", "inventory", "play.yml", *arguments]
    return subprocess.Popen(
        ["/usr/bin/env", *command],
        cwd=directory,
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def finished(process: subprocess.Popen[str]) -> tuple[int, str]:
    """Exit code and output."""
    output, _ = process.communicate(timeout=60)
    return process.returncode, output


def runs_in(directory: Path) -> list[int]:
    """Children of warm servers that work in the directory."""
    found = []
    for pid in processes_with(b"warm/server.py"):
        try:
            if Path(f"/proc/{pid}/cwd").readlink() == directory:
                found.append(pid)
        except OSError:  # it has ended since
            continue
    return found
