"""A step's private data directory as one file, to run it again elsewhere with ansible-runner."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from adapter.errors import UnsupportedOperation
from adapter.job.model import StepInstance
from adapter.messages import say

#: What a run reads. What a run leaves (artifacts/, spool/) is not needed, and has what hosts printed.
_PARTS = ("inventory", "project", "env")
#: Variables that are paths of the service's machine, and what they are elsewhere; None: they are not needed.
_ELSEWHERE = {"ANSIBLE_COLLECTIONS_PATH": None, "ANSIBLE_SSH_CONTROL_PATH_DIR": "~/.ansible/cp"}
_LEFT_OUT = ("__pycache__",)


@dataclass(frozen=True)
class Bundles:
    """Packs them. `artifacts` is this node's, `collections` has the collection that plays need."""

    artifacts: Path
    collections: Path

    def pack(self, step: StepInstance) -> bytes:
        """The step's execution as a tar.gz of one directory, `step-<id>.<execute count>`: the same bytes each time.

        The collection stands beside the playbook, where Ansible finds it. Raises UnsupportedOperation if this
        node does not have the directory.
        """
        directory = self.artifacts / step.directory
        if not (directory / "env" / "settings").exists():  # is written last
            raise UnsupportedOperation(
                say(
                    "execution {count} of step instance {id} has no private data directory on this node: "
                    "it has not begun, another node ran it, or it was removed",
                    count=step.execute_count,
                    id=step.id,
                )
            )
        packed = io.BytesIO()
        with (
            gzip.GzipFile(fileobj=packed, mode="wb", mtime=0) as compressed,
            tarfile.open(fileobj=compressed, mode="w", format=tarfile.PAX_FORMAT) as tar,
        ):
            for name, content in self._members(directory):
                info = tarfile.TarInfo(f"step-{step.id}.{step.execute_count}/{name}")
                info.size, info.mode = len(content), 0o600
                tar.addfile(info, io.BytesIO(content))
        return packed.getvalue()

    def _members(self, directory: Path) -> Iterator[tuple[str, bytes]]:
        for part in _PARTS:
            for path in _files(directory / part):
                content = path.read_bytes()
                name = str(path.relative_to(directory))
                yield name, _variables_elsewhere(content) if name == "env/envvars" else content
        for path in _files(self.collections):
            yield f"project/collections/{path.relative_to(self.collections)}", path.read_bytes()


def _files(directory: Path) -> list[Path]:
    found = directory.rglob("*")
    return sorted(path for path in found if path.is_file() and not set(_LEFT_OUT) & set(path.parts))


def _variables_elsewhere(content: bytes) -> bytes:
    variables = json.loads(content)
    for name, value in _ELSEWHERE.items():
        variables.pop(name, None)
        if value is not None:
            variables[name] = value
    return json.dumps(variables, indent=1).encode()
