"""What measures share: a lab with enough hosts in one business, services over it, and where things are."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import yaml

from adapter.engine.runtime import runtime_dir
from adapter.engine.worker import close_connections
from tests.bench import processes
from tests.bench.client import BIZ, Client
from tests.lab import Lab, LabHost
from tests.support.service import Service

_ACCOUNTS = f"""
scope: {{type: biz, id: "{BIZ}"}}
accounts:
  - {{alias: root, account: root}}
"""


_LATER = ("--clean-delay-seconds", "3600")


@dataclass(frozen=True)
class World:
    """`runs` is how often each pair is measured. Everything is below `directory`."""

    directory: Path
    lab: Lab
    runs: int
    _numbers: Iterator[int] = field(default_factory=lambda: count(1), repr=False)

    @property
    def inventory(self) -> Path:
        """The lab's hosts, all in one business."""
        path = self.directory / "inventory" / "hosts.yml"
        if not path.exists():
            tree = yaml.safe_load((self.lab.inventory / "hosts.yml").read_text())
            lab = tree["all"]["children"]["lab"]
            lab["children"] = {f"biz_{BIZ}": {"hosts": {name: {} for name in lab["hosts"]}}}
            path.parent.mkdir()
            path.write_text(yaml.safe_dump({"all": {"children": {"lab": lab}}}, sort_keys=False))
        return path.parent

    def hosts(self, number: int) -> list[LabHost]:
        """The first so many hosts."""
        assert len(self.lab.hosts) >= number, f"the lab has {len(self.lab.hosts)} hosts, not {number}"
        return self.lab.hosts[:number]

    def place(self, name: str) -> Path:
        """A new directory of that name."""
        path = self.directory / f"{name}{next(self._numbers)}"
        path.mkdir()
        return path

    @contextmanager
    def serving(
        self,
        *options: str,
        environment: Mapping[str, str] | None = None,
        inventory: Path | None = None,
        ready_in: float = 60,
    ) -> Iterator[Serving]:
        """A service with the product's own settings, an application and the account root; stopped at the end.

        Scripts' files are removed from hosts after the measure, not between its runs: it would take time from the
        rival's, and open connections that are to be fresh. docs/performance.md says what it costs.
        `inventory` is another than the lab's, `ready_in` seconds to read it.
        """
        service = Service(
            data_dir=self.place("data"),
            inventory=inventory or self.inventory,
            options=(*_LATER, *options),
            environment=environment or {},
            own_ssh_settings=True,
        )
        service.new_credentials("bench")
        service.apply(_ACCOUNTS)
        service.start(ready_in)
        client = Client(service)
        try:
            yield Serving(service, client)
        finally:
            client.close()
            service.stop(120)


@dataclass(frozen=True)
class Serving:
    """A running service, a client of it, and ways to look at it."""

    service: Service
    client: Client

    @property
    def pid(self) -> int:
        """The service's process."""
        assert self.service.process is not None
        return self.service.process.pid

    @property
    def runtime(self) -> Path:
        """Where its sockets are, those of kept connections in cp/."""
        return runtime_dir(self.service.data_dir)

    def disconnect(self) -> None:
        """End the connections it keeps, so that the next run is a cold one."""
        close_connections(self.runtime / "cp")

    def cpu_seconds(self) -> float:
        """Of the service and everything it started, so far."""
        return processes.cpu_seconds(processes.of_service(self.pid, (str(self.runtime),)))

    def memory_peak(self) -> processes.MemoryPeak:
        """Samples its memory while entered."""
        return processes.MemoryPeak(self.pid, (str(self.runtime),))

    def warm_up(self, host_ids: list[int]) -> None:
        """Run until Ansible is warm: what is measured is not the first job after a start."""
        client = self.client
        client.run("true", host_ids[:1])
        for _ in range(100):
            if "warm_ansible_ready" in self.service.log():
                break
            client.run("true", host_ids[:1])
        client.run("true", host_ids[:1])
        self.disconnect()


def ids(hosts: list[LabHost]) -> list[int]:
    """Their ids."""
    return [host.bk_host_id for host in hosts]


def run_quietly(command: list[str], environment: Mapping[str, str] | None = None, text: str = "") -> str:
    """What it printed; AssertionError with all it said if it fails."""
    done = subprocess.run(
        command,
        input=text,
        capture_output=True,
        text=True,
        check=False,
        timeout=900,
        env={**os.environ, **(environment or {})},
    )
    assert done.returncode == 0, f"{command[:4]}: {(done.stdout + done.stderr)[-3000:]}"
    return done.stdout
