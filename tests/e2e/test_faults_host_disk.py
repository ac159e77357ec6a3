"""A host's disk is full: nothing runs that could not be told of, and what has run is told once there is room."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.e2e.jobs import Jobs, wait_until
from tests.e2e.restarts import marks
from tests.lab import Lab, LabHost
from tests.support.service import Service

_RUNS = "/tmp/bkjob.root"
_MARK = f"disk-{os.getpid()}"


@pytest.fixture
def host(lab: Lab) -> Iterator[LabHost]:
    """A host whose runs are on a file system of their own, which has no room."""
    if not lab.isolated:
        pytest.skip("mounting needs a host with a file system of its own")
    host = lab.host(105)
    made = f"mkdir -m 700 -p {_RUNS} && mount -t tmpfs -o size=4k,mode=700 none {_RUNS}"
    assert lab.exec(host, made).returncode == 0
    yield host
    lab.exec(host, f"umount -l {_RUNS}; rm -f /root/{_MARK}-*")


def resize(lab: Lab, host: LabHost, size: str) -> None:
    """More room, or less."""
    assert lab.exec(host, f"mount -o remount,size={size} {_RUNS}").returncode == 0


def test_a_script_does_not_run_without_its_parameter_or_where_it_cannot_be_watched(
    lab: Lab, service: Service, host: LabHost
) -> None:
    """Room for the script but not for the parameter, for that but not for the pid: 12, and not a trace."""
    for pages in (1, 2, 3):
        resize(lab, host, f"{4 * pages}k")
        job = Jobs(service, biz=2).script(f'echo "ran $1" >> "$HOME/{_MARK}-param"', 105, param="on this")
        assert job.states == {105: (12, None, 0)}, job.why()
        assert "the disk is full" in job.log(105)
        assert marks(lab, host, f"{_MARK}-param") == []
        lab.exec(host, f"rm -rf {_RUNS}/*")


def test_the_truth_is_told_when_there_is_room_again(lab: Lab, service: Service, host: LabHost) -> None:
    """Output that found no room is missing at the end, and only there; the exit code is the script's own."""
    resize(lab, host, "80k")
    printing = f'echo start >> "$HOME/{_MARK}-prints"; head -c 200000 /dev/zero | tr "\\0" x'
    job = Jobs(service, biz=2).script(f'{printing}; echo end >> "$HOME/{_MARK}-prints"; exit 3', 105)
    wait_until(lambda: marks(lab, host, f"{_MARK}-prints") == ["start", "end"], "the end of the script")
    wait_until(lambda: len(job.log_now(105)) > 40_000, "what has found room")
    assert not service.status(2, job.id)["finished"], "its end is not written yet"
    resize(lab, host, "1m")
    assert job.states == {105: (104, 3, 0)}, job.why()
    log = job.log(105)
    assert set(log[:40_000]) == {"x"}
    assert log.count("x") < 200_000
    assert marks(lab, host, f"{_MARK}-prints") == ["start", "end"]
