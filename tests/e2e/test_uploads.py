"""Files uploaded with curl and sent to hosts over SSH, whatever is killed meanwhile."""

from __future__ import annotations

import hashlib
import secrets
import subprocess
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.e2e.conftest import NewService
from tests.e2e.jobs import Job, wait_until
from tests.e2e.test_workers import prepare
from tests.lab import Lab
from tests.support.nodes import Nodes
from tests.support.service import Service

MIB = 1024 * 1024
SIZE = 32 * MIB
#: What an upload may add to the service's memory: two pieces, and what Python keeps of them.
MEMORY = 20 * MIB


@pytest.fixture(autouse=True)
def _isolated(lab: Lab) -> None:
    if not lab.isolated:
        pytest.skip("hosts of this kind have one file system")


@pytest.fixture
def big(tmp_path: Path) -> Path:
    """A file of bytes that nobody has seen before."""
    path = tmp_path / "big file.bin"
    with path.open("wb") as file:
        for _ in range(SIZE // MIB):
            file.write(secrets.token_bytes(MIB))
    return path


def offered(service: Service, name: str) -> tuple[str, str]:
    """A URL and its file's path."""
    found = service.data("generate_local_file_upload_url", bk_biz_id=1, file_name_list=[name])["url_map"][
        name
    ]
    return found["upload_url"], found["path"]


def curl(*words: str | Path) -> subprocess.Popen[bytes]:
    """Started."""
    command = ["curl", "--silent", "--show-error", "--fail-with-body", "--noproxy", "*", *map(str, words)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def done(process: subprocess.Popen[bytes]) -> bytes:
    """What it printed; it has ended well."""
    out, error = process.communicate(timeout=120)
    assert process.returncode == 0, out + error
    return out


def kept(url: str) -> int:
    """What HEAD says."""
    return int(httpx.head(url, trust_env=False).headers["Upload-Offset"])


def begun(url: str, big: Path, enough: int = 4 * MIB) -> subprocess.Popen[bytes]:
    """A slow upload of which something has come."""
    process = curl("--limit-rate", "8M", "-T", big, url)
    wait_until(lambda: kept(url) >= enough, "some of the file to come")
    assert process.poll() is None
    return process


def end(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.communicate()


def send(service: Service, sources: list[dict[str, Any]], path: str, *hosts: int, **fields: Any) -> Job:
    """A job that sends sources to hosts of business 1."""
    launched = service.data(
        "fast_transfer_file",
        bk_biz_id=1,
        account_alias="root",
        file_target_path=path,
        target_server={"host_id_list": list(hosts)},
        file_source_list=sources,
        **fields,
    )
    return Job(service, 1, launched["job_instance_id"], launched["step_instance_id"])


def local(*paths: str) -> dict[str, Any]:
    return {"file_type": 2, "file_list": list(paths)}


def sum_on(lab: Lab, host: int, path: str) -> str:
    return lab.exec(lab.host(host), f"sha256sum < '{path}'").stdout.split()[0]


def memory(service: Service) -> int:
    """Bytes of the service's process."""
    assert service.process is not None
    status = Path(f"/proc/{service.process.pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) * 1024


@pytest.fixture
def where() -> str:
    """A directory for this test on its hosts."""
    return f"/srv/up-{secrets.token_hex(4)}"


def test_an_upload_that_is_interrupted_goes_on(lab: Lab, service: Service, big: Path, where: str) -> None:
    """curl is killed and goes on where it was; then one step sends the file and a host's to two hosts."""
    url, path = offered(service, big.name)
    before = memory(service)
    end(begun(url, big))
    time.sleep(0.5)
    offset = kept(url)
    assert 4 * MIB <= offset < SIZE
    assert b'"complete":true' in done(curl("-C", str(offset), "-T", big, url))
    assert httpx.head(url, trust_env=False).headers["Upload-Complete"] == "?1"
    assert memory(service) - before < MEMORY
    sha256 = hashlib.sha256(big.read_bytes()).hexdigest()
    of_host = {
        "file_list": ["/etc/hostname"],
        "account": {"alias": "root"},
        "server": {"host_id_list": [103]},
    }
    job = send(service, [local(path), of_host], f"{where}/[FILESRCIP]", 101, 102).succeeded()
    for host in (101, 102):
        assert sum_on(lab, host, f"{where}/0_0.0.0.0/{big.name}") == sha256
        found = lab.exec(lab.host(host), f"ls {where}; stat -c '%U %a' {where}/0_0.0.0.0/*").stdout
        assert "root 644" in found
        assert len(found.splitlines()) == 3
    logs = job.files(101)
    assert {(entry["mode"], entry["src_path"], entry["status"]) for entry in logs} >= {
        (0, path, 4),
        (1, path, 4),
    }
    assert url.rpartition("=")[2] not in service.log()


def test_a_job_that_waits_for_its_start_rolls_and_is_retried(
    lab: Lab, service: Service, where: str, tmp_path: Path
) -> None:
    """In batches of one, under another name; strict mode fails where the directory is missing, a retry does not."""
    small = tmp_path / "small"
    small.write_bytes(b"small")
    url, path = offered(service, "small")
    done(curl("-T", small, url))
    lab.exec(lab.host(101), f"mkdir {where}")
    job = send(
        service,
        [local(path)],
        where,
        101,
        102,
        file_target_name="-rf",
        transfer_mode=1,
        start_task=False,
        rolling_config={"type": 1, "mode": 1, "expression": "1"},
    )
    service.data("operate_job_instance", bk_biz_id=1, job_instance_id=job.id, operation_code=2)
    assert job.statuses == {101: 9, 102: 202}
    lab.exec(lab.host(102), f"mkdir {where}")
    service.data(
        "operate_step_instance",
        bk_biz_id=1,
        job_instance_id=job.id,
        step_instance_id=job.step_id,
        operation_code=2,
    )
    Job(service, 1, job.id, job.step_id).succeeded()
    for host in (101, 102):
        assert lab.read(lab.host(host), f"{where}/-rf") == b"small"


def test_a_service_that_is_killed(lab: Lab, fresh_service: NewService, big: Path, where: str) -> None:
    """In the middle of the upload: what came is kept. In the middle of the transfer: it goes on to its end."""
    service = fresh_service()
    url, path = offered(service, big.name)
    upload = begun(url, big)
    service.kill()
    upload.communicate()
    assert upload.returncode != 0
    service.start()
    url = service.url + url[url.index("/api/") :]
    offset = kept(url)
    assert 4 * MIB - MIB <= offset < SIZE
    done(curl("-C", str(offset), "-T", big, url))
    job = send(service, [local(path)], where, 101, download_speed_limit=4)
    staged = f"cat {where}/.job-*/* 2>/dev/null | wc -c"
    wait_until(lambda: int(lab.exec(lab.host(101), staged).stdout or 0) > MIB, "some of it to come")
    service.kill()
    service.start()
    job.succeeded()
    assert sum_on(lab, 101, f"{where}/{big.name}") == hashlib.sha256(big.read_bytes()).hexdigest()


def test_several_nodes(lab: Lab, postgresql_url: str, tmp_path: Path, where: str) -> None:
    """What came to one node is sent by another that shares the directory; one that does not says so."""
    small = tmp_path / "small"
    small.write_bytes(b"small")
    shared = ("--upload-dir", str(tmp_path / "shared"))
    nodes = Nodes(
        postgresql_url, tmp_path / "nodes", lab.inventory, prepare(postgresql_url, tmp_path / "cli")
    )
    try:
        api = nodes.api(*shared)
        url, path = offered(api, "small")
        done(curl("-T", small, url))
        alone = nodes.worker()
        job = send(api, [local(path)], where, 101)
        assert job.statuses == {101: 203}
        assert "ADAPTER_UPLOAD_DIR" in job.why()
        (told,) = alone.events("uploaded_file_not_here")
        assert told["path"] == path
        alone.stop()
        nodes.worker(*shared)
        send(api, [local(path)], where, 101).succeeded()
        assert lab.read(lab.host(101), f"{where}/small") == b"small"
    finally:
        nodes.stop()
