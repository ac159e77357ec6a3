"""Ansible's events as a ledger (design D9): which came, which did not, and getting the latter back from files.

ansible-runner numbers events (`counter`, from 1) and writes each as job_events/<counter>-<uuid>.json. Ansible
itself wrote it before as <uuid>-partial.json, without a number, which ansible-runner takes in and removes.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

#: The last event of a run that got to its end; exit codes do not tell: 4 is two things.
_STATS = "playbook_on_stats"
_PARTIAL = "-partial.json"
#: The second is one that Ansible did not come to finish.
_UNNUMBERED = (_PARTIAL, f"{_PARTIAL}.tmp")


def is_last(raw: dict[str, Any]) -> bool:
    """True for the event that Ansible ends with: its statistics."""
    return raw.get("event") == _STATS


@dataclass(frozen=True)
class Refill:
    """Events that had been lost, in order; and in words those that could not be got back."""

    events: tuple[dict[str, Any], ...] = ()
    lost: tuple[str, ...] = ()


class EventLedger:
    """Remembers which events of one run were seen; memory is taken only by those that were not."""

    def __init__(self) -> None:
        self._next = 1
        self._missing: set[int] = set()
        self._hollow: dict[str, int] = {}  # uuid: counter
        self.has_stats = False  #: True once the run is known to have got to its end

    @property
    def gaps(self) -> tuple[int, ...]:
        """Numbers of events that did not come although later ones did, or came without their contents."""
        return tuple(sorted({*self._missing, *self._hollow.values()}))

    def note(self, raw: dict[str, Any]) -> None:
        """An event came."""
        counter = raw.get("counter")
        if not isinstance(counter, int):
            return
        if "event" not in raw:  # ansible-runner could not read what Ansible had written of it
            self._hollow[str(raw.get("uuid"))] = counter
        elif is_last(raw):
            self.has_stats = True
        self._missing.discard(counter)
        self._missing.update(range(self._next, counter))
        self._next = max(self._next, counter + 1)

    def refill(self, job_events: Path) -> Refill:
        """What the files of a run that has ended hold of events that did not come; these then count as seen.

        Those that ansible-runner never numbered come last, as Ansible wrote them. Raises nothing: what cannot
        be read is lost.
        """
        try:
            names = sorted(path.name for path in job_events.iterdir())
        except (FileNotFoundError, NotADirectoryError):
            names = []  # the run broke before its first event
        except OSError as error:
            return Refill(lost=(f"the directory of events cannot be read: {error.strerror}", *self._words()))
        found: list[dict[str, Any]] = []
        lost: list[str] = []
        for name, counter in self._wanted(names):
            event = _whole(job_events / name)
            if isinstance(event, str):
                lost.append(f"{name} {event}")
            else:
                found.append(event if counter is None else {**event, "counter": counter})
        found.sort(key=lambda event: (event.get("counter", sys.maxsize), str(event.get("created"))))
        for event in found:
            self._hollow.pop(str(event["uuid"]), None)
            self.note(event)
        return Refill(tuple(found), (*lost, *self._words()))

    def _wanted(self, names: list[str]) -> Iterator[tuple[str, int | None]]:
        """Names of the files of events that did not come, each with its number if it has one."""
        taken = {name.partition("-")[2] for name in names if not name.endswith(_UNNUMBERED)}
        for name in names:
            uuid, is_unnumbered, _ = name.partition(_PARTIAL)
            if is_unnumbered:
                if uuid in self._hollow or f"{uuid}.json" not in taken:
                    yield name, self._hollow.get(uuid)
                continue
            head, _, rest = name.partition("-")
            if rest.endswith(".json") and head.isdecimal():
                counter = int(head)
                if counter in self._missing or counter >= self._next:
                    yield name, counter

    def _words(self) -> tuple[str, ...]:
        return tuple(f"event {counter} is nowhere" for counter in self.gaps)


def _whole(path: Path) -> dict[str, Any] | str:
    """The event of a file, or what is wrong with the file."""
    try:
        value = json.loads(path.read_bytes())
    except OSError as error:
        return f"cannot be read: {error.strerror}"
    except ValueError:
        return "is not whole"
    if not isinstance(value, dict) or "event" not in value or "uuid" not in value:
        return "holds no event"
    return value
