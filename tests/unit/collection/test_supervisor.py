"""supervisor.sh: a script starts exactly once, detached, and everybody who asks is told how it stands."""

from __future__ import annotations

import os
import pwd
import subprocess
import time
from pathlib import Path

import pytest

from tests.unit.collection.programs import BASE, NewRun, Reply, Run, parse, text_of


def gone(group: int) -> bool:
    """Whether no process of the group is left, zombies aside."""
    listed = subprocess.run(["ps", "-eo", "pgid=,stat="], capture_output=True, text=True, check=True)
    lines = (line.split() for line in listed.stdout.splitlines())
    return not any(int(pgid) == group and not stat.startswith("Z") for pgid, stat in lines)


def test_a_short_script_is_done_in_one_exchange(run: NewRun) -> None:
    """Both its outputs, its exit code, how many bytes it printed."""
    reply = run().start('printf "%s|" "$@"; echo err >&2; exit 7', "a 'b c' \\$x")
    assert reply == Reply(b"a|b c|$x|err\n", "finished", ["7", "-", "-"])


def test_a_key_is_started_once(run: NewRun, tmp_path: Path) -> None:
    """A second start attaches to the first, also afterwards, also five at once."""
    mine, count = run(), tmp_path / "count"
    script = f"echo x >> {count}; sleep 0.3; echo done".encode()
    started = [mine.popen("start", 60, 1, len(script), 0, 1000, 5, 10) for _ in range(5)]
    for nonce, process in started:
        stdout, stderr = process.communicate(b"\n" + script, timeout=20)
        assert parse(nonce, stdout, stderr).state in ("finished", "running", "launching")
    assert mine.to_the_end() == Reply(b"done\n", "finished", ["0", "-", "-"])
    assert mine.start("echo other").output == b"done\n"
    assert count.read_text() == "x\n"


def test_output_is_followed_by_offset(run: NewRun) -> None:
    """What has come is answered at once, in pieces no larger than asked for, bytes unharmed."""
    mine = run()
    first = mine.start("printf 'a\\000\\377\\r\\n'; sleep 3; printf 'rest'", wait=1)
    assert (first.output, first.state) == (b"a\0\xff\r\n", "running")
    assert mine.to_the_end() == Reply(b"a\0\xff\r\nrest", "finished", ["0", "-", "-"])
    assert mine.follow(3, 0, 4).output == b"\r\nre"
    assert mine.follow(9, 0).output == mine.follow(99, 0).output == mine.follow(0, 0, 0).output == b""


def test_a_timeout_kills_the_group(run: NewRun) -> None:
    """TERM first; what ignores it is killed, with all its children."""
    mine = run()
    reply = mine.start("trap '' TERM; sleep 77 & echo on; sleep 77; sleep 77", timeout=1)
    assert reply.output == b"on\n"
    group = mine.number("group")
    end = mine.to_the_end()
    assert (end.state, end.words[0]) == ("timeout", "137")
    assert gone(group)


def test_a_script_that_ends_on_sigterm_says_its_last_word(run: NewRun) -> None:
    """Its output after the timeout is kept."""
    mine = run()
    mine.start("trap 'echo bye; exit 3' TERM; sleep 77 & wait", timeout=1)
    assert mine.to_the_end() == Reply(b"bye\n", "timeout", ["3", "-", "-"])


def test_stop_ends_what_runs(run: NewRun) -> None:
    """The state is terminated, and stays so."""
    mine = run()
    assert mine.start("echo on; sleep 77 & sleep 77", wait=1).state == "running"
    group = mine.number("group")
    stopped = mine("stop")
    assert (stopped.state, gone(group)) == ("terminated", True)
    assert mine.follow(0, 0).state == mine.start("echo again").state == "terminated"


def test_stop_comes_before_a_late_start(run: NewRun, tmp_path: Path) -> None:
    """What was stopped before it started never starts."""
    mine, flag = run(), tmp_path / "ran"
    assert mine("stop").state == "terminated"
    assert mine.start(f"touch {flag}").state == "terminated"
    assert not flag.exists()


def test_stop_after_the_end_changes_nothing(run: NewRun) -> None:
    """A finished script stays finished."""
    mine = run()
    mine.start("echo fine")
    assert mine("stop").state == "finished"


def test_what_a_script_leaves_does_not_hold_it_up(run: NewRun) -> None:
    """A daemon that keeps the output open: the script has ended all the same."""
    mine = run()
    reply = mine.start("setsid sleep 5 & echo started")
    assert (reply.output, reply.state) == (b"started\n", "finished")


def test_a_watcher_that_was_killed_is_noticed(run: NewRun) -> None:
    """Lost: nobody knows how the script ended; a run that never was is gone."""
    mine = run()
    assert mine.follow(0, 0).state == "gone"
    mine.start("echo on; sleep 77", wait=1)
    os.kill(mine.number("pid"), 9)
    began = time.monotonic()
    assert mine.follow(3, 20).state == "lost"
    assert time.monotonic() - began < 10, "there was nothing to wait for"
    assert mine.follow(0, 0).output == b"on\n"
    os.killpg(mine.number("group"), 9)


def test_a_script_that_did_not_arrive_whole_is_not_started(run: NewRun, tmp_path: Path) -> None:
    """The connection broke in its middle; the next attempt is the first."""
    mine, flag = run(), tmp_path / "ran"
    script = f"touch {flag}; exit 0; # and more".encode()
    cut = mine("start", 60, 1, len(script), 0, 1000, 0, 10, data=b"\n" + script[:-9])
    assert (cut.state, flag.exists()) == ("refused", False)
    assert mine.start(script.decode()).state == "finished"
    assert flag.exists()


def test_what_was_collected_is_removed_and_never_runs_again(run: NewRun, tmp_path: Path) -> None:
    """A controller that was frozen and wakes up late may still send its start."""
    mine, other, runs = run(), run(), tmp_path / "runs"
    mine.start(f"echo x >> {runs}")
    other.start("echo other")
    assert mine("clean", mine.key, "no.such.run").state == "gone"
    assert mine.directory.is_file()
    assert mine.start(f"echo x >> {runs}").state == "gone"
    assert (mine("stop").state, mine.follow(0, 1).state) == ("gone", "gone")
    assert runs.read_text() == "x\n"
    assert other.follow(0, 0).output == b"other\n"


def test_what_cannot_be_removed_is_told(run: NewRun, tmp_path: Path) -> None:
    """It is not clean, and the service tries again."""
    mine, broken = run(), tmp_path / "broken"
    mine.start("echo x")
    broken.mkdir()
    (broken / "rm").write_text("#!/bin/sh\nexit 1\n")
    (broken / "rm").chmod(0o755)
    unable = Run("supervisor.sh", f"{broken}:{os.environ['PATH']}", mine.key)
    assert unable("clean", mine.key).state == "refused"
    assert mine.directory.is_dir()


def test_a_script_without_its_seal_is_measured(run: NewRun) -> None:
    """Some `head` reads further than it was asked to, and the seal is gone with it."""
    mine = run()
    object.__setattr__(mine, "sealed", False)
    assert mine.start("echo fine").output == b"fine\n"


def test_a_named_account_has_a_directory_of_its_name(run: NewRun) -> None:
    """Which is taken for a proof of who we are once it is there, but not if it leads elsewhere."""
    name = pwd.getpwuid(os.getuid()).pw_name
    base = Path(f"/tmp/bkjob.{name}")
    for _ in range(2):
        mine = run()
        object.__setattr__(mine, "user", name)
        assert mine.start('echo "${0%/*}"').output == f"{base}/{mine.key}\n".encode()
        assert mine("clean", mine.key, user=name).state == "gone"
        (base / mine.key).unlink()
    for other in ("nosuchuser", f"{name}/../bkjob.{name}"):
        assert run()("follow", 0, 0, 0, 0, user=other).state == "wrong_user"


def test_the_size_is_told_when_no_output_is_asked_for(run: NewRun) -> None:
    """Else it is what was sent that tells, unless all that was asked for was sent."""
    mine = run()
    assert mine.start("echo 12345").words == ["0", "-", "-"]
    assert mine.follow(0, 0, 3).output == b"123"
    assert mine.follow(3, 0, 0).words == ["0", "6", "-"]


def test_another_user_than_the_one_asked_for_runs_nothing(run: NewRun) -> None:
    """Become may have gone wrong silently."""
    mine = run()
    reply = mine("start", 60, 1, 1, 0, 1000, 0, 10, data=b"\n:", user="nosuchuser")
    assert reply.state == "wrong_user"
    assert not mine.directory.exists()


def test_interpreters(run: NewRun) -> None:
    """By the first line, with options and a carriage return; else by language."""
    for script, language, expected in (
        ("#!/bin/sh -u\r\n:\necho $nosuch", 1, "nosuch"),
        ('#!/usr/bin/env perl\nprint "p$ARGV[0]"', 1, "p1"),
        ('print "p$ARGV[0]";', 3, "p1"),
        ("import sys; print(sys.argv[1])", 4, "1"),
        ("", 1, ""),
    ):
        assert expected.encode() in run().start(script, "1", language=language).output


def test_the_parameter_is_not_kept(run: NewRun) -> None:
    """It may be a secret: while the script runs it is in no file; files are the user's own."""
    mine = run()
    mine.start("sleep 0.5", "hush", wait=0)
    deadline = time.monotonic() + 5
    while not (mine.directory / "group").exists() or next(mine.directory.glob("*.param")).stat().st_size:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    kept = b"".join(path.read_bytes() for path in mine.directory.iterdir() if path.is_file())
    assert b"hush" not in kept
    assert (BASE.stat().st_mode & 0o777, mine.directory.stat().st_mode & 0o777) == (0o700, 0o700)


@pytest.mark.parametrize("param", ["'hush", 'hush"', "hush)", "(hush", "$(hush", "hush | | x"])
def test_a_parameter_that_is_no_part_of_a_command_line_is_not_printed(run: NewRun, param: str) -> None:
    """A shell would say what it could not read; ours says only that."""
    reply = run().start("echo ran", param)
    assert (reply.state, reply.words[0]) == ("finished", "2")
    assert (
        reply.output == b"the parameter is no part of a command line: its quotes or brackets do not match\n"
    )


def test_a_base_directory_that_somebody_else_prepared_is_refused(tmp_path: Path) -> None:
    """A link in /tmp would have the script written where the link says."""
    text = text_of("supervisor.sh").replace("base=/tmp/bkjob.", f"base={tmp_path}/bkjob.")
    (tmp_path / f"bkjob.{os.getuid()}").symlink_to("/tmp")
    argv = ["sh", "-c", text, "sh", "start", "k", "nonce", "", "60", "1", "1", "0", "10", "0", "10"]
    done = subprocess.run(argv, input=b"\n:", capture_output=True, check=True)
    assert parse("nonce", done.stdout, done.stderr).state == "refused"
