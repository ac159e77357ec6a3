"""A run's private data directory: written once, opened and run again by anyone with ansible-runner (design D3).

inventory/hosts.yml   the chosen hosts          env/envvars, env/cmdline, env/settings
project/step.yml      the generated playbook    artifacts/<ident>/   ansible-runner's, one for each attempt
project/files/        the script                spool/               logs and results by bk_host_id
present/hosts.yml     while a step runs: the hosts that its present run of the play is about, if not all
"""

from __future__ import annotations

import errno
import json
import os
import shutil
import sys
from collections.abc import Container, Mapping
from pathlib import Path

from adapter.ansible.inventory import is_secret_name
from adapter.ansible.inventory_text import InventoryText
from adapter.ansible.run_input import RunInput
from adapter.ansible.text import to_yaml

#: Keeps dead links from hanging for as long as TCP likes, and connections for the next step. Not Ansible's own -C:
#: compression costs many times what it saves on files that are compressed already.
_SSH_ARGS = "-o ControlMaster=auto -o ControlPersist=60s -o ServerAliveInterval=10 -o ServerAliveCountMax=3"

#: ansible-runner's. Facts are not gathered: a cache in files would only be looked for, host by host.
_SETTINGS = {"pexpect_timeout": 1, "idle_timeout": 0, "fact_cache_type": "memory"}

#: Bytes on the disk below which a run that broke is taken to have broken of that.
_ROOM = 1024 * 1024

#: What a run may see of the service's environment; the rest (cloud keys, passwords) is not its business. Nor are
#: those of Ansible's own variables that are secret by their names, such as ANSIBLE_GALAXY_SERVER_…_TOKEN.
_PASSED_ON = (
    "PATH",
    "HOME",
    "USER",
    "LOGNAME",
    "SHELL",
    "LANG",
    "TZ",
    "TMPDIR",
    "SSH_AUTH_SOCK",
    "VIRTUAL_ENV",
)
_PASSED_ON_PREFIXES = ("LC_", "ANSIBLE_", "RUNNER_", "AWX_")


class PrivateData:
    """One step run's directory. `path` is <data>/artifacts/<job>/<step>/<execute count>."""

    def __init__(self, path: Path, collections: Path) -> None:
        self.path = path
        self.spool = path / "spool"
        self._collections = collections

    def write(self, run: RunInput, control_path_dir: Path) -> None:
        """Write the directory, again after a crash: the same input makes the same files."""
        for name in ("inventory", "project/files", "env", "spool"):
            (self.path / name).mkdir(mode=0o700, parents=True, exist_ok=True)
        self._put("inventory/hosts.yml", run.inventory.whole.encode())
        for name, plays in run.playbooks.items():
            self._put(f"project/{name}", to_yaml(plays).encode())
        for name, content in run.files.items():
            self._put(f"project/{name}", content)
        self._put("env/envvars", json.dumps(self._environment(run, control_path_dir), indent=1).encode())
        self._put("env/cmdline", f"--forks {run.forks}".encode())
        self._put("env/settings", json.dumps(_SETTINGS).encode())

    def _environment(self, run: RunInput, control_path_dir: Path) -> dict[str, str]:
        environment = {
            "ANSIBLE_COLLECTIONS_PATH": str(self._collections),
            "ANSIBLE_INVENTORY_ENABLED": "yaml",  # hosts.yml: no other plugin needs to try it
            "ANSIBLE_SSH_CONTROL_PATH_DIR": str(control_path_dir),
            "ANSIBLE_RETRY_FILES_ENABLED": "False",
        }
        if run.needs_agent:
            environment["ANSIBLE_SSH_AGENT"] = "auto"
        if "ANSIBLE_SSH_ARGS" not in os.environ:
            environment["ANSIBLE_SSH_ARGS"] = _SSH_ARGS
        return environment

    def narrow_to(self, inventory: InventoryText, names: Container[str]) -> Path:
        """An inventory of these hosts alone, beside the one that anybody's run of the directory takes."""
        (self.path / "present").mkdir(mode=0o700, exist_ok=True)
        return self._put("present/hosts.yml", inventory.of(names).encode())

    def widen(self) -> None:
        """Remove that again."""
        shutil.rmtree(self.path / "present", ignore_errors=True)

    def _put(self, name: str, content: bytes) -> Path:
        draft = self.path / f"{name}.new"
        draft.write_bytes(content)
        draft.chmod(0o600)
        return draft.rename(self.path / name)

    def require_room(self) -> None:
        """Raises OSError if the disk is so full that a run breaks of it, which is no word about any host."""
        disk = os.statvfs(self.path)
        if disk.f_bavail * disk.f_frsize < _ROOM:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self.path))

    def next_ident(self, prefix: str) -> str:
        """The first free name below artifacts/, `<prefix>-1` and so on: one for each attempt."""
        number = 1
        while (self.path / "artifacts" / f"{prefix}-{number}").exists():
            number += 1
        return f"{prefix}-{number}"


def run_environment(prepared: Mapping[str, str], service: Mapping[str, str]) -> dict[str, str]:
    """What ansible-runner prepared, without what it copied from the service's environment unasked.

    It writes the environment into the artifact (`command`), where no secret may be. The programs beside this
    Python come first: ansible-playbook is the one this service was installed with.
    """
    beside = str(Path(sys.executable).parent)
    kept = {
        name: value
        for name, value in prepared.items()
        if name not in service
        or service[name] != value
        or name in _PASSED_ON
        or (name.startswith(_PASSED_ON_PREFIXES) and not is_secret_name(name))
    }
    if "ANSIBLE_HOST_KEY_CHECKING" not in service:
        # ansible-runner switches it off unasked; hosts' keys are checked as Ansible and ssh are set up to.
        kept.pop("ANSIBLE_HOST_KEY_CHECKING", None)
    return {**kept, "PATH": f"{beside}:{kept.get('PATH', os.defpath)}"}
