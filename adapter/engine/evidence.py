"""What a step's artifacts say of its hosts, for an audit: results, Ansible's events, logs as they were spooled."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cached_property
from pathlib import Path

from adapter.ansible import runner_events
from adapter.ansible.runner_events import HostEvent
from adapter.audit.ends import Evidence
from adapter.audit.logs import SpooledLog
from adapter.engine.ledger import EventLedger
from adapter.engine.spool_reader import SpoolReader
from adapter.job.model import FileLog, HostResult, StepInstance

#: Runs of the service; whoever runs an artifact by hand gives them other names.
_ATTEMPT = re.compile(r"(?:run|stop)-(\d+)")


class StepEvidence:
    """One execution's private data directory, read and never written."""

    def __init__(self, directory: Path, step: StepInstance, results: Iterable[HostResult]) -> None:
        self._directory = directory
        self._step = step
        self._spool = SpoolReader(directory / "spool", [item.host.bk_host_id for item in results], {})

    @property
    def is_here(self) -> bool:
        """False for a step that another node ran, or whose artifacts were removed."""
        return (self._directory / "spool").is_dir()

    def of(self, result: HostResult) -> Evidence:
        """What is said of one host's end. ValueError if its result is not whole."""
        recorded = self._spool.result(result.host.bk_host_id)
        return Evidence(
            recorded=None
            if recorded is None
            else runner_events.of_result(result.host.name, recorded, is_file=self._step.file is not None),
            told=self._told.get(result.host.name, ()),
        )

    def log(self, result: HostResult) -> SpooledLog:
        """What one host printed."""
        host_id = result.host.bk_host_id
        path = self._directory / "spool" / f"{host_id}.log"

        def read(offset: int, size: int) -> bytes:
            if not path.exists():
                return b""
            with path.open("rb") as file:
                file.seek(offset)
                return file.read(size)

        size = path.stat().st_size if path.exists() else 0
        return SpooledLog(size=size, read=read, tail=self._spool.tail(host_id))

    def file_logs(self) -> list[FileLog]:
        """The newest word on every file."""
        return self._spool.new_file_logs()

    @cached_property
    def _told(self) -> dict[str, list[HostEvent]]:
        """Ends of hosts by inventory name, attempt by attempt."""
        told: dict[str, list[HostEvent]] = {}
        for attempt in self._attempts():
            for raw in EventLedger().refill(attempt / "job_events").events:
                event = runner_events.parse(raw)
                if event is not None and event.status.is_finished:
                    told.setdefault(event.name, []).append(event)
        return told

    def _attempts(self) -> list[Path]:
        found = (self._directory / "artifacts").glob("*-*")
        numbered = [(match, path) for path in found if (match := _ATTEMPT.fullmatch(path.name))]
        return [path for _, path in sorted(numbered, key=lambda item: int(item[0][1]))]
