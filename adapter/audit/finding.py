"""A disagreement, and where it is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from adapter.job.model import HostResult, JobInstance, StepInstance


class Kind(StrEnum):
    """What disagrees."""

    STATE = "state"
    EXIT_CODE = "exit code"
    TIME = "time"
    LOG = "log"
    FILE = "file"
    OWNER = "owner"  #: nobody carries the job on
    ARTIFACT = "artifact"
    RUN = "run"  #: a script on a host


#: What a comparison yields: the kind and, in words, what says one thing and what another.
Disagreement = tuple[Kind, str]


@dataclass(frozen=True, kw_only=True)
class Place:
    """What a finding is about, as far as it is known."""

    job_instance_id: int | None = None
    step_instance_id: int | None = None
    execute_count: int | None = None
    bk_host_id: int | None = None
    host: str = ""  #: its label

    @classmethod
    def of(
        cls,
        job: JobInstance | None = None,
        step: StepInstance | None = None,
        execute_count: int | None = None,
        result: HostResult | None = None,
    ) -> Place:
        """The place of a stored thing."""
        return cls(
            job_instance_id=job.id if job else step.job_instance_id if step else None,
            step_instance_id=step.id if step else None,
            execute_count=execute_count,
            bk_host_id=result.host.bk_host_id if result else None,
            host=result.host.label if result else "",
        )

    def __str__(self) -> str:
        """`job 1 step 2.0 host 101 (0:10.0.0.1)`."""
        words = []
        if self.job_instance_id is not None:
            words.append(f"job {self.job_instance_id}")
        if self.step_instance_id is not None:
            count = "" if self.execute_count is None else f".{self.execute_count}"
            words.append(f"step {self.step_instance_id}{count}")
        if self.bk_host_id is not None:
            words.append(f"host {self.bk_host_id} ({self.host})")
        return " ".join(words)


@dataclass(frozen=True)
class Finding:
    """One disagreement, as it is told in one line."""

    place: Place
    kind: Kind
    text: str

    def __str__(self) -> str:
        return " ".join(f"{self.place}: {self.kind}: {self.text}".split())

    def as_json(self) -> dict[str, Any]:
        """For programs; what is not known is null."""
        return {**asdict(self.place), "kind": str(self.kind), "text": self.text}


def at(place: Place, disagreements: Iterable[Disagreement]) -> Iterator[Finding]:
    """Findings of one place."""
    for kind, text in disagreements:
        yield Finding(place, kind, text)
