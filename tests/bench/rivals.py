"""What one would otherwise use, each with the settings that serve it best."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from adapter.engine.worker import close_connections
from tests.bench.world import World, run_quietly
from tests.lab import LabHost

_PLAY = """\
- hosts: {hosts}
  gather_facts: false
  tasks:
    - script: {script}
"""


@dataclass(frozen=True)
class AnsibleRunner:
    """`ansible-runner run` of Ansible's own script module in a private data directory that is ready."""

    directory: Path
    control: Path

    @classmethod
    def on(cls, world: World, hosts: list[LabHost], script: str, *, is_piped: bool = False) -> AnsibleRunner:
        """Pipelining, kept connections, 50 forks. Piped scripts, which few know of, spare an sftp of each host."""
        directory = world.place("piped" if is_piped else "runner")
        control = world.place("c")
        for name in ("inventory", "project", "env"):
            (directory / name).mkdir()
        shutil.copy(world.inventory / "hosts.yml", directory / "inventory")
        (directory / "project" / "echo.sh").write_text(f"#!/bin/sh\n{script}\n")
        pattern = ",".join(host.name for host in hosts)
        (directory / "project" / "run.yml").write_text(_PLAY.format(hosts=pattern, script="echo.sh"))
        environment = {
            "ANSIBLE_PIPELINING": "True",
            "ANSIBLE_SSH_ARGS": "-C -o ControlMaster=auto -o ControlPersist=60s",
            "ANSIBLE_SSH_CONTROL_PATH_DIR": str(control),
            **({"ANSIBLE_SSH_TRANSFER_METHOD": "piped"} if is_piped else {}),
            "ANSIBLE_FORKS": "50",
        }
        (directory / "env" / "envvars").write_text(json.dumps(environment))
        return cls(directory, control)

    def run(self) -> float:
        """Seconds from its start to its end."""
        shutil.rmtree(self.directory / "artifacts", ignore_errors=True)
        program = str(Path(sys.executable).with_name("ansible-runner"))
        path = {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
        began = time.perf_counter()
        run_quietly([program, "run", "--quiet", str(self.directory), "-p", "run.yml"], path)
        return time.perf_counter() - began

    def disconnect(self) -> None:
        """End the connections it keeps."""
        close_connections(self.control)


@dataclass(frozen=True)
class Ssh:
    """OpenSSH's own programs, a fresh connection each time unless `control` is where they are kept."""

    world: World
    control: Path | None = None

    def options(self) -> list[str]:
        """Of ssh and scp."""
        lab = self.world.lab
        kept = [
            "-o",
            "ControlMaster=auto",
            "-o",
            "ControlPersist=60s",
            "-o",
            f"ControlPath={self.control}/%h-%p",
        ]
        return [
            "-F", "none", "-i", str(lab.private_key),
            "-o", f"UserKnownHostsFile={lab.known_hosts}", "-o", "StrictHostKeyChecking=yes",
            *(kept if self.control else []),
        ]  # fmt: skip

    def run(self, host: LabHost, script: str) -> float:
        """Seconds of `ssh host sh -s`."""
        began = time.perf_counter()
        port = ["-p", str(host.port)]
        run_quietly(["ssh", *self.options(), *port, f"root@{host.ip}", "sh", "-s"], text=script)
        return time.perf_counter() - began

    def key_exchange(self, host: LabHost) -> str:
        """The key exchange that the two OpenSSHs agree on."""
        done = subprocess.run(
            ["ssh", "-v", *self.options(), "-p", str(host.port), f"root@{host.ip}", "true"],
            capture_output=True, text=True, check=False, timeout=60,
        )  # fmt: skip
        said = [line.rpartition(" ")[2] for line in done.stderr.splitlines() if "kex: algorithm:" in line]
        return said[0] if said else "unknown"


@dataclass(frozen=True)
class Fanout:
    """asyncssh, 50 hosts at once, a fresh connection to each."""

    seconds: float  #: without the start of Python and the imports: a service would have them behind it
    key_exchange: str

    @classmethod
    def run(cls, world: World, hosts: list[LabHost], script: str) -> Fanout:
        """Runs it in a process of its own. AssertionError unless every host did what it should."""
        lab = world.lab
        asked = {
            "hosts": [[host.ip, host.port] for host in hosts],
            "key": str(lab.private_key),
            "known_hosts": str(lab.known_hosts),
            "script": script,
            "at_once": 50,
        }
        said = json.loads(
            run_quietly([sys.executable, "-m", "tests.bench.asyncssh_fanout"], text=json.dumps(asked))
        )
        return cls(said["seconds"], said["kex"])
