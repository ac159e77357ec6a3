"""The only door to ansible-runner: runs one playbook of a private data directory and yields its events."""

from __future__ import annotations

import os
import queue
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ansible_runner.config.runner import RunnerConfig
from ansible_runner.runner import Runner

from adapter.engine.private_data import PrivateData, run_environment
from adapter.engine.warm import WarmAnsible


@dataclass(frozen=True)
class Outcome:
    """How ansible-playbook ended: ansible-runner's status and exit code, and why in words if it broke."""

    status: str
    rc: int | None
    problem: str = ""


class PlaybookRun:
    """One run of one playbook, in a thread of its own.

    The event handler only puts events on a queue: ansible-runner swallows an OSError raised in it and dies of
    any other (design D9). The thread puts the end marker in `finally`, so a reader never waits for nothing.
    """

    def __init__(
        self,
        data: PrivateData,
        playbook: str,
        prefix: str,
        environ: Mapping[str, str],
        warm: WarmAnsible | None = None,
    ) -> None:
        self._data = data
        self._warm = warm
        self._playbook = playbook
        self._environ = dict(environ)
        self._cancelled = threading.Event()
        self._has_stats = (
            False  #: every run that got to its end has them; exit codes do not tell: 4 is two things
        )
        self._queue: queue.Queue[dict[str, Any] | None] = queue.Queue()
        self.ident = data.next_ident(prefix)
        self.outcome: Outcome | None = None
        self._thread = threading.Thread(target=self._run, name=f"runner-{self.ident}", daemon=True)

    def start(self) -> PlaybookRun:
        """Begin; returns itself."""
        self._thread.start()
        return self

    def cancel(self) -> None:
        """Kill ansible-playbook and what it forked. Scripts on hosts are detached and go on."""
        self._cancelled.set()

    @property
    def is_cancelled(self) -> bool:
        """True once cancel() was called."""
        return self._cancelled.is_set()

    def events(self, pause: float) -> Iterator[list[dict[str, Any]]]:
        """Batches of events, at least every `pause` seconds (then maybe empty), until the run has ended."""
        while True:
            batch, ended = self._take(pause)
            yield batch
            if ended:
                self._thread.join()
                return

    def _take(self, pause: float) -> tuple[list[dict[str, Any]], bool]:
        batch: list[dict[str, Any]] = []
        try:
            item = self._queue.get(timeout=pause)
            while item is not None:
                batch.append(item)
                item = self._queue.get_nowait()
        except queue.Empty:
            return batch, False
        return batch, True

    def _run(self) -> None:
        try:
            self.outcome = self._run_playbook()
        except Exception as error:  # noqa: BLE001 whatever breaks in the library ends the run, with its reason
            self.outcome = Outcome("error", None, f"ansible-runner failed: {error!r}")
        finally:
            self._queue.put(None)

    def _run_playbook(self) -> Outcome:
        config = RunnerConfig(
            private_data_dir=str(self._data.path), playbook=self._playbook, ident=self.ident, quiet=True
        )
        config.suppress_ansible_output = True
        config.prepare()
        environment = {**run_environment(config.env, os.environ), **self._environ}
        config.env = environment if self._warm is None else self._warm.environment(environment)
        runner = Runner(config, event_handler=self._on_event, cancel_callback=self._cancelled.is_set)
        status, rc = runner.run()
        return Outcome(status, rc, "" if self._has_stats else self._last_words())

    def _on_event(self, event: dict[str, Any]) -> bool:
        self._has_stats = self._has_stats or event.get("event") == "playbook_on_stats"
        self._queue.put(event)
        return True

    def _last_words(self) -> str:
        """The end of what ansible-playbook printed: the reason when it broke before any host did."""
        artifact = Path(self._data.path) / "artifacts" / self.ident
        for name in ("stderr", "stdout"):
            path = artifact / name
            if path.exists() and (text := path.read_text(errors="replace").strip()):
                return text[-2000:]
        return ""
