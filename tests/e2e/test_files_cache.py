"""The controller's cache of files: its bound, and a disk that is full."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.conftest import NewService
from tests.e2e.jobs import Job, Jobs, Source
from tests.lab import Lab

MIB = 1024 * 1024


@pytest.fixture(autouse=True)
def _isolated(lab: Lab) -> None:
    if not lab.isolated:
        pytest.skip("needs root, and hosts with file systems of their own")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 80 MiB."""
    path = tmp_path / "small"
    path.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=80m", "small", str(path)], check=True)
    yield path
    subprocess.run(["umount", "--lazy", str(path)], check=True)


def made(lab: Lab, name: str, size: int) -> str:
    """A file of random bytes on host 101."""
    path = f"/srv/cache/{name}"
    command = f"mkdir -p /srv/cache; head -c {size} /dev/urandom > {path}"
    assert lab.exec(lab.host(101), command).returncode == 0
    return path


def copied(jobs: Jobs, path: str) -> Job:
    """A transfer of it to host 102."""
    return jobs.files([Source([101], [path])], "/srv/cache/", 102)


def test_the_cache_keeps_its_bound(lab: Lab, fresh_service: NewService) -> None:
    """The file that was used last stays, the one before goes; both have arrived."""
    service = fresh_service(environment={"ADAPTER_FILE_CACHE_BYTES": str(3 * MIB)})
    jobs = Jobs(service)
    for name in ("one", "two"):
        copied(jobs, made(lab, name, 2 * MIB)).succeeded()
        cached = [path for path in (service.data_dir / "cache/files").rglob("*") if path.is_file()]
        assert [path.read_bytes() for path in cached] == [lab.read(lab.host(102), f"/srv/cache/{name}")]


def test_a_full_disk_of_the_controller(lab: Lab, fresh_service: NewService, small_disk: Path) -> None:
    """The job says so, nothing is left of the attempt, smaller files still go; with room again it works."""
    service = fresh_service()
    (service.data_dir / "cache").mkdir(exist_ok=True)
    (service.data_dir / "cache" / "files").symlink_to(small_disk)
    jobs = Jobs(service)
    large, small = made(lab, "large", 32 * MIB), made(lab, "small", MIB)
    refused = copied(jobs, large)
    assert refused.statuses == {102: 320}, refused.why()
    (told,) = [entry["log_content"] for entry in refused.files(102) if entry["mode"] == 1]
    assert "the controller cannot store" in told
    assert "no room for 33554432 bytes" in told
    assert [path for path in small_disk.rglob("*") if path.is_file()] == []
    copied(jobs, small).succeeded()
    subprocess.run(["mount", "-o", "remount,size=200m", str(small_disk)], check=True)
    copied(jobs, large).succeeded()
    assert lab.read(lab.host(102), large) == lab.read(lab.host(101), large)
