"""A host's cable is pulled, its sshd restarted: its script goes on, is followed again, and the truth is told."""

from __future__ import annotations

import itertools
import os
import secrets
import time
from typing import Any

import pytest

from tests.e2e.conftest import NewService
from tests.e2e.jobs import Jobs, Source, wait_until
from tests.e2e.restarts import marking, marks, ran_once, wait_for_end, wait_for_start
from tests.lab import Lab

MIB = 1024 * 1024
#: ssh takes a dead link for dead within seconds.
_ALERT = {
    "ANSIBLE_SSH_ARGS": "-o ControlMaster=auto -o ControlPersist=2s -o ConnectTimeout=3"
    " -o ServerAliveInterval=1 -o ServerAliveCountMax=3",
}
#: Prints nothing, so that the exchange which starts it is still open when the connection goes.
_SILENT = 'echo start >> "$HOME/{name}"; sleep {seconds}; echo done; echo end >> "$HOME/{name}"'
#: Seconds past a script's timeout for which its host is tried.
_GRACE = 60

_names = (f"links-{os.getpid()}-{number}" for number in itertools.count())


@pytest.fixture(autouse=True)
def _isolated(lab: Lab) -> None:
    if not lab.isolated:
        pytest.skip("hosts need cables of their own")


def test_a_link_that_is_cut_for_20_seconds(lab: Lab, fresh_service: NewService) -> None:
    """Scripts that end meanwhile and later, that print and that are silent: each ran once, no log lacks a line."""
    jobs = Jobs(fresh_service(environment=_ALERT))
    names = [next(_names) for _ in range(3)]
    host = lab.host(103)
    short, long = (jobs.script(marking(name, n), 103) for name, n in zip(names, (15, 32), strict=False))
    silent = jobs.script(_SILENT.format(name=names[2], seconds=16), 103)
    for name in names:
        wait_for_start(lab, [host], name)
    lab.cut(host)
    try:
        time.sleep(20)
        assert [jobs.service.status(1, job.id)["finished"] for job in (short, long, silent)] == [False] * 3
    finally:
        lab.mend(host)
    ran_once(lab, short, [host], names[0], 15)
    ran_once(lab, long, [host], names[1], 32)
    assert silent.succeeded().log(103) == "done\n"
    assert marks(lab, host, names[2]) == ["start", "end"]


def test_a_link_that_is_cut_under_a_start_whatever_is_said_last(lab: Lab, fresh_service: NewService) -> None:
    """A login that speaks of permissions, Ansible's own retries: neither makes it a host that never let us in."""
    jobs = Jobs(fresh_service(environment={**_ALERT, "ANSIBLE_SSH_RETRIES": "1"}))
    plain = Jobs(fresh_service(environment=_ALERT))
    names, hosts = [next(_names) for _ in range(2)], [lab.host(102), lab.host(103)]
    lab.exec(hosts[1], "echo 'echo /x: Permission denied >&2' > /etc/ssh/sshrc")
    try:
        retried = jobs.script(_SILENT.format(name=names[0], seconds=6), 102)
        loud = plain.script(_SILENT.format(name=names[1], seconds=6), 103)
        for host, name in zip(hosts, names, strict=True):
            wait_for_start(lab, [host], name)
        for host in hosts:
            lab.cut(host)
        time.sleep(14)
    finally:
        for host in hosts:
            lab.mend(host)
        lab.exec(hosts[1], "rm /etc/ssh/sshrc")
    assert {**retried.statuses, **loud.statuses} == {102: 9, 103: 9}
    assert (retried.log(102), loud.log(103)) == ("done\n", "done\n")
    assert [marks(lab, host, name) for host, name in zip(hosts, names, strict=True)] == [["start", "end"]] * 2


def test_a_connection_that_is_reset_under_a_start(lab: Lab, fresh_service: NewService) -> None:
    """ssh may then say what it says of one that never was; the script runs, and is followed."""
    jobs = Jobs(fresh_service(environment={"ANSIBLE_SSH_ARGS": "-o ControlMaster=no"}))
    host, name = lab.host(102), next(_names)
    job = jobs.script(_SILENT.format(name=name, seconds=4), 102)
    wait_for_start(lab, [host], name)
    killed = lab.exec(host, "ss --kill --no-header state established sport = :22").stdout
    assert "ssh" in killed or ":22" in killed, "a connection was there, and the kernel resets it"
    assert job.succeeded().log(102) == "done\n"
    assert marks(lab, host, name) == ["start", "end"]


def test_a_host_that_lets_nobody_in_is_told_at_once(lab: Lab, fresh_service: NewService) -> None:
    """Refused, and with Ansible's retries refused again: not followed for its script's time."""
    jobs = Jobs(fresh_service(environment={**_ALERT, "ANSIBLE_SSH_RETRIES": "2"}))
    host = lab.host(102)
    lab.stop_sshd(host, drop_connections=True)
    try:
        job = jobs.script("echo x", 102, timeout=600)
        assert job.statuses == {102: 310}
    finally:
        lab.start_sshd(host)
    assert job.end["job_instance"]["total_time"] < 30_000
    assert "refused" in job.log(102)


@pytest.mark.timeout(300)
def test_a_link_that_is_cut_for_ever(lab: Lab, fresh_service: NewService) -> None:
    """Unreachable with the reason, never success and not before its time; also where hosts take turns."""
    parallel = Jobs(fresh_service(environment=_ALERT))
    turns = Jobs(fresh_service("--forks", "1", environment=_ALERT))
    names, seconds, timeout = [next(_names) for _ in range(3)], 12, 30
    submitted = time.monotonic()
    printing = parallel.script(marking(names[0], seconds), 101, 102, 103, timeout=timeout)
    silent = parallel.script(_SILENT.format(name=names[1], seconds=seconds), 102, timeout=timeout)
    taking_turns = turns.script(marking(names[2], seconds), 101, 102, 103, timeout=timeout)
    jobs = (printing, silent, taking_turns)
    cut = [lab.host(102), lab.host(103)]
    for name, hosts in zip(names, ([101, 102, 103], [102], [101, 102, 103]), strict=True):
        wait_for_start(lab, map(lab.host, hosts), name)
    for host in cut:
        lab.cut(host)
    began = time.monotonic()
    try:
        while time.monotonic() < submitted + timeout + _GRACE - 10:
            for job in jobs:
                assert not job.service.status(1, job.id)["finished"], job.why()
            time.sleep(2)
        for job in jobs:
            assert job.status == 4, job.why()
            for host_id in set(job.statuses) & {102, 103}:
                assert job.states[host_id] == (310, None, 117), job.why()
                assert "ssh" in job.log(host_id).splitlines()[-1], "the reason"
        for job in (printing, taking_turns):
            assert job.states[101] == (9, 0, 0), job.why()
        assert time.monotonic() - began < timeout + _GRACE + 60
    finally:
        for host in cut:
            lab.mend(host)
    for name in (names[0], names[2]):
        wait_for_end(lab, lab.hosts_of(1), name)


def test_sshd_restarts_under_running_scripts(lab: Lab, fresh_service: NewService) -> None:
    """All connections go: scripts go on, one that ended meanwhile is collected, none is started again."""
    jobs, host = Jobs(fresh_service(environment=_ALERT)), lab.host(102)
    names = [next(_names) for _ in range(3)]
    long, short = (jobs.script(marking(name, n), 102) for name, n in zip(names, (8, 3), strict=False))
    silent = jobs.script(_SILENT.format(name=names[2], seconds=5), 102)
    for name in names:
        wait_for_start(lab, [host], name)
    lab.stop_sshd(host, drop_connections=True)
    try:
        time.sleep(3)
    finally:
        lab.start_sshd(host)
    ran_once(lab, long, [host], names[0], 8)
    ran_once(lab, short, [host], names[1], 3)
    assert silent.succeeded().log(102) == "done\n"
    assert marks(lab, host, names[2]) == ["start", "end"]


@pytest.mark.parametrize("end", [101, 102], ids=["source", "target"])
def test_sshd_restarts_under_a_transfer(lab: Lab, fresh_service: NewService, end: int) -> None:
    """It goes on from what has come; the file is whole and nothing of the staging is left."""
    service, host = fresh_service(environment=_ALERT), lab.host(end)
    place = f"/srv/sshd-{secrets.token_hex(4)}"
    made = f"mkdir {place} && head -c {24 * MIB} /dev/urandom > {place}/file"
    assert lab.exec(lab.host(101), made).returncode == 0
    fields: dict[str, Any] = {"upload_speed_limit" if end == 101 else "download_speed_limit": 6}
    job = Jobs(service).files([Source([101], [f"{place}/file"])], f"{place}/", 102, **fields)

    def come() -> int:
        if end == 101:
            parts = (service.data_dir / "cache" / "files").rglob("*.part")
            return sum(path.stat().st_size for path in parts)
        return int(lab.exec(host, f"cat {place}/.job-*/* | wc -c").stdout or 0)

    wait_until(lambda: come() > 6 * MIB, "a quarter of the file")
    lab.stop_sshd(host, drop_connections=True)
    try:
        time.sleep(2)
    finally:
        lab.start_sshd(host)
    job.succeeded()
    sums = {lab.exec(lab.host(i), f"sha256sum < {place}/file").stdout for i in (101, 102)}
    assert len(sums) == 1
    assert lab.exec(lab.host(102), f"ls -A {place}").stdout.split() == ["file"]
