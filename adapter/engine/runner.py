"""The only door to ansible-runner: runs one playbook of a private data directory and yields its events."""

from __future__ import annotations

import os
import queue
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import structlog
from ansible_runner.config.runner import RunnerConfig
from ansible_runner.runner import Runner

from adapter.engine.ledger import EventLedger, is_last
from adapter.engine.private_data import PrivateData, run_environment
from adapter.engine.warm import WarmAnsible

log = structlog.get_logger(__name__)

#: Lost events that are named one by one.
_NAMED = 5


@dataclass(frozen=True)
class Outcome:
    """How ansible-playbook ended: ansible-runner's status and exit code, and why in words if it broke.

    `lost` names the events that nobody can know any more; `problem` says so too.
    """

    status: str
    rc: int | None
    problem: str = ""
    lost: tuple[str, ...] = ()

    @property
    def was_killed(self) -> bool:
        """True if somebody else ended ansible-playbook by a signal: it has no exit code."""
        return self.status == "failed" and self.rc is None


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
        inventory: Path | None = None,
    ) -> None:
        self._data = data
        self._inventory = inventory
        self._warm = warm
        self._playbook = playbook
        self._environ = dict(environ)
        self._cancelled = threading.Event()
        self._ledger = EventLedger()
        self._queue: queue.Queue[dict[str, Any] | None] = queue.Queue()
        self.ident = data.next_ident(prefix)
        self.outcome: Outcome | None = None
        self._thread = threading.Thread(target=self._run, name=f"runner-{self.ident}", daemon=True)

    def start(self) -> PlaybookRun:
        """Begin; returns itself."""
        _under_way.add(self._thread)
        self._thread.start()
        return self

    def cancel(self) -> None:
        """Kill ansible-playbook and what it forked. Scripts on hosts are detached and go on."""
        self._cancelled.set()

    @property
    def _artifact(self) -> Path:
        return self._data.path / "artifacts" / self.ident

    @property
    def is_cancelled(self) -> bool:
        """True once cancel() was called."""
        return self._cancelled.is_set()

    def events(self, pause: float) -> Iterator[list[dict[str, Any]]]:
        """Batches of events, at least every `pause` seconds (then maybe empty), until there are no more.

        The last one has what did not come while the run went on and is in ansible-runner's files. If nothing is
        missing there are no more after Ansible's statistics: ansible-runner then takes a while to be done with
        the processes, which nobody needs to wait for; `outcome` comes after that.
        """
        ended = False
        while not ended:
            batch, ended = self._take(pause)
            for event in batch:
                self._ledger.note(event)
            yield batch
            if self._ledger.has_stats and not self._ledger.gaps:
                return
        self._thread.join()
        yield self._close_ledger()

    def wait(self) -> None:
        """Until ansible-runner is done and its artifact is whole."""
        self._thread.join()

    def _take(self, pause: float) -> tuple[list[dict[str, Any]], bool]:
        """What comes within `pause` seconds: whoever stores it pays by the batch, not by the event."""
        batch: list[dict[str, Any]] = []
        until = time.monotonic() + pause
        try:
            while (item := self._queue.get(timeout=max(0, until - time.monotonic()))) is not None:
                batch.append(item)
                if is_last(item):
                    return batch, False
        except queue.Empty:
            return batch, False
        return batch, True

    def _close_ledger(self) -> list[dict[str, Any]]:
        """The refilled events; `outcome` then knows what is lost, and why the run broke if it did."""
        refill = self._ledger.refill(self._artifact / "job_events")
        if refill.events or refill.lost:
            log.warning(
                "events_did_not_come",
                run=str(self._artifact),
                refilled=len(refill.events),
                lost=len(refill.lost),
                first=refill.lost[:_NAMED],
            )
        if self.outcome is not None:
            problems = [self.outcome.problem, _words(refill.lost)]
            if not self._ledger.has_stats and not self.outcome.problem:
                was_killed = self.outcome.was_killed
                problems.append("ansible-playbook was killed" if was_killed else self._last_words())
            problem = "\n".join(filter(None, problems))
            self.outcome = replace(self.outcome, problem=problem, lost=refill.lost)
        return list(refill.events)

    def _run(self) -> None:
        try:
            self.outcome = self._run_playbook()
        except Exception as error:  # noqa: BLE001 whatever breaks in the library ends the run, with its reason
            self.outcome = Outcome("error", None, f"ansible-runner failed: {error!r}")
        finally:
            _under_way.discard(threading.current_thread())
            self._queue.put(None)

    def _run_playbook(self) -> Outcome:
        config = RunnerConfig(
            private_data_dir=str(self._data.path),
            playbook=self._playbook,
            ident=self.ident,
            inventory=None if self._inventory is None else str(self._inventory),
            quiet=True,
        )
        config.suppress_ansible_output = True
        config.prepare()
        environment = {**run_environment(config.env, os.environ), **self._environ}
        config.env = environment if self._warm is None else self._warm.environment(environment)
        runner = Runner(config, event_handler=self._on_event, cancel_callback=self._cancelled.is_set)
        status, rc = runner.run()
        return Outcome(status, rc)

    def _on_event(self, event: dict[str, Any]) -> bool:
        self._queue.put(event)
        return True

    def _last_words(self) -> str:
        """The end of what ansible-playbook printed: the reason when it broke before any host did."""
        for name in ("stderr", "stdout"):
            path = self._artifact / name
            if path.exists() and (text := path.read_text(errors="replace").strip()):
                return text[-2000:]
        return ""


#: The threads of runs that ansible-runner is not done with.
_under_way: set[threading.Thread] = set()


def wait_for_artifacts(seconds: float) -> None:
    """Until ansible-runner is done with every run of this process, but no longer than this."""
    until = time.monotonic() + seconds
    for thread in list(_under_way):
        thread.join(max(0, until - time.monotonic()))


def _words(lost: tuple[str, ...]) -> str:
    """What a host's log says of events that are lost."""
    if not lost:
        return ""
    more = f", … ({len(lost)} in all)" if len(lost) > _NAMED else ""
    return f"events of Ansible are lost: {', '.join(lost[:_NAMED])}{more}"
