"""What a step run puts into the store, also when it is run again after a crash."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from adapter.ansible.runner_events import HostEvent
from adapter.engine.board import HostBoard
from adapter.engine.recorder import Recorder
from adapter.job.model import FileSource, FileTask, JobInstance, JobVariable, StepInstance
from adapter.job.status import HostStatus, StepType
from adapter.job.variables import CapturedValue
from adapter.store import progress

from .conftest import ONE, SCOPE, TWO, Bench

STARTED = HostEvent(name="one", status=HostStatus.RUNNING)


def recorder(
    bench: Bench, step: StepInstance, wanted: tuple[JobVariable, ...] = ()
) -> tuple[Recorder, HostBoard]:
    """As a step run makes them."""
    board = HostBoard(bench.jobs.hosts(step.id, 0))
    spool = bench.directory / "spool"
    spool.mkdir(exist_ok=True)
    return Recorder(bench.jobs, bench.logs, bench, step, board, spool, wanted), board


def ended(status: HostStatus, message: str = "", log_bytes: int = 0) -> HostEvent:
    """The first host's end."""
    return HostEvent(name="one", status=status, exit_code=0, message=message, log_bytes=log_bytes)


def test_an_ended_host_is_stored_with_its_whole_log(bench: Bench) -> None:
    """Log, tag, kept bytes and state are there after one flush; the other host still waits."""
    (step,) = bench.job().steps
    some, _ = recorder(bench, step)
    spool = bench.directory / "spool" / "1.log"
    some.apply(STARTED)
    spool.write_bytes(b"first\n")
    some.take_spool()
    some.flush()
    spool.write_bytes(b"first\njob_success:[fine]\n")
    some.apply(ended(HostStatus.SUCCESS, log_bytes=25))
    some.flush()
    one, two = bench.jobs.hosts(step.id, 0)
    assert (one.status, one.tag, one.log_bytes, one.log_kept) == (HostStatus.SUCCESS, "fine", 25, 25)
    assert two.status is HostStatus.WAITING
    assert bench.logs.read(step.id, 0, 1) == b"first\njob_success:[fine]\n"


def test_only_hosts_that_ansible_is_at_are_looked_at(bench: Bench) -> None:
    """One of 50,000 costs what one costs: a host is looked at from its start to its answer, and once more then."""
    (step,) = bench.job().steps
    some, _ = recorder(bench, step)
    spool = bench.directory / "spool" / "1.log"
    spool.write_bytes(b"first\n")
    some.take_news()
    some.flush()
    assert bench.logs.read(step.id, 0, 1) == b""
    some.apply(STARTED)
    some.take_news()
    some.flush()
    assert bench.logs.read(step.id, 0, 1) == b"first\n"
    spool.write_bytes(b"first\nsecond\n")
    some.apply(replace(STARTED, is_answer=True))  # its turn is over
    some.flush()
    assert bench.logs.read(step.id, 0, 1) == b"first\nsecond\n"
    spool.write_bytes(b"first\nsecond\nthird\n")
    some.take_news()
    some.flush()
    assert bench.logs.read(step.id, 0, 1) == b"first\nsecond\n"
    some.take_spool()
    some.flush()
    assert bench.logs.read(step.id, 0, 1) == b"first\nsecond\nthird\n"


def test_what_was_not_kept_is_said_in_the_log(bench: Bench) -> None:
    """Bytes beyond the limit and messages follow the output, on lines of their own."""
    (step,) = bench.job().steps
    some, _ = recorder(bench, step)
    (bench.directory / "spool" / "1.log").write_bytes(b"no end of line")
    some.apply(ended(HostStatus.LOG_ERROR, "the host restarted", log_bytes=100))
    some.flush()
    lines = bench.logs.read(step.id, 0, 1).decode().splitlines()
    assert lines[0] == "no end of line"
    assert "86 of 100 bytes of output were not kept" in lines[1]
    assert lines[2].endswith("] the host restarted")
    assert bench.jobs.hosts(step.id, 0)[0].log_kept == 14


@pytest.mark.parametrize("printed", [b"", b"some output\n"], ids=["silent", "output"])
def test_words_are_stored_with_the_end_or_not_at_all(
    bench: Bench, printed: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ended between the log and the state: neither is there, and the next run says it once."""
    (step,) = bench.job().steps
    if printed:
        (bench.directory / "spool").mkdir()
        (bench.directory / "spool" / "1.log").write_bytes(printed)

    def dies(*_arguments: object) -> int:
        raise SystemExit

    for _ in range(2):
        some, _ = recorder(bench, step)
        some.apply(ended(HostStatus.LOG_ERROR, "the host restarted", log_bytes=len(printed)))
        with monkeypatch.context() as patch:
            patch.setattr(progress, "next_change", dies)
            with pytest.raises(SystemExit):
                some.flush()
        assert bench.logs.read(step.id, 0, 1) == b""
    last, _ = recorder(bench, step)
    last.apply(ended(HostStatus.LOG_ERROR, "the host restarted", log_bytes=len(printed)))
    last.flush()
    log = bench.logs.read(step.id, 0, 1)
    assert log.startswith(printed)
    assert log.count(b"the host restarted") == 1
    one = bench.jobs.hosts(step.id, 0)[0]
    assert (one.status, one.log_kept) == (HostStatus.LOG_ERROR, len(printed))


@pytest.mark.parametrize("again", [b"", b"so"], ids=["nothing", "less"])
def test_what_another_node_stored_counts_and_words_come_after_it(bench: Bench, again: bytes) -> None:
    """The spool is that node's; here the host is lost before all of its output has come once more."""
    (step,) = bench.job().steps
    stored = b"so far job_success:[half]"
    bench.logs.append(step.id, 0, 1, 0, stored)
    some, _ = recorder(bench, step)
    if again:
        (bench.directory / "spool" / "1.log").write_bytes(again)
    some.apply(ended(HostStatus.AGENT_ABNORMAL, "the host cannot be reached"))
    some.flush()
    one = bench.jobs.hosts(step.id, 0)[0]
    assert (one.tag, one.log_bytes, one.log_kept) == ("half", len(stored), len(stored))
    printed, words = bench.logs.read(step.id, 0, 1).decode().splitlines()
    assert printed == stored.decode()
    assert words.endswith("] the host cannot be reached")


def test_a_file_step_that_failed_before_any_file_has_an_entry(bench: Bench) -> None:
    """Clients of a file step read file logs: the reason stands there."""
    task = FileTask(
        sources=(FileSource(files=("/a",), account_id=1, hosts=(TWO,)),), target_path="/d/", account_id=1
    )
    step = StepInstance(name="push", type=StepType.FILE, file=task, create_time=1)
    (stored,) = bench.jobs.add(JobInstance(scope=SCOPE, steps=(step,), create_time=1), [(ONE,)]).steps
    some, _ = recorder(bench, stored)
    some.apply(ended(HostStatus.AGENT_ABNORMAL, "the host cannot be reached"))
    some.flush()
    (entry,) = bench.logs.file_logs(stored.id, 0, [1])
    assert (entry.status, entry.src_path, entry.dest_path) == (5, "/a", "/d/")
    assert entry.content == "the host cannot be reached"


def test_a_host_that_was_lost_keeps_count_of_what_it_had_printed(bench: Bench) -> None:
    """Ansible's own word, unreachable, has no number of bytes: what is stored was printed."""
    (step,) = bench.job().steps
    some, _ = recorder(bench, step)
    (bench.directory / "spool" / "1.log").write_bytes(b"so far\n")
    some.apply(ended(HostStatus.AGENT_ABNORMAL, "the host cannot be reached"))
    some.flush()
    one = bench.jobs.hosts(step.id, 0)[0]
    assert (one.log_bytes, one.log_kept) == (7, 7)


def test_what_a_script_left_of_variables_is_stored_with_its_host(bench: Bench) -> None:
    """As the plugin recorded it, also when its event is lost or a run before has taken part of it in."""
    job = bench.job()
    (step,) = job.steps
    wanted = (
        JobVariable(name="A", type=1, value="old", changeable=True),
        JobVariable(name="N", type=2, value="old"),
    )
    spool = bench.directory / "spool"
    for _ in range(2):
        some, _ = recorder(bench, step, wanted)
        for id_ in (1, 2):
            said = {"A": f"a{id_}", "N": f"n{id_}", "OTHER": "x"}
            recorded = {"state": "finished", "exit_code": 0 if id_ == 2 else 1, "variables": said}
            (spool / f"{id_}.json").write_text(json.dumps(recorded))
        some.take_recorded()
        some.flush()
        assert [(item.name, item.value, item.bk_host_id) for _, item in _captured_once(bench, job)] == [
            ("N", "n1", 1),
            ("A", "a2", None),
            ("N", "n2", 2),
        ]


def _captured_once(bench: Bench, job: JobInstance) -> list[tuple[int, CapturedValue]]:
    return sorted(bench.jobs.captured(job.id), key=lambda item: (item[1].host_order, item[1].name))
