"""The ledger of Ansible's events: gaps are seen, refilled from files, and told where that cannot be."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from adapter.engine.ledger import EventLedger
from adapter.engine.private_data import PrivateData
from adapter.engine.runner import PlaybookRun

from .test_runner import events_of, play, say, written


def event(counter: int | None, kind: str = "runner_on_ok") -> dict[str, Any]:
    """An event as ansible-runner hands it out, or without a number as Ansible writes it."""
    uuid = f"0000-{counter or 99}"
    raw = {"uuid": uuid, "event": kind, "event_data": {"host": "one"}, "created": "2026"}
    return raw if counter is None else {**raw, "counter": counter}


def put(directory: Path, counter: int) -> Path:
    """The file of an event."""
    path = directory / f"{counter}-0000-{counter}.json"
    path.write_text(json.dumps(event(counter)))
    return path


def noted(*counters: int) -> EventLedger:
    """A ledger that saw these."""
    ledger = EventLedger()
    for counter in counters:
        ledger.note(event(counter))
    return ledger


def test_gaps_are_numbers_that_were_passed_over() -> None:
    """Late and repeated events leave none."""
    assert noted(1, 2, 3).gaps == ()
    assert noted(2, 5, 5, 4).gaps == (1, 3)
    assert noted(3, 1, 2).gaps == ()


def test_a_run_that_lost_nothing_has_nothing_to_refill(tmp_path: Path) -> None:
    """Files of events that came are not read again."""
    for counter in (1, 2):
        put(tmp_path, counter).write_text("{")
    refill = noted(1, 2).refill(tmp_path)
    assert (refill.events, refill.lost) == ((), ())


def test_gaps_and_a_lost_end_are_refilled_in_order(tmp_path: Path) -> None:
    """Events after the last one that came have files too."""
    for counter in (1, 2, 3, 4, 10, 11):
        put(tmp_path, counter)
    ledger = noted(1, 4, 9)
    refill = ledger.refill(tmp_path)
    assert [item["counter"] for item in refill.events] == [2, 3, 10, 11]
    assert refill.lost == (
        "event 5 is nowhere",
        "event 6 is nowhere",
        "event 7 is nowhere",
        "event 8 is nowhere",
    )
    assert ledger.gaps == (5, 6, 7, 8)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b'{"uuid": "0000-2", "event": "runner_', "is not whole"),
        (b"", "is not whole"),
        (b"\xff\xfe", "is not whole"),
        (b"[1]", "holds no event"),
        (b'{"uuid": "0000-2", "counter": 2}', "holds no event"),
    ],
)
def test_files_that_are_not_whole_are_told(tmp_path: Path, content: bytes, words: str) -> None:
    """By name, and the event stays missing."""
    put(tmp_path, 2).write_bytes(content)
    refill = noted(1, 3).refill(tmp_path)
    assert refill.events == ()
    assert refill.lost == (f"2-0000-2.json {words}", "event 2 is nowhere")


def test_an_event_without_contents_is_refilled_from_what_ansible_wrote(tmp_path: Path) -> None:
    """ansible-runner hands out a bare number when it cannot read Ansible's file."""
    ledger = noted(1, 3)
    ledger.note({"counter": 2, "uuid": "abc"})
    assert ledger.gaps == (2,)
    (tmp_path / "abc-partial.json").write_text(json.dumps({**event(None), "uuid": "abc"}))
    refill = ledger.refill(tmp_path)
    assert [(item["counter"], item["uuid"]) for item in refill.events] == [(2, "abc")]
    assert not refill.lost
    assert not ledger.gaps


def test_an_event_that_was_never_numbered_comes_last(tmp_path: Path) -> None:
    """Ansible wrote it and ansible-runner did not take it in; one that is not whole is told."""
    put(tmp_path, 2)
    (tmp_path / "0000-99-partial.json").write_text(json.dumps(event(None)))
    (tmp_path / "cut-partial.json").write_text('{"event":')
    (tmp_path / "begun-partial.json.tmp").write_text("")
    refill = noted(1).refill(tmp_path)
    assert [item.get("counter") for item in refill.events] == [2, None]
    assert sorted(refill.lost) == ["begun-partial.json.tmp is not whole", "cut-partial.json is not whole"]


def test_what_ansible_wrote_of_an_event_that_came_is_not_yielded_twice(tmp_path: Path) -> None:
    """ansible-runner may fail to remove it."""
    put(tmp_path, 1)
    (tmp_path / "0000-1-partial.json").write_text(json.dumps(event(None)))
    assert noted(1).refill(tmp_path).events == ()


def test_a_directory_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    """And one that is not there is no news: the run broke before its first event."""
    (tmp_path / "loop").symlink_to("loop")
    assert noted(1).refill(tmp_path / "none").lost == ()
    told = noted(2).refill(tmp_path / "loop").lost
    assert told[0].startswith("the directory of events cannot be read")
    assert told[1] == "event 1 is nowhere"


class Forgetful(PlaybookRun):
    """Loses the results of hosts, and does worse to the files of some of them once the run is over."""

    harm = ""

    def _on_event(self, event: dict[str, Any]) -> bool:
        return True if event["event"] == "runner_on_ok" else super()._on_event(event)

    def _close_ledger(self) -> list[dict[str, Any]]:
        for path in (self._artifact / "job_events").iterdir():
            raw = json.loads(path.read_text())
            if raw["event"] == "runner_on_ok" and raw["event_data"]["host"] == "two":
                if self.harm == "delete":
                    path.unlink()
                elif self.harm == "truncate":
                    path.write_bytes(path.read_bytes()[:40])
        return super()._close_ledger()


@pytest.fixture
def data(tmp_path: Path) -> PrivateData:
    """A directory with one task on two hosts."""
    directory = PrivateData(tmp_path / "1" / "2" / "0", tmp_path / "collections")
    return written(directory, play(say("hello")))


@pytest.mark.parametrize("harm", ["", "delete", "truncate"])
def test_a_real_run_refills_what_its_handler_lost(data: PrivateData, harm: str) -> None:
    """Events of hosts are there before the end of events(); what cannot be had again is in the outcome."""
    run = Forgetful(data, "step.yml", "run", {})
    run.harm = harm
    events = events_of(run.start())
    hosts = {item["event_data"]["host"] for item in events if item["event"] == "runner_on_ok"}
    assert run.outcome is not None
    assert (run.outcome.status, run.outcome.rc) == ("successful", 0)
    if harm:
        assert hosts == {"one"}
        assert any(words.endswith(" is nowhere") for words in run.outcome.lost)
        assert "events of Ansible are lost: " in run.outcome.problem
        assert ("is not whole" in run.outcome.problem) == (harm == "truncate")
    else:
        assert hosts == {"one", "two"}
        assert (run.outcome.lost, run.outcome.problem) == ((), "")
        assert sorted(item["counter"] for item in events) == list(range(1, len(events) + 1))


class Blind(PlaybookRun):
    """Gets nothing after the start: not even the end."""

    def _on_event(self, event: dict[str, Any]) -> bool:
        return True if event["counter"] > 1 else super()._on_event(event)


def test_a_run_whose_end_was_lost_did_not_break(data: PrivateData) -> None:
    """The statistics of the run are in a file: it got to its end."""
    run = Blind(data, "step.yml", "run", {}).start()
    assert events_of(run)[-1]["event"] == "playbook_on_stats"
    assert run.outcome is not None
    assert (run.outcome.problem, run.outcome.lost) == ("", ())
