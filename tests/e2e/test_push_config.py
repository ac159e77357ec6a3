"""push_config_file: contents that come with a request reach their hosts, and are nowhere else afterwards."""

from __future__ import annotations

import base64
import contextlib
import io
import secrets
import sqlite3
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.e2e.conftest import NewService
from tests.e2e.jobs import Job, Jobs
from tests.lab import Lab
from tests.support.service import Service

#: What a content has that must be found on its hosts alone.
SECRET = b"not-for-the-controller-" + secrets.token_hex(8).encode()
FILES = {
    "app.conf": b"password=" + SECRET + b"\n",
    "binary": bytes(range(256)) * 4000 + SECRET,
    "-rf": b"option",
    "{{ 7*7 }} $(id) '\"": b"words",
    "\U0001f600 \u202edlrow": b"emoji",
    "empty": b"",
    ".hidden": b"\n",
}


@pytest.fixture(autouse=True)
def _isolated(lab: Lab) -> None:
    if not lab.isolated:
        pytest.skip("hosts of this kind have one file system")


def push(service: Service, files: dict[str, bytes], path: str, *hosts: int, **fields: Any) -> Job:
    """A job of business 1 as the account `job`."""
    contents = {name: base64.b64encode(content).decode() or "====" for name, content in files.items()}
    launched = service.data(
        "push_config_file",
        bk_biz_id=1,
        account_alias="job",
        file_target_path=path,
        target_server={"host_id_list": list(hosts)},
        file_list=[{"file_name": name, "content": content} for name, content in contents.items()],
        **fields,
    )
    assert launched["step_instance_id"] is None
    (step,) = service.status(1, launched["job_instance_id"])["step_instance_list"]
    assert step["type"] == 2
    return Job(service, 1, launched["job_instance_id"], step["step_instance_id"])


def where(data_dir: Path, content: bytes) -> list[Path]:
    """Files of the data directory with that in them."""
    files = [path for path in data_dir.rglob("*") if path.is_file()]
    return [path for path in files if content in path.read_bytes()]


def kept(data_dir: Path) -> int:
    """How many contents the database has."""
    with contextlib.closing(sqlite3.connect(data_dir / "adapter.db")) as database:
        return int(database.execute("SELECT count(*) FROM given_file").fetchone()[0])


def test_contents_arrive_and_nothing_stays(lab: Lab, service: Service) -> None:
    """Bytes as they are, under any name, below a directory that is made, as the account's files."""
    push(service, FILES, "/home/job/etc/[FILESRCIP]", 101, 102).succeeded()
    for host in (101, 102):
        for name, content in FILES.items():
            assert lab.read(lab.host(host), f"/home/job/etc/0_0.0.0.0/{name}") == content, name
        owner = lab.exec(lab.host(host), "stat -c '%U %a' /home/job/etc/0_0.0.0.0/app.conf").stdout
        assert owner == "job 644\n"
    assert kept(service.data_dir) == 0
    assert where(service.data_dir, SECRET) == []
    assert where(service.data_dir, base64.b64encode(SECRET)[4:-4]) == []
    assert list((service.data_dir / "cache" / "given").glob("*/*")) == []


def test_what_is_told_of_them(service: Service) -> None:
    """An upload of the service's own, a download for each host, a detail without contents."""
    job = push(service, {"app.conf": b"x=1\n"}, "/home/job/told/", 101).succeeded()
    entries = {entry["mode"]: entry for entry in job.files(101)}
    assert entries[0]["src_ip"] == {"bk_host_id": 0, "bk_cloud_id": 0, "ip": "0.0.0.0"}
    assert (entries[0]["src_path"], entries[0]["status"]) == ("app.conf", 4)
    assert (entries[1]["dest_path"], entries[1]["size"]) == ("/home/job/told/app.conf", "4.0 Bytes")
    detail = service.data(
        "get_step_instance_detail",
        bk_scope_type="biz",
        bk_scope_id="1",
        job_instance_id=job.id,
        step_instance_id=job.step_id,
    )
    (source,) = detail["file_info"]["file_source_list"]
    assert (source["file_type"], source["file_list"]) == (4, ["app.conf"])
    assert "content" not in source


def test_what_a_host_refuses(lab: Lab, service: Service) -> None:
    """A directory in the file's place, no permission: 202. The contents are kept, and a retry has them."""
    lab.exec(lab.host(101), "mkdir -p /home/job/taken/a; chown -R job: /home/job/taken")
    before = kept(service.data_dir)
    taken = push(service, {"a": b"x", "b": b"y"}, "/home/job/taken", 101)
    denied = push(service, {"a": SECRET}, "/etc/denied", 101)
    assert (taken.statuses, denied.statuses) == ({101: 202}, {101: 202})
    assert lab.read(lab.host(101), "/home/job/taken/b") == b"y"
    assert kept(service.data_dir) == before + 3
    assert where(service.data_dir, SECRET) == []
    lab.exec(lab.host(101), "mkdir -m 777 /etc/denied")
    service.data(
        "operate_step_instance",
        bk_biz_id=1,
        job_instance_id=denied.id,
        step_instance_id=denied.step_id,
        operation_code=2,
    )
    again = Job(service, 1, denied.id, denied.step_id).succeeded()
    assert lab.read(lab.host(101), "/etc/denied/a") == SECRET
    assert kept(service.data_dir) == before + 2
    assert "no disagreement" in service.command("audit", "--job", str(again.id)).stderr


def test_a_bundle_says_what_it_lacks(service: Service, tmp_path: Path) -> None:
    """The play is there, the contents are not, and a run by hand says so."""
    job = push(service, {"app.conf": SECRET}, "/home/job/bundled", 101).succeeded()
    assert service.credentials is not None
    got = httpx.get(
        f"{service.url}/api/ext/v1/step_instances/{job.step_id}/bundle",
        params={"bk_scope_type": "biz", "bk_scope_id": "1"},
        headers=service.credentials.in_header(),
        trust_env=False,
    )
    with tarfile.open(fileobj=io.BytesIO(got.content)) as tar:
        tar.extractall(tmp_path, filter="data")
    directory = tmp_path / f"step-{job.step_id}.0"
    assert where(directory, SECRET) == []
    runner = Path(sys.executable).with_name("ansible-runner")
    done = subprocess.run(
        [str(runner), "run", str(directory), "-p", "step.yml"],
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
        env={"PATH": f"{runner.parent}:/usr/bin:/bin:/usr/sbin:/sbin", "HOME": str(tmp_path)},
    )
    assert done.returncode != 0
    assert "content is kept by the service" in done.stdout


def test_a_restart_before_the_run_loses_nothing(lab: Lab, fresh_service: NewService) -> None:
    """The service is killed while the job waits for its place; meanwhile its contents are not to be read."""
    service = fresh_service("--max-running-jobs", "1")
    gate = f"/tmp/gate{secrets.token_hex(4)}"
    before = Jobs(service).script(f"until [ -e {gate} ]; do sleep 0.2; done", 103)
    job = push(service, {"app.conf": SECRET}, "/home/job/restart", 103)
    assert service.status(1, job.id)["job_instance"]["status"] == 1
    service.kill()
    assert kept(service.data_dir) == 1
    assert where(service.data_dir, SECRET) == []
    service.start()
    lab.exec(lab.host(103), ["touch", gate])
    before.succeeded()
    job.succeeded()
    assert lab.read(lab.host(103), "/home/job/restart/app.conf") == SECRET
    assert kept(service.data_dir) == 0
