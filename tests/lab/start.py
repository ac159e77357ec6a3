"""How a lab is started, and found again by another process."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Literal

from tests.lab import namespaces, network
from tests.lab.lab import Lab
from tests.lab.model import HOST_PATH, Kind, LabError, LabState

_REPOSITORY = Path(__file__).parents[2]


def start_lab(
    hosts: int = 4,
    directory: Path | None = None,
    kind: Kind | Literal["auto"] = "auto",
    *,
    owned: bool = True,
) -> Lab:
    """Starts a lab and returns when every host answers.

    The directory must be empty or not exist; without one a temporary directory is made. An owned lab ends
    with this process, whatever ends it; one that is not owned stays until `take_down`.
    """
    if not 1 <= hosts <= network.MAX_HOSTS:
        raise LabError(f"a lab has 1 to {network.MAX_HOSTS} hosts")
    chosen = _choose(kind)
    own_directory = directory is None or not directory.exists()
    directory = Path(tempfile.mkdtemp(prefix="lab-")) if directory is None else directory.absolute()
    directory.mkdir(parents=True, exist_ok=True)
    if any(directory.iterdir()):
        raise LabError(f"{directory} is not empty")
    process = _launch(directory, chosen, hosts, own_directory=own_directory, owned=owned)
    answer = process.stdout.readline().strip() if process.stdout else ""
    if answer != "ready":
        process.communicate()
        raise LabError(answer.removeprefix("error: ") or "the lab's supervisor died")
    if not owned:
        _forget(process)
    return attach(directory, process if owned else None)


def attach(directory: Path, owned: subprocess.Popen[str] | None = None) -> Lab:
    """The lab that is up in this directory."""
    state = LabState.read(directory)
    if state is None or not state.alive:
        raise LabError(f"no lab is up in {directory}")
    return Lab(directory.absolute(), state, owned)


def _choose(kind: Kind | Literal["auto"]) -> Kind:
    if kind == "asyncssh":
        return "asyncssh"
    reason = namespaces.why_not()
    if reason and kind == "namespaces":
        raise LabError(f"no namespaces here: {reason}")
    return "asyncssh" if reason else "namespaces"


def _launch(
    directory: Path, kind: Kind, hosts: int, *, own_directory: bool, owned: bool
) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.lab.supervisor", str(directory), kind, str(hosts)]
    command += ["1" if own_directory else "0", str(os.getpid() if owned else 0)]
    if kind == "namespaces":
        command = ["unshare", "--mount", "--", *command]
    path = f"{os.environ.get('PATH', '')}:{HOST_PATH}"
    with (directory / "supervisor.log").open("wb") as log:
        return subprocess.Popen(
            command, cwd=_REPOSITORY, env={**os.environ, "PATH": path}, start_new_session=True, text=True,
            stdin=subprocess.PIPE if owned else subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log,
        )  # fmt: skip


def _forget(process: subprocess.Popen[str]) -> None:
    """Lets go of a supervisor that is to outlive us, without Popen's complaint about that."""
    if process.stdout:
        process.stdout.close()
    process.returncode = 0
