"""Removes uploaded files that nothing needs, and parts of those that never came: rows first, then bytes."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass

from adapter.ports import Clock
from adapter.store.upload_files import UploadFiles
from adapter.store.uploads import AT_ONCE, UploadStore

#: Milliseconds for which a part stays after its URL has expired: whoever has begun to send may end.
_GRACE = 24 * 3600 * 1000
_BREATH = 0.05


@dataclass(frozen=True, kw_only=True)
class OldUploads:
    """`age` in milliseconds: since an upload was last launched with; None is for ever."""

    store: UploadStore
    files: UploadFiles
    clock: Clock
    age: int | None

    def count(self) -> int:
        """How many uploads, whole or not, remove() would take now."""
        return len(self.store.removable(*self._limits()))

    def remove(self, stop: threading.Event) -> int:
        """Until nothing is left or told to stop. To be killed in it is no harm: bytes without a row go later."""
        used_before, expired_before = self._limits()
        wanted, count = self.store.removable(used_before, expired_before), 0
        for start in range(0, len(wanted), AT_ONCE):
            gone = self.store.forget(wanted[start : start + AT_ONCE], used_before, expired_before)
            for upload_id in gone:
                self.files.remove(upload_id)
            count += len(gone)
            if stop.wait(_BREATH):
                break
        self._remove_rest()
        return count

    def _remove_rest(self) -> None:
        """What a killed process, or another node, has left: bytes that no row names."""
        old = set(self.files.older_than(time.time() - _GRACE / 1000))
        for upload_id in old - self.store.known(old):
            self.files.remove(upload_id)

    def _limits(self) -> tuple[int | None, int]:
        now = self.clock.now_ms()
        return None if self.age is None else now - self.age, now - _GRACE
