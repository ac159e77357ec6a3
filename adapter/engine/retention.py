"""Removes what is older than it is to be kept: jobs, what scripts printed, artifacts of this node.

In the background, a few jobs at a time with a pause between them; `adapter prune` does the same by hand. Artifacts
are on the node that ran the step, so each node removes its own.
"""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import structlog

from adapter.config import Settings
from adapter.engine.old_uploads import OldUploads
from adapter.ports import Clock
from adapter.store.retention import RetentionStore

log = structlog.get_logger(__name__)

#: Seconds between rounds, and between a few jobs and the next few.
_PAUSE, _BREATH = 600.0, 0.05
_DAY_MS = 86_400_000
#: What is being removed has another name, so that a half of it is never taken for a job's artifacts.
_REMOVED = ".removed-"


@dataclass(frozen=True)
class Pruned:
    """Jobs of which something was, or would be, removed."""

    jobs: int = 0
    logs: int = 0
    artifacts: int = 0
    uploads: int = 0  #: these are no jobs


@dataclass(frozen=True, kw_only=True)
class Keeping:
    """For how long: milliseconds, None is for ever. `artifact_bytes` are all artifacts of a node, 0 is no limit."""

    jobs: int | None
    logs: int | None
    artifacts: int | None
    artifact_bytes: int
    uploads: int | None = None

    @classmethod
    def of(cls, settings: Settings) -> Keeping:
        """As the settings say."""

        def age(days: int) -> int | None:
            return days * _DAY_MS or None

        return cls(
            jobs=age(settings.keep_jobs_days),
            logs=age(settings.keep_logs_days),
            artifacts=age(settings.keep_artifacts_days),
            uploads=age(settings.keep_uploads_days),
            artifact_bytes=settings.keep_artifacts_bytes,
        )

    @property
    def is_for_ever(self) -> bool:
        """True if nothing is ever removed."""
        return not (self.jobs or self.logs or self.artifacts or self.uploads or self.artifact_bytes)


@dataclass(frozen=True, kw_only=True)
class Retention:
    """`uploads` have some that never come, and go in any case.

    `forget_workflows` removes DBOS's records of what ended before (ms); None outside of a worker.
    """

    store: RetentionStore
    keeping: Keeping
    artifacts: Path
    clock: Clock
    uploads: OldUploads | None = None
    forget_workflows: Callable[[int], int] | None = None

    def go_on(self, stop: threading.Event) -> None:
        """A round every ten minutes until told to stop; nothing to do if all is kept for ever."""
        if self.keeping.is_for_ever and self.uploads is None:
            return
        while not stop.wait(_BREATH):
            try:
                pruned = self.prune(stop)
                if pruned != Pruned():
                    log.info("pruned", **asdict(pruned))
            except Exception as error:  # a database that is away comes back
                log.exception("pruning_failed", error=repr(error))
            if stop.wait(_PAUSE):
                return

    def would_prune(self) -> Pruned:
        """What prune() would remove now."""
        now = self.clock.now_ms()
        found = self.store.removable(_before(now, self.keeping.jobs), _before(now, self.keeping.logs))
        return Pruned(
            found.jobs,
            found.logs,
            len(self._artifacts_to_go(now)),
            self.uploads.count() if self.uploads else 0,
        )

    def prune(self, stop: threading.Event | None = None) -> Pruned:
        """Remove what is too old, until nothing is left or told to stop. To be killed in it is no harm."""
        stop = stop or threading.Event()
        now = self.clock.now_ms()
        self._remove_rest()
        artifacts = self._remove_artifacts(now, stop)
        jobs_before, logs_before = _before(now, self.keeping.jobs), _before(now, self.keeping.logs)
        jobs = logs = 0
        if logs_before is not None:
            logs = _until_none(lambda: self.store.remove_logs(logs_before, now), stop)
        if jobs_before is not None:
            jobs = _until_none(lambda: self._remove_jobs(jobs_before), stop)
            if self.forget_workflows is not None:
                self.forget_workflows(jobs_before)
        return Pruned(jobs, logs, artifacts, self.uploads.remove(stop) if self.uploads else 0)

    def _remove_jobs(self, before: int) -> list[int]:
        gone = self.store.remove_jobs(before)
        for id_ in gone:
            self._remove(id_)
        return gone

    # --- artifacts -------------------------------------------------------------------------------------

    def _remove_artifacts(self, now: int, stop: threading.Event) -> int:
        count = 0
        for id_ in self._artifacts_to_go(now):
            if stop.wait(_BREATH):
                break
            self._remove(id_)
            count += 1
        return count

    def _artifacts_to_go(self, now: int) -> list[int]:
        """Jobs with artifacts that are too old, of jobs that were removed elsewhere, or beyond the bound."""
        if not self.artifacts.is_dir():
            return []
        here = {int(path.name) for path in self.artifacts.iterdir() if path.name.isdecimal()}
        removed_to = self.store.removed_to()
        to_go = {id_ for id_ in here if id_ <= removed_to}
        to_go -= self.store.known(to_go)
        before = _before(now, self.keeping.artifacts)
        if before is not None:
            to_go |= self.store.ended(here, before)
        if self.keeping.artifact_bytes:
            to_go |= set(self._beyond_the_bound(sorted(here - to_go), now))
        return sorted(to_go)

    def _beyond_the_bound(self, here: list[int], now: int) -> list[int]:
        sizes = {id_: _bytes_of(self.artifacts / str(id_)) for id_ in here}
        too_many = sum(sizes.values()) - self.keeping.artifact_bytes
        ended, to_go = self.store.ended(here, now), list[int]()
        for id_ in here:
            if too_many <= 0:
                break
            if id_ in ended:
                to_go.append(id_)
                too_many -= sizes[id_]
        return to_go

    def _remove(self, job_instance_id: int) -> None:
        path = self.artifacts / str(job_instance_id)
        if path.is_dir():
            draft = path.with_name(f"{_REMOVED}{job_instance_id}")
            path.rename(draft)
            shutil.rmtree(draft)

    def _remove_rest(self) -> None:
        """What a killed process had begun to remove."""
        for path in self.artifacts.glob(f"{_REMOVED}*"):
            shutil.rmtree(path)


def _before(now: int, age: int | None) -> int | None:
    return None if age is None else now - age


def _until_none(remove: Callable[[], list[int]], stop: threading.Event) -> int:
    """How many were removed, a few at a time."""
    count = 0
    while some := remove():
        count += len(some)
        if stop.wait(_BREATH):
            break
    return count


def _bytes_of(directory: Path) -> int:
    return sum(path.lstat().st_size for path in directory.rglob("*") if not path.is_dir())
