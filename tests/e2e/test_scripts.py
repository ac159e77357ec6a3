"""Scripts on real hosts: languages, parameters, and every end that a script can come to."""

from __future__ import annotations

import secrets

import pytest

from tests.e2e.conftest import NewService
from tests.e2e.jobs import SUCCESS, Jobs, wait_until
from tests.lab import Lab
from tests.support.service import Service

#: Tells the hosts of both kinds of lab apart.
WHICH = 'case "$(hostname) $HOME" in'


def processes(lab: Lab, host_id: int, marker: str) -> list[str]:
    """Command lines on the host that hold the marker."""
    listed = lab.exec(lab.host(host_id), ["ps", "-eo", "args"]).stdout
    return [line for line in listed.splitlines() if marker in line]


def endless() -> str:
    """A command that outlasts every test and that no other test has."""
    return f"sleep 3{secrets.randbelow(10**9):09d}"


def test_shell_perl_and_python_take_parameters(jobs: Jobs) -> None:
    """The parameter is split as a shell splits words; newlines in it are blanks; quotes hold words together."""
    param = "one 'two words'\nfour \"f i v e\""
    expected = "one|two words|four|f i v e\n"
    shell = jobs.script("IFS='|'; echo \"$*\"", 101, param=param)
    perl = jobs.script('print join("|", @ARGV), "\\n"', 102, param=param, language=3)
    python = jobs.script("import sys\nprint('|'.join(sys.argv[1:]))", 103, param=param, language=4)
    assert shell.succeeded().log(101) == expected
    assert perl.succeeded().log(102) == expected
    assert python.succeeded().log(103) == expected


def test_a_target_needs_no_python_unless_the_script_is_python(lab: Lab, service: Service) -> None:
    """On a host without it shell runs; a Python script ends 127 and says what was looked for."""
    if not lab.isolated:
        pytest.skip("all hosts of this kind have this machine's programs")
    jobs = Jobs(service, biz=2)
    shell = jobs.script("command -v python3 python python2 || echo none", 106)
    python = jobs.script("print(1)", 106, language=4)
    assert shell.succeeded().log(106) == "none\n"
    assert python.states == {106: (104, 127, 0)}
    assert "no interpreter on this host: looked for python3 python python2" in python.log(106)


def test_the_interpreter_is_the_one_the_first_line_names(jobs: Jobs) -> None:
    """With its options; a carriage return at its end is not part of it; bash is what shell means without one."""
    bashisms = jobs.script('a=(x y z); [[ ${a[1]} == y ]] && cat <(echo "${a[@]:1}")', 101)
    crlf = jobs.script("#!/bin/sh\r\n:\necho sh ran this\n", 102)
    options = jobs.script("#!/usr/bin/env perl -w\nprint 'warned' if $^W", 103)
    strict = jobs.script("#!/bin/bash -e\nfalse\necho not reached", 101)
    assert bashisms.succeeded().log(101) == "y z\n"
    assert crlf.succeeded().log(102) == "sh ran this\n"
    assert options.succeeded().log(103) == "warned"
    assert (strict.states, strict.log(101)) == ({101: (104, 1, 0)}, "")


def test_scripts_and_parameters_of_any_size_arrive_whole(jobs: Jobs) -> None:
    """A script of 300 KB without a last newline; 60 KB of parameters with quotes, dollars and backslashes."""
    ballast = "# ballast äöü '\"`$(){{ }}\n" * 12_000
    words = " ".join(f"'{number:04d} \"$HOME\" `id` \\n'" for number in range(2_700))
    assert 60_000 < len(words) < 65_535
    large = jobs.script(f"{ballast}wc -c < \"$0\"; printf '%s' end", 101)
    long = jobs.script('printf "%s\\n" "$#" "${2700}"', 102, param=words)
    size, end = large.succeeded().log(101).split("\n")
    assert (int(size), end) == (len((ballast + "wc -c < \"$0\"; printf '%s' end").encode()), "end")
    assert long.succeeded().log(102) == '2700\n2699 "$HOME" `id` \\n\n'


def test_hosts_of_one_job_each_come_to_their_own_end(jobs: Jobs) -> None:
    """One fails, one takes too long, one is down, one is fine: each has its state, and the job has failed."""
    text = f"{WHICH} *lab101*) echo fine;; *lab102*) echo bad >&2; exit 3;; *) echo slow; sleep 60;; esac"
    job = jobs.script(text, 101, 102, 103, 199, timeout=2)
    assert job.status == 4
    assert job.states == {101: SUCCESS, 102: (104, 3, 0), 103: (102, 143, 0), 199: (310, None, 117)}, (
        job.why()
    )
    assert (job.log(101), job.log(102)) == ("fine\n", "bad\n")
    assert job.log(103).startswith("slow\n")
    assert job.log(199), "the log of a host that is down does not say why"
    for result in job.hosts.values():
        assert result["total_time"] >= 100
        assert result["end_time"] >= result["start_time"]


def test_exit_codes_are_the_script_s(jobs: Jobs) -> None:
    """0 is success, every other number 104 with that exit code; a signal is 128 and its number."""
    text = f"{WHICH} *lab101*) exit 1;; *lab102*) exit 255;; *) kill -9 $$;; esac"
    assert jobs.script(text, 101, 102, 103).states == {
        101: (104, 1, 0),
        102: (104, 255, 0),
        103: (104, 137, 0),
    }


def test_a_timeout_ends_the_whole_process_group(lab: Lab, jobs: Jobs) -> None:
    """A script that ignores SIGTERM, and what it has started, is gone from the host when the job says 102."""
    child = endless()
    job = jobs.script(f"trap '' TERM; echo here; {child} & {child}; {child}", 102, timeout=1)
    assert wait_until(lambda: job.log_now(102), "the script's first line") == "here\n"
    assert len(processes(lab, 102, child)) == 2
    assert job.statuses == {102: 102}
    assert processes(lab, 102, child) == []


def test_a_script_may_leave_processes_behind(lab: Lab, jobs: Jobs) -> None:
    """The job ends with the script, whether what it left holds its output open or not, and leaves it alone."""
    apart, held = endless(), endless()
    closed = jobs.script(f"setsid {apart} </dev/null >/dev/null 2>&1 & echo started", 101)
    holding = jobs.script(f"{held} & echo started", 103)
    for job, host_id, left in ((closed, 101, apart), (holding, 103, held)):
        assert job.succeeded().log(host_id) == "started\n"
        assert processes(lab, host_id, left) == [left]
        lab.exec(lab.host(host_id), f'kill $(ps -eo pid,args | awk \'$2 " " $3 == "{left}" {{print $1}}\')')
        assert processes(lab, host_id, left) == []


def test_the_tag_is_what_the_script_says_in_brackets(jobs: Jobs) -> None:
    """The last `job_success:[…]` or `job_fail:[…]`, on success and on failure, at most 256 characters."""
    text = f"""{WHICH}
*lab101*) echo 'job_success:[first]'; echo "[2026-01-01 10:00:00][$$] job_success:[version 1.2 é]";;
*lab102*) echo "[x] job_fail:[disk]"; exit 1;;
*) printf 'job_success:[%s]\\n' "$(printf '%0300d' 7)";;
esac"""
    job = jobs.script(text, 101, 102, 103)
    assert {host_id: result["tag"] for host_id, result in job.hosts.items()} == {
        101: "version 1.2 é",
        102: "disk",
        103: "0" * 256,
    }


def test_only_an_empty_file_of_a_run_stays_on_the_host(lab: Lab, fresh_service: NewService) -> None:
    """Its directory with the script and its output is removed, by the account that made it."""
    service = fresh_service(environment={"ADAPTER_CLEAN_DELAY_SECONDS": "0"})
    for account in ("root", "job"):
        job = Jobs(service).script('ls -d "${0%/*}"', 101, 199, account=account)
        directory = job.log(101).strip()
        assert f".{job.step_id}.0.101" in directory
        wait_until(
            lambda place=directory: lab.exec(lab.host(101), ["test", "-f", place]).returncode == 0,
            f"{directory} to be replaced by a file",
        )
        assert lab.read(lab.host(101), directory) == b""
    wait_until(lambda: not list((service.data_dir / "cleaning").glob("*")), "the cleaning to leave nothing")


def test_a_full_disk_on_the_host_is_told(lab: Lab, service: Service) -> None:
    """The script cannot be put there: 12, and the log says that the disk may be full."""
    if not lab.isolated:
        pytest.skip("mounting needs a host with a file system of its own")
    host = lab.host(105)
    directory = "/tmp/bkjob.root"
    lab.exec(host, f"mkdir -m 700 -p {directory} && mount -t tmpfs -o size=8k,mode=700 none {directory}")
    try:
        job = Jobs(service, biz=2).script("#" * 100_000, 105)
        assert job.states == {105: (12, None, 0)}
        assert "disk is full" in job.log(105)
    finally:
        lab.exec(host, f"umount {directory}")
