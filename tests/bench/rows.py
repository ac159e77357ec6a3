"""A row of the table: what was measured, beside what, and what was promised of it."""

from __future__ import annotations

import statistics
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Row:
    """Figures of one line. With `theirs` the promise is about the ratio of each pair, else about `ours`."""

    line: str  #: the measure's name, as --only takes it
    what: str
    unit: str = "s"
    ours: tuple[float, ...]  #: one figure of each run, in order
    beside: str = ""
    theirs: tuple[float, ...] = ()  #: measured right after or before ours, in the same run
    must: float | None = None  #: None: for information
    aim: float | None = None
    more_is_better: bool = False
    also: Mapping[str, float] = field(default_factory=dict)  #: what else was seen, by name with its unit

    def __post_init__(self) -> None:
        """Raises ValueError if the figures are no pairs."""
        if not self.ours or (self.theirs and len(self.theirs) != len(self.ours)):
            raise ValueError(f"{self.what}: {len(self.ours)} figures beside {len(self.theirs)}")

    @property
    def own(self) -> float:
        """The median of ours."""
        return statistics.median(self.ours)

    @property
    def other(self) -> float | None:
        """The median of theirs."""
        return statistics.median(self.theirs) if self.theirs else None

    @property
    def ratio(self) -> float | None:
        """The median of the ratios of the pairs, which what else the machine does disturbs least."""
        if not self.theirs:
            return None
        return statistics.median(own / other for own, other in zip(self.ours, self.theirs, strict=True))

    @property
    def judged(self) -> float:
        """What `must` and `aim` are about."""
        return self.own if self.ratio is None else self.ratio

    @property
    def verdict(self) -> str:
        """ "aim", "must", "missed" (a must) or "below aim" (there is no must); "" if nothing was promised."""
        if self.aim is not None and self._within(self.aim):
            return "aim"
        if self.must is not None:
            return "must" if self._within(self.must) else "missed"
        return "" if self.aim is None else "below aim"

    def _within(self, bound: float) -> bool:
        return self.judged >= bound if self.more_is_better else self.judged <= bound

    def as_json(self) -> dict[str, Any]:
        """Everything, with what follows from it."""
        return {
            **asdict(self),
            "own": self.own,
            "other": self.other,
            "ratio": self.ratio,
            "verdict": self.verdict,
        }
