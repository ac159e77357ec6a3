"""Runs for the service's own sake, beside those of steps: each in a private directory that goes when it is over."""

from __future__ import annotations

import contextlib
import secrets
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from adapter.ansible.run_input import RunInput
from adapter.engine.leftovers import end_leftovers
from adapter.engine.private_data import PrivateData
from adapter.engine.runner import PlaybookRun
from adapter.engine.secret_server import serve_secrets
from adapter.engine.warm import WarmAnsible


@dataclass(frozen=True, kw_only=True)
class Errands:
    """Starts them. `directory` holds the private data: made when it is needed, removed when it is empty."""

    directory: Path
    collections: Path
    runtime: Path
    warm: WarmAnsible | None = None

    @contextlib.contextmanager
    def run(self, run_input: RunInput, playbook: str) -> Iterator[PlaybookRun]:
        """A run that was started. When the block is left it is over, and cancelled if that was by an exception.

        Whoever wants the outcome reads events() to their end within the block.
        """
        data = PrivateData(self.directory / secrets.token_hex(6), self.collections)
        control = self.runtime / "cp"
        control.mkdir(mode=0o700, exist_ok=True)
        try:
            data.write(run_input, control)
            with serve_secrets(run_input.secrets, self.runtime) as socket:
                environ = {"ADAPTER_SPOOL": str(data.spool)}
                environ |= {"ADAPTER_SECRETS": str(socket)} if socket else {}
                run = PlaybookRun(data, playbook, Path(playbook).stem, environ, self.warm).start()
                try:
                    yield run
                except BaseException:
                    run.cancel()
                    raise
                finally:
                    run.wait()  # its artifact is written until then, in the directory that is removed now
        finally:
            end_leftovers(data.path)
            shutil.rmtree(data.path, ignore_errors=True)
            with contextlib.suppress(OSError):  # others are under way
                self.directory.rmdir()

    def end_earlier(self) -> None:
        """End and remove what a crash left. Nobody else may be running any here."""
        for left in self.directory.glob("*"):
            end_leftovers(left)
            shutil.rmtree(left, ignore_errors=True)
