"""The lab from a command line: `up` leaves it running, `down` removes it, `status` describes it."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Literal

from tests.lab.lab import Lab
from tests.lab.model import Kind, LabError, LabState
from tests.lab.removal import take_down
from tests.lab.start import attach, start_lab


def main() -> int:
    """Exit code 0 when the lab is afterwards as asked for; `status` of no lab is 1."""
    parser = argparse.ArgumentParser(prog="python -m tests.lab", description=__doc__)
    parser.add_argument("action", choices=["up", "down", "status"])
    parser.add_argument("--directory", type=Path, default=Path(".lab"))
    parser.add_argument("--hosts", type=int, default=4)
    parser.add_argument("--kind", choices=["auto", "namespaces", "asyncssh"], default="auto")
    arguments = parser.parse_args()
    directory: Path = arguments.directory
    try:
        if arguments.action == "up":
            return _up(directory, arguments.hosts, arguments.kind)
        return _down(directory) if arguments.action == "down" else _status(directory)
    except LabError as error:
        print(f"lab: {error}", file=sys.stderr)
        return 1


def _up(directory: Path, hosts: int, kind: Kind | Literal["auto"]) -> int:
    state = LabState.read(directory)
    if state and state.alive and state.ready:
        print(f"already up: {_summary(attach(directory))}")
        return 0
    if state:
        take_down(directory)
    lab = start_lab(hosts, directory, kind, owned=False)
    print(f"inventory: {lab.inventory}")
    print(f"ready: {_summary(lab)}")
    return 0


def _down(directory: Path) -> int:
    print("down" if take_down(directory) else "no lab here")
    return 0


def _status(directory: Path) -> int:
    lab = attach(directory)
    print(f"up: {_summary(lab)}")
    for host in [*lab.hosts, lab.down]:
        python = "python" if host.python else "no python"
        print(f"  {host.name}  id {host.bk_host_id}  {host.ip} port {host.port}  biz {host.biz}  {python}")
    return 0


def _summary(lab: Lab) -> str:
    return f"{len(lab.hosts)} hosts ({lab.kind}), -i {lab.inventory}, --private-key {lab.private_key}"


if __name__ == "__main__":
    sys.exit(main())
