"""What was used lately, kept in memory up to a bound."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Hashable, Sized
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V", bound=Sized)


class Recent(Generic[K, V]):
    """Values by key, for many threads: together they are at most `most` long; the longest unused go first."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._values: OrderedDict[K, V] = OrderedDict()

    def get(self, key: K) -> V | None:
        """The value, which is used now; None if it is not kept (any more)."""
        with self._lock:
            if key in self._values:
                self._values.move_to_end(key)
            return self._values.get(key)

    def put(self, key: K, value: V) -> None:
        """Keep a value, which is used now. One that is longer than all may be together is not kept."""
        with self._lock:
            self._values.pop(key, None)
            if len(value) > self._most:
                return
            self._values[key] = value
            size = sum(map(len, self._values.values()))
            while size > self._most:
                size -= len(self._values.popitem(last=False)[1])
