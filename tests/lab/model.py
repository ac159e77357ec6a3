"""The nouns of the lab: a host, and what is written down about a running lab."""

from __future__ import annotations

import dataclasses
import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

Kind = Literal["namespaces", "asyncssh"]

FIRST_HOST_ID = 101
DOWN_HOST_ID = 199
STATE_FILE = "lab.json"
HOST_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


class LabError(Exception):
    """The lab could not do what it was asked."""


@dataclass(frozen=True, kw_only=True)
class LabHost:
    """One host as the inventory names it."""

    name: str
    bk_host_id: int
    ip: str
    port: int
    biz: int
    python: bool  #: whether a program on this host can find a Python
    bk_cloud_id: int = 0
    pid: int | None = None  #: its process 1 as seen from this machine; namespaces only
    home: str = ""  #: where its programs start, whoever logs in; asyncssh only
    link: str = ""  #: this machine's end of its cable; namespaces only


@dataclass(frozen=True, kw_only=True)
class LabState:
    """Everything another process needs to use, describe or remove a lab; kept in `lab.json`."""

    id: str  #: six hex digits; every name the lab gives outside of its directory is made from them
    kind: Kind
    supervisor: int  #: pid of the process whose end is the lab's end
    supervisor_started: int  #: its start time in clock ticks, because pids come again
    own_directory: bool  #: whether the lab made its directory, and so removes it
    ops_password: str
    ready: bool = False
    hosts: list[LabHost] = field(default_factory=list)
    down: LabHost | None = None

    def write(self, directory: Path) -> None:
        """Replaces the file at once, so that a reader finds the old state or the new one."""
        new = directory / (STATE_FILE + ".new")
        new.touch(mode=0o600)
        new.write_text(json.dumps(dataclasses.asdict(self), indent=1))
        new.rename(directory / STATE_FILE)

    @classmethod
    def read(cls, directory: Path) -> LabState | None:
        """The state of the lab in this directory, or None when there is no lab."""
        try:
            raw: dict[str, Any] = json.loads((directory / STATE_FILE).read_text())
        except FileNotFoundError:
            return None
        raw["hosts"] = [LabHost(**host) for host in raw["hosts"]]
        raw["down"] = raw["down"] and LabHost(**raw["down"])
        return cls(**raw)

    @property
    def alive(self) -> bool:
        """Whether the supervisor is still there."""
        return process_started(self.supervisor) == self.supervisor_started


def process_started(pid: int) -> int | None:
    """When a process started, in clock ticks since boot; None for a process that is gone or a zombie."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    fields = stat.rpartition(")")[2].split()
    return None if fields[0] == "Z" else int(fields[19])


def plan_hosts(addresses: list[str], port: int, *, python: bool, last_python: bool) -> list[LabHost]:
    """Names, ids and businesses for hosts at these addresses: the first half (rounded up) in business 1."""
    ids = [FIRST_HOST_ID + i for i in range(len(addresses) + 1)]
    ids = [i for i in range(FIRST_HOST_ID, ids[-1] + 1) if i != DOWN_HOST_ID][: len(addresses)]
    first_biz = (len(addresses) + 1) // 2
    return [
        LabHost(
            name=f"lab{bk_host_id}",
            bk_host_id=bk_host_id,
            ip=ip,
            port=port,
            biz=1 if number < first_biz else 2,
            python=python if number < len(addresses) - 1 else last_python,
        )
        for number, (bk_host_id, ip) in enumerate(zip(ids, addresses, strict=True))
    ]


def down_host(ip: str, port: int) -> LabHost:
    """The host that the inventory names and nobody answers for."""
    return LabHost(name="labdown", bk_host_id=DOWN_HOST_ID, ip=ip, port=port, biz=1, python=False)


def clean_environment() -> dict[str, str]:
    """An environment that carries nothing of the caller's into a host."""
    return {"PATH": HOST_PATH, "HOME": "/root", "LANG": os.environ.get("LANG", "C.UTF-8")}
