"""Writing down who did what (decision 44): nothing is changed without a record of it, also if the service dies."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

import structlog

from adapter.errors import Internal, JobError
from adapter.job.actions import Action
from adapter.job.audit_log import AuditEntry, AuditFilter, Recording
from adapter.ports import Clock
from adapter.store.audit_log import AuditLogStore

log = structlog.get_logger(__name__)

_DAY_MS = 86_400_000
_HOUR_MS = 3_600_000
_DELETE_AT_ONCE = 10_000

#: Refusals that are recorded at once, and then a second: whoever has no rights must not be able to fill the disk.
_BURST, _PER_SECOND = 300, 5


class AuditLog:
    """Records changes and launches, and what was refused. `keep_days` 0 keeps them for ever."""

    def __init__(self, store: AuditLogStore, clock: Clock, keep_days: int = 0) -> None:
        self._store = store
        self._clock = clock
        self._keep_ms = keep_days * _DAY_MS
        self._tidied: int | None = None
        self._allowance = _Allowance(clock)

    def now_ms(self) -> int:
        """The time of an entry."""
        return self._clock.now_ms()

    @contextmanager
    def recording(self, entry: AuditEntry) -> Iterator[Recording]:
        """Records what is done within: begun before, and completed after with the reply's code.

        A launch is recorded in the transaction that stores its job, so that it costs no further one; what did not
        get so far is recorded afterwards. If the record cannot be begun, nothing is done.
        """
        recording = Recording(entry)
        begun = None if entry.action == Action.LAUNCH else self._store.add(entry)
        try:
            yield recording
        except JobError as error:
            self._complete(recording, begun, error.code)
            raise
        except Exception:
            self._complete(recording, begun, Internal.code)
            raise
        self._complete(recording, begun, 0)

    def refused(self, entry: AuditEntry, code: int) -> None:
        """Records what was not even begun. The caller is told so whether it can be recorded or not."""
        if not self._allowance.take():
            log.warning("audit_log_full_of_refusals", api=entry.api, app=entry.app_code, code=code)
            return
        self._write(lambda: self._store.add(replace(entry, code=code, end_time=self.now_ms())), entry)

    def entries(self, wanted: AuditFilter) -> tuple[AuditEntry, ...]:
        """What is recorded, the newest first."""
        return self._store.of(wanted)

    def _complete(self, recording: Recording, begun: int | None, code: int) -> None:
        if recording.is_written:
            return
        now_ms, entry = self.now_ms(), recording.entry
        if begun is not None:
            self._write(lambda: self._store.end(begun, code, now_ms, recording.objects), entry)
        else:
            done = replace(entry, code=code, end_time=now_ms, objects=recording.objects)
            self._write(lambda: self._store.add(done), entry)
        self._tidy(now_ms)

    def _write(self, write: Callable[[], object], entry: AuditEntry) -> None:
        """What was done is done, and its caller is told so: a record that can't be completed is in the log."""
        try:
            write()
        except Exception as error:  # noqa: BLE001 it is logged, and must not stand for the reply
            log.error(
                "audit_log_not_written", api=entry.api, request_id=entry.request_id, error=str(error)[:300]
            )

    def _tidy(self, now_ms: int) -> None:
        """Forget what is too old: now and then, by whoever adds to it."""
        if not self._keep_ms or (self._tidied is not None and now_ms - self._tidied < _HOUR_MS):
            return
        self._tidied = now_ms
        try:
            gone = self._store.delete_before(now_ms - self._keep_ms, _DELETE_AT_ONCE)
            if gone == _DELETE_AT_ONCE:
                self._tidied = None  # there is more: with the next
        except Exception as error:  # noqa: BLE001 it is logged, and tried again in an hour
            log.error("audit_log_not_tidied", error=str(error)[:300])


class _Allowance:
    """A bucket that fills by itself."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._left = float(_BURST)
        self._seen = clock.now_ms()

    def take(self) -> bool:
        """False if there is nothing left."""
        with self._lock:
            now_ms = self._clock.now_ms()
            self._left = min(_BURST, self._left + max(0, now_ms - self._seen) / 1000 * _PER_SECOND)
            self._seen = now_ms
            if self._left < 1:
                return False
            self._left -= 1
            return True
