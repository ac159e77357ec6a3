"""The rows of steps with very many hosts as JSON: written once, and again when a host's result is another."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from orjson import Fragment, dumps

from adapter.job.model import HostResult, StepInstance
from adapter.recent import Recent

#: Hosts from which on a step's rows are kept.
LARGE = 2000
#: Rows that are kept, of all steps and dialects, of about 200 bytes each.
MOST = 300_000

#: A dialect's row of a result; also of what is known of whether hosts answer, by bk_host_id.
View = Callable[[HostResult, Mapping[int, int]], dict[str, Any]]


@dataclass(frozen=True)
class _Rows:
    """Rows beside the results that they are of."""

    results: tuple[HostResult, ...]
    rows: list[Fragment]

    def __len__(self) -> int:
        """How many rows."""
        return len(self.rows)


class WrittenRows:
    """What replies have of a step's hosts."""

    def __init__(self, large: int = LARGE, most: int = MOST) -> None:
        self._large = large
        self._kept = Recent[tuple[int, int, View], _Rows](most)

    def of(
        self, step: StepInstance, results: tuple[HostResult, ...], view: View, alive: Mapping[int, int]
    ) -> list[Any]:
        """A list of what `view` makes of each result; if there are very many, of the same as JSON.

        What a host that is `alive` has is written anew each time: it changes without a change of its result.
        """
        if len(results) < self._large:
            return [view(result, alive) for result in results]
        rows = self._rows((step.id, step.execute_count, view), results)
        if not alive:
            return rows
        return [
            view(result, alive) if result.host.bk_host_id in alive else row
            for result, row in zip(results, rows, strict=True)
        ]

    def _rows(self, wanted: tuple[int, int, View], results: tuple[HostResult, ...]) -> list[Fragment]:
        """A result that is the same object as last time has the row that it had."""
        view = wanted[2]
        kept = self._kept.get(wanted)
        if kept is None or len(kept) != len(results):
            rows = [_written(view(result, {})) for result in results]
        else:
            rows = [
                row if result is before else _written(view(result, {}))
                for result, before, row in zip(results, kept.results, kept.rows, strict=True)
            ]
        self._kept.put(wanted, _Rows(results, rows))
        return rows


def _written(row: dict[str, Any]) -> Fragment:
    """As text: the bytes that orjson makes keep the kilobyte that they were written in."""
    return Fragment(dumps(row).decode())
