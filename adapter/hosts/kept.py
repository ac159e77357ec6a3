"""Answers that count for a while, and not a moment longer."""

from __future__ import annotations

import threading
from collections.abc import Hashable, Iterable, Mapping
from time import monotonic
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

_MOST = (
    500_000  #: entries; then those that count no longer are dropped, and if that is too little all of them
)


class Kept(Generic[K, V]):
    """Values by key, each for `seconds` from when it was asked for. Thread-safe."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._lock = threading.Lock()
        self._values: dict[K, tuple[float, V]] = {}

    def now(self) -> float:
        """When a question begins: what is asked while something changes may be old already when it comes."""
        return monotonic()

    def put(self, values: Mapping[K, V], asked: float) -> None:
        """Keep answers to what was asked at a time that now() told."""
        with self._lock:
            if len(self._values) + len(values) > _MOST:
                self._values = {key: kept for key, kept in self._values.items() if self._counts(kept[0])}
            if len(self._values) + len(values) > _MOST:
                self._values.clear()
            self._values.update({key: (asked, value) for key, value in values.items()})

    def of(self, keys: Iterable[K]) -> dict[K, V]:
        """Those that still count."""
        with self._lock:
            found = {key: self._values.get(key) for key in keys}
        return {key: kept[1] for key, kept in found.items() if kept is not None and self._counts(kept[0])}

    def _counts(self, asked: float) -> bool:
        return monotonic() - asked < self._seconds
