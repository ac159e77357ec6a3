"""Large files whose transfer is interrupted go on from what has come: counted in bytes on the hosts' own cables."""

from __future__ import annotations

import itertools
import re
import secrets
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import NewService
from tests.e2e.jobs import Job, Jobs, Source, wait_until
from tests.e2e.restarts import kill_with_children
from tests.lab import Lab, LabHost
from tests.support.service import Service

MIB = 1024 * 1024
SIZE = 64 * MIB
#: What has come when the transfer is interrupted, and what may be sent again: buffers, and frames around the bytes.
ENOUGH = 24 * MIB
SLACK = 12 * MIB
#: ssh takes a dead link for dead within seconds.
_ALERT = {
    "ANSIBLE_SSH_ARGS": "-o ControlMaster=auto -o ControlPersist=2s -o ConnectTimeout=3"
    " -o ServerAliveInterval=1 -o ServerAliveCountMax=3",
}


@pytest.fixture
def service(lab: Lab, fresh_service: NewService) -> Iterator[Service]:
    """A service of each test's own, whose ssh notices a cut cable."""
    if not lab.isolated:
        pytest.skip("hosts need cables and file systems of their own")
    yield fresh_service(environment=_ALERT)
    for host in lab.hosts:
        assert lab.exec(host, "ls -d /tmp/job-*; find /srv -name '.job-*'").stdout == "", host.name


@pytest.fixture
def big(lab: Lab) -> Path:
    """A large file on host 101, of bytes that nobody has seen before."""
    path = Path(f"/srv/big-{secrets.token_hex(4)}/file")
    made = f"mkdir {path.parent} && head -c {SIZE} /dev/urandom > {path} && chmod 640 {path}"
    assert lab.exec(lab.host(101), made).returncode == 0
    return path


def slow(service: Service, big: Path, **limits: Any) -> Job:
    """A transfer from 101 to 102 that takes a while."""
    return Jobs(service).files([Source([101], [str(big)])], f"{big.parent}/", 102, **limits)


def crossed(lab: Lab, host: LabHost, counter: str) -> int:
    """Bytes that went over a host's cable."""
    return int(lab.read(host, f"/sys/class/net/eth0/statistics/{counter}_bytes"))


def staged(lab: Lab, big: Path) -> int:
    """Bytes staged on the target."""
    sizes = lab.exec(lab.host(102), f"cat {big.parent}/.job-*/* | wc -c").stdout
    return int(sizes or 0)


def parts(service: Service) -> list[Path]:
    """Parts in the controller's cache."""
    return list((service.data_dir / "cache" / "files").rglob("*.part"))


def cached(service: Service) -> int:
    """Bytes of all parts."""
    return sum(path.stat().st_size for path in parts(service))


def arrived(lab: Lab, big: Path) -> None:
    """Fail unless the target has the source's file and nothing else."""
    sums = {lab.exec(lab.host(i), f"sha256sum < {big}; stat -c %a {big}").stdout for i in (101, 102)}
    assert len(sums) == 1
    assert lab.exec(lab.host(102), f"ls -A {big.parent}").stdout.split() == [big.name]


def test_a_killed_send_goes_on(lab: Lab, service: Service, big: Path) -> None:
    """The service and its Ansible die: the next start sends only what is missing, and progress goes on coming."""
    job = slow(service, big, download_speed_limit=8)
    wait_until(lambda: staged(lab, big) > ENOUGH, "a third of the file")
    kill_with_children(service)
    time.sleep(0.5)
    had, before = staged(lab, big), crossed(lab, lab.host(102), "rx")
    service.start()
    job.succeeded()
    again = crossed(lab, lab.host(102), "rx") - before
    assert again < SIZE - had + SLACK, f"{had} bytes were there, {again} came afterwards"
    arrived(lab, big)


def test_a_killed_fetch_goes_on(lab: Lab, service: Service, big: Path) -> None:
    """The part in the cache is gone on with; nothing of it stays."""
    job = slow(service, big, upload_speed_limit=8)
    wait_until(lambda: cached(service) > ENOUGH, "a third of the file")
    kill_with_children(service)
    had, before = cached(service), crossed(lab, lab.host(101), "tx")
    service.start()
    job.succeeded()
    again = crossed(lab, lab.host(101), "tx") - before
    assert again < SIZE - had + SLACK, f"{had} bytes were there, {again} came afterwards"
    arrived(lab, big)
    assert parts(service) == []


@pytest.mark.parametrize(("end", "limit"), [(101, "upload_speed_limit"), (102, "download_speed_limit")])
def test_a_cable_that_is_cut_for_a_while(lab: Lab, service: Service, big: Path, end: int, limit: str) -> None:
    """The source's or the target's: the transfer goes on when it is mended, from where it was."""
    host, counter = lab.host(end), "tx" if end == 101 else "rx"
    before = crossed(lab, host, counter)
    job = slow(service, big, **{limit: 8})
    wait_until(lambda: (cached(service) if end == 101 else staged(lab, big)) > ENOUGH, "a third of the file")
    lab.cut(host)
    try:
        time.sleep(8)
    finally:
        lab.mend(host)
    job.succeeded()
    assert crossed(lab, host, counter) - before < SIZE + SLACK
    arrived(lab, big)


def test_what_is_damaged_is_sent_anew(lab: Lab, service: Service, big: Path) -> None:
    """The sum over the whole tells: the staged bytes are thrown away and all of them sent, once."""
    job = slow(service, big, download_speed_limit=16)
    wait_until(lambda: staged(lab, big) > ENOUGH, "a third of the file")
    kill_with_children(service)
    spoil = f"echo spoilt | dd of=$(echo {big.parent}/.job-*/*) bs=65536 seek=3 conv=notrunc"
    assert lab.exec(lab.host(102), spoil).returncode == 0
    before = crossed(lab, lab.host(102), "rx")
    service.start()
    job.succeeded()
    assert crossed(lab, lab.host(102), "rx") - before > SIZE
    arrived(lab, big)


@pytest.mark.parametrize("limit", ["upload_speed_limit", "download_speed_limit"])
def test_a_terminate_or_the_time_ends_it_in_the_middle(
    lab: Lab, service: Service, big: Path, limit: str
) -> None:
    """Within seconds: no file at its place, no staging, no part."""
    for timeout in (None, 4):
        began = time.monotonic()
        job = slow(service, big, **{limit: 2}, **({"timeout": timeout} if timeout else {}))
        if timeout is None:
            wait_until(lambda: max(staged(lab, big), cached(service)) > 3 * MIB, "the transfer")
            began = time.monotonic()
            service.data("operate_job_instance", bk_biz_id=1, job_instance_id=job.id, operation_code=1)
        assert job.statuses[102] in ((303, 320) if timeout else (403,)), job.why()
        assert time.monotonic() - began < (timeout or 0) + 10
        assert lab.exec(lab.host(102), f"ls -A {big.parent}").stdout == ""
        assert parts(service) == []


def test_progress_comes_while_a_file_moves(lab: Lab, service: Service, big: Path) -> None:
    """At least every two seconds another percentage, and a speed near the limit."""
    job = slow(service, big, download_speed_limit=8)
    seen: dict[str, float] = {}
    until = time.monotonic() + 30
    while not service.status(1, job.id)["finished"] and time.monotonic() < until:
        for entry in service.file_logs_of(1, job.id, job.step_id, 102):
            if entry["mode"] == 1 and entry["status"] == 3:
                progress = re.search(r"Progress: (\d+)%", entry["log_content"])
                assert progress
                seen.setdefault(progress[1], time.monotonic())
        time.sleep(0.3)
    job.succeeded()
    times = sorted(seen.values())
    assert len(times) >= 4
    assert max(later - sooner for sooner, later in itertools.pairwise(times)) < 3.5


def test_two_steps_that_read_the_same_source_at_once(lab: Lab, service: Service, big: Path) -> None:
    """One reads it, the other waits for that; both send it."""
    before = crossed(lab, lab.host(101), "tx")
    first = slow(service, big, upload_speed_limit=16)
    second = Jobs(service).files([Source([101], [str(big)])], f"{big.parent}/second/", 102)
    first.succeeded()
    second.succeeded()
    assert crossed(lab, lab.host(101), "tx") - before < SIZE + SLACK
    arrived_twice = lab.exec(lab.host(102), f"sha256sum < {big}; sha256sum < {big.parent}/second/file").stdout
    assert len(set(arrived_twice.split("\n")[:-1])) == 1
    assert parts(service) == []


@pytest.mark.parametrize("account", ["root", "job"])
def test_another_user_s_files_are_streamed_too(lab: Lab, service: Service, big: Path, account: str) -> None:
    """Also when Ansible becomes the account on either side: whole, its own, at its mode."""
    assert lab.exec(lab.host(101), f"chown -R job {big.parent}").returncode == 0
    sources = [Source([101], [str(big)], "job")]
    Jobs(service).files(sources, f"/home/job/{big.parent.name}/", 102, account=account).succeeded()
    place = f"/home/job/{big.parent.name}/{big.name}"
    assert lab.exec(lab.host(102), f"stat -c '%U %a' {place}").stdout.split() == [account, "640"]
    sums = {lab.exec(lab.host(i), f"sha256sum < {p}").stdout for i, p in ((101, big), (102, place))}
    assert len(sums) == 1
