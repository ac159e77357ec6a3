"""Puts what happens in a step run into the store, in batches: host results, logs, file progress."""

from __future__ import annotations

from collections.abc import Collection, Container
from datetime import UTC, datetime
from pathlib import Path

from adapter.ansible import runner_events
from adapter.ansible.runner_events import HostEvent
from adapter.engine.board import HostBoard
from adapter.engine.spool_reader import TAIL, LogChunk, SpoolReader
from adapter.job.model import FileLog, HostResult, JobVariable, StepInstance
from adapter.job.roll_up import tag_of
from adapter.job.variables import CapturedValue, taken_over
from adapter.ports import Clock
from adapter.store.jobs import JobStore
from adapter.store.logs import LogStore


class Recorder:
    """One step run's way into the store."""

    def __init__(
        self,
        jobs: JobStore,
        logs: LogStore,
        clock: Clock,
        step: StepInstance,
        board: HostBoard,
        spool: Path,
        captured: Collection[JobVariable] = (),
    ) -> None:
        self._jobs = jobs
        self._logs = logs
        self._clock = clock
        self._step = step
        self._board = board
        ids = [item.host.bk_host_id for item in board.results]
        stored = {} if step.script is None else logs.sizes(step.id, step.execute_count)
        self.spool = SpoolReader(spool, ids, stored)
        self._ids = {item.host.name: item.host.bk_host_id for item in board.results}
        self._followed: set[int] = set()  # hosts that Ansible is at: no other host's log grows
        self._pending: list[LogChunk] = []
        self._file_hosts: set[int] = set()
        self._wanted = captured  # variables whose values at a script's end are taken over
        self._captured: list[CapturedValue] = []
        self._orders = {host_id: order for order, host_id in enumerate(ids)} if captured else {}

    def apply(self, event: HostEvent) -> None:
        """Fold an event in; a host that ended by it gets its log completed and its tag read."""
        self._follow(event)
        ended = self._board.apply(event, self._clock.now_ms())
        if ended is None:
            return
        host_id = ended.host.bk_host_id
        if self._step.script is not None:
            kept = self.spool.log_end(
                host_id
            )  # the service's own words are stored with a host's end, so none yet
            # Ansible's own word of a host (unreachable) does not say how much the script had printed.
            printed = max(ended.log_bytes, kept)
            tail = self._tail(host_id, kept)
            self._board.note(event.name, tag=tag_of(tail), log_bytes=printed, log_kept=kept)
            self._say(ended, event.message, kept, tail)
            if self._wanted:
                self._take_variables(ended)
        elif event.message and host_id not in self._file_hosts:
            self._logs.save_file_logs(
                self._step.id, self._step.execute_count, [self._failed_file(ended, event.message)]
            )

    def _follow(self, event: HostEvent) -> None:
        host_id = self._ids.get(event.name)
        if host_id is None:
            return
        if event.status.is_finished or event.is_answer:
            self._followed.discard(host_id)
            self.take_spool(host_id)
        else:
            self._followed.add(host_id)

    def _take_variables(self, ended: HostResult) -> None:
        """What the host's script left of them: the plugin recorded that with the result."""
        host_id = ended.host.bk_host_id
        found = (self.spool.result(host_id) or {}).get("variables", {})
        self._captured += taken_over(self._wanted, found, ended, self._orders[host_id])

    def _tail(self, host_id: int, kept: int) -> str:
        """The end of what the host printed, whoever took it in."""
        if not self.spool.lacks(host_id):
            return self.spool.tail(host_id)
        start = max(0, kept - TAIL)
        return self._logs.read(self._step.id, self._step.execute_count, host_id, start).decode(
            "utf-8", "replace"
        )

    def _say(self, ended: HostResult, message: str, kept: int, tail: str) -> None:
        """The service's own words in the host's log: what went wrong, and output that was not kept."""
        words = []
        dropped = ended.log_bytes - kept
        if dropped > 0:
            words.append(
                f"{dropped} of {ended.log_bytes} bytes of output were not kept (limit of one host's log)"
            )
        if message:
            words.append(message)
        if words:
            at = datetime.fromtimestamp((ended.end_time or 0) / 1000, UTC).astimezone()
            text = "".join(f"[{at:%Y-%m-%d %H:%M:%S}] {line}\n" for line in words)
            if kept and not tail.endswith("\n"):
                text = f"\n{text}"
            self._pending.append(self.spool.add_log(ended.host.bk_host_id, text))

    def _failed_file(self, ended: HostResult, message: str) -> FileLog:
        """A target that failed before any of its files was spoken of."""
        assert self._step.file is not None
        host_id = ended.host.bk_host_id
        return FileLog(
            bk_host_id=host_id,
            mode=1,
            src_host_id=None,
            src_path=self._step.file.sources[0].files[0],
            dest_host_id=host_id,
            dest_path=self._step.file.target_path,
            status=5,
            status_desc="failed",
            content=message,
            time=ended.end_time,
        )

    def take_spool(self, only: int | None = None) -> None:
        """Take over what the plugins of all hosts (or of one) spooled since the last look."""
        if self._step.script is not None:
            self._pending.extend(self.spool.new_logs(only))
            return
        entries = self.spool.new_file_logs(only)
        self._file_hosts.update(entry.bk_host_id for entry in entries)
        if entries:
            self._logs.save_file_logs(self._step.id, self._step.execute_count, entries)

    def take_news(self) -> None:
        """The same of the hosts that are followed: how many others the step has costs nothing."""
        for host_id in (None,) if self._step.script is None else self._followed:
            self.take_spool(host_id)

    def take_recorded(self, of: Container[str] | None = None) -> None:
        """Results that plugins recorded although their events were lost; of hosts of these names, or of all."""
        is_file = self._step.file is not None
        for item in self._board.unfinished:
            if of is not None and item.host.name not in of:
                continue
            recorded = self.spool.result(item.host.bk_host_id)
            if recorded is not None:
                self.apply(runner_events.of_result(item.host.name, recorded, is_file=is_file))

    def flush(self) -> None:
        """Logs, variables and states at once: a host has ended if, and only if, all that it left is there."""
        step_id, count = self._step.id, self._step.execute_count
        chunks = [(step_id, count, *chunk) for chunk in self._pending]
        changed = self._board.take_changed()
        if changed:
            self._jobs.save_hosts(step_id, count, changed, chunks, self._captured)
            self._captured.clear()
        elif chunks:
            self._logs.append_many(chunks)
        self._pending.clear()
