"""How sizes and speeds are written."""

from __future__ import annotations

import pytest

from adapter.api.file_logs import log_text, size_text, speed_text
from adapter.api.times import local_time
from adapter.job.model import FileLog


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (None, "--"),
        (0, "0.0 Bytes"),
        (9, "9.0 Bytes"),
        (1023, "1023.0 Bytes"),
        (1024, "1.0 KB"),
        (1234, "1.205 KB"),
        (3 << 20, "3.0 MB"),
        (5 << 40, "5120.0 GB"),
    ],
)
def test_sizes(size: int | None, text: str) -> None:
    """At most three decimals."""
    assert size_text(size) == text


@pytest.mark.parametrize(("speed", "text"), [(None, "--"), (0, "0 KB/s"), (10 << 20, "10240 KB/s")])
def test_speeds(speed: int | None, text: str) -> None:
    """Whole KB/s."""
    assert speed_text(speed) == text


def test_the_line_of_a_file() -> None:
    """One line in JOB's form, with the reason at its end if the file failed."""
    entry = FileLog(
        bk_host_id=1,
        mode=1,
        src_host_id=2,
        src_path="/tmp/a",
        dest_path="/in/a",
        status=5,
        status_desc="failed",
        size=9,
        speed=2048,
        progress=50,
        content="no space",
        time=0,
    )
    assert log_text(entry) == (
        f"[{local_time(0)}] FileName: /in/a FileSize: 9.0 Bytes Status: 5 StatusDesc: failed "
        "Speed: 2 KB/s Progress: 50% Detail: no space\n"
    )
