"""Where the log goes may be full or gone: that keeps nobody from working."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

_PROGRAM = """
import logging, os, structlog
from adapter.cli.processes import set_up_logging
set_up_logging("info")
structlog.get_logger().info("one", text="é")
logging.getLogger("library").warning("two")
try:
    raise ValueError("three")
except ValueError:
    structlog.get_logger().exception("three")
print("went on", flush=True)
os._exit(0)
"""


def test_a_full_disk_under_the_log_stops_nobody() -> None:
    """Each line is tried; none raises."""
    if not Path("/dev/full").exists():
        pytest.skip("there is no /dev/full")
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [sys.executable, "-c", _PROGRAM], stdout=subprocess.PIPE, stderr=full, check=True, text=True
        )
    assert done.stdout == "went on\n"


def test_lines_are_whole_json_objects() -> None:
    """On standard error."""
    done = subprocess.run([sys.executable, "-c", _PROGRAM], capture_output=True, check=True, text=True)
    first, second, *_ = done.stderr.splitlines()
    assert '"event": "one"' in first
    assert '"text": "é"' in first
    assert second == "two"
