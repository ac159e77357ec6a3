"""What scripts print: seen while they run, kept as it is, and what is not kept is told."""

from __future__ import annotations

import secrets

from tests.e2e.conftest import NewService
from tests.e2e.jobs import Jobs, wait_until
from tests.lab import Lab


def test_output_is_seen_while_the_script_runs(lab: Lab, jobs: Jobs) -> None:
    """250 KB are in the log before the script, which waits for us, has ended; the rest follows in order."""
    flag = f"/tmp/go-{secrets.token_hex(4)}"
    lines = "for i in 1 2 3 4 5; do head -c 50000 /dev/zero | tr '\\0' $i; done"
    job = jobs.script(f"{lines}; until [ -e {flag} ]; do sleep 0.1; done; echo; echo end", 101)
    expected = "".join(str(digit) * 50_000 for digit in range(1, 6))
    try:
        wait_until(lambda: len(job.log_now(101)) >= len(expected), "250 KB of output")
        now = job.service.status(1, job.id)
        assert (now["finished"], now["job_instance"]["status"]) == (False, 2)
        (host,) = now["step_instance_list"][0]["step_ip_result_list"]
        assert (host["status"], host["exit_code"], host["end_time"]) == (7, None, None)
    finally:
        lab.exec(lab.host(101), f"touch {flag}")
    assert job.succeeded().log(101) == f"{expected}\nend\n"


def test_bytes_of_every_kind_come_through(jobs: Jobs) -> None:
    """Invalid UTF-8 is replaced, a character printed in two halves is whole, a carriage return stays."""
    binary = jobs.script(r"printf 'a\000\377\376b\r\nno last newline'", 101)
    halves = jobs.script(
        r"printf '\303'; sleep 0.6; printf '\251 \360\237'; sleep 0.6; printf '\232\200'", 102
    )
    silent = jobs.script(":", 103)
    assert binary.succeeded().log(101) == "a\0\ufffd\ufffdb\r\nno last newline"
    assert halves.succeeded().log(102) == "é 🚀"
    assert silent.succeeded().log(103) == ""


def test_a_run_s_own_frame_in_the_output_is_output(jobs: Jobs) -> None:
    """A script that prints what looks like the end of an answer does not end it."""
    text = "printf 'job-0123456789abcdef BEGIN 0\\n\\njob-0123456789abcdef END finished 0 0 -\\n'; exit 4"
    job = jobs.script(text, 101)
    assert job.states == {101: (104, 4, 0)}
    assert job.log(101).count("job-0123456789abcdef") == 2


def test_output_over_the_limit_is_cut_and_counted(fresh_service: NewService) -> None:
    """The beginning is kept, the log says how many of how many bytes were dropped, the end is still found out."""
    jobs = Jobs(fresh_service("--max-log-bytes", "20000"))
    job = jobs.script("head -c 1500000 /dev/zero | tr '\\0' x; echo 'job_fail:[late]'; exit 6", 101)
    just = jobs.script("head -c 20000 /dev/zero | tr '\\0' y", 102)
    assert job.states == {101: (104, 6, 0)}
    log = job.log(101)
    assert log.startswith("x" * 20_000 + "\n[")
    assert log[20_000:].count("x") == 0
    assert "1480016 of 1500016 bytes of output were not kept" in log
    assert just.succeeded().log(102) == "y" * 20_000
