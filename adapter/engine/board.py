"""The hosts of one step run: folds events into their results and tells which are to be stored."""

from __future__ import annotations

from collections.abc import Iterable

from adapter.ansible.runner_events import HostEvent
from adapter.job.model import HostResult
from adapter.job.status import ERROR_CODE_OF, HostStatus


class HostBoard:
    """Results by inventory name. A finished host never changes again.

    Of a rolling step only the hosts of the batches up to `batch` have their turn.
    """

    def __init__(self, results: Iterable[HostResult], batch: int = 0) -> None:
        self._results = {result.host.name: result for result in results}
        self._changed: set[str] = set()
        self.batch = batch

    @property
    def results(self) -> tuple[HostResult, ...]:
        """All results, in the order of the targets."""
        return tuple(self._results.values())

    @property
    def unfinished(self) -> tuple[HostResult, ...]:
        """Hosts that still wait or run, of those that have their turn."""
        return tuple(result for result in self.left if result.batch <= self.batch)

    @property
    def left(self) -> tuple[HostResult, ...]:
        """Hosts that still wait or run, whether they have had their turn or not."""
        return tuple(result for result in self._results.values() if not result.status.is_finished)

    @property
    def of_batch(self) -> tuple[HostResult, ...]:
        """Hosts of the last batch that has begun; all if there are no batches."""
        return tuple(result for result in self._results.values() if result.batch == self.batch)

    def apply(self, event: HostEvent, now_ms: int) -> HostResult | None:
        """Fold one event in: the result if the host has just ended by it, else None."""
        result = self._results.get(event.name)
        if result is None or result.status.is_finished:
            return None
        start_time = result.start_time or event.start_time or now_ms
        if not event.status.is_finished:
            if result.status is HostStatus.WAITING:
                self._put(result.evolve(status=HostStatus.RUNNING, start_time=start_time))
            return None
        ended = result.evolve(
            status=event.status,
            exit_code=event.exit_code,
            error_code=int(ERROR_CODE_OF.get(event.status, 0)),
            start_time=start_time,
            end_time=max(start_time, event.end_time or now_ms),
            log_bytes=event.log_bytes or 0,
        )
        self._put(ended)
        return ended

    def note(self, name: str, **changes: object) -> None:
        """Change what is known beside the status: tag, kept bytes of the log."""
        self._put(self._results[name].evolve(**changes))

    def take_changed(self) -> list[HostResult]:
        """The results that changed since the last call."""
        if not self._changed:  # as most looks at a step of very many hosts find
            return []
        changed = [self._results[name] for name in self._results if name in self._changed]
        self._changed.clear()
        return changed

    def _put(self, result: HostResult) -> None:
        self._results[result.host.name] = result
        self._changed.add(result.host.name)
