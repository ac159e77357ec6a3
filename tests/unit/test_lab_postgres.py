"""The PostgreSQL that `make lab-postgres` starts and `make lab-down` ends."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from tests.support.postgres import Cluster


def postgres(action: str, directory: Path) -> str:
    """What the command printed."""
    command = [sys.executable, "-m", "tests.support.postgres", action, "--directory", str(directory)]
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=100).stdout


@pytest.mark.usefixtures("postgresql")  # skipped where there is none
def test_it_stays_until_it_is_ended_and_leaves_nothing(tmp_path: Path) -> None:
    """Started twice it is one; its URL is one that --database-url takes."""
    url = postgres("up", tmp_path).split("'")[1]
    try:
        with psycopg.connect(url) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)
        assert postgres("up", tmp_path) == f"already up: {url}\n"
    finally:
        assert postgres("down", tmp_path) == "down\n"
    assert not Path(url.partition("?host=")[2]).exists()
    assert postgres("down", tmp_path) == "no PostgreSQL here\n"


def test_what_was_committed_survives_a_crash_of_the_server(postgresql: Cluster) -> None:
    """Tests that kill it rely on that."""
    with Cluster() as cluster:
        with psycopg.connect(cluster.url()) as connection:
            connection.execute("CREATE TABLE kept (id int)")
        cluster.stop(signal.SIGQUIT)
        cluster.start()
        with psycopg.connect(cluster.url()) as connection:
            assert connection.execute("SELECT count(*) FROM kept").fetchone() == (0,)
        directory = cluster.directory
        assert directory != postgresql.directory
    assert not directory.exists()
