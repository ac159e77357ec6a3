"""Files of file sources reach hosts: from an artifactory, S3 and an HTTP server, which may do what they like."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from tests.e2e.conftest import NewService
from tests.e2e.jobs import Job, Source, wait_until
from tests.e2e.restarts import kill_with_children
from tests.lab import Lab
from tests.support.file_servers import Behaviour, StandIn, apache, has_apache, moto, stand_in
from tests.support.markers import files_with, found_in, words_of
from tests.support.processes import controller_processes
from tests.support.service import Service

USER = "reader"
CONTENT = bytes(range(256)) * 4096  #: a MiB


@pytest.fixture(autouse=True)
def _isolated(lab: Lab) -> None:
    if not lab.isolated:
        pytest.skip("hosts of this kind have one file system")


@pytest.fixture
def password() -> str:
    """With signs that each form of it writes in another way."""
    return f'hush "+ü/{secrets.token_hex(8)}'


@pytest.fixture
def server(password: str) -> Iterator[StandIn]:
    """An artifactory."""
    with stand_in(USER, password) as found:
        yield found


def defined(service: Service, kind: str, url: str, *parts: str, **fields: Any) -> str:
    """The code of a new file source of business 1, with a credential of its own."""
    name = f"f{secrets.token_hex(6)}"
    names = ("access_key", "secret_key") if kind == "S3" else ("username", "password")
    body = {
        "bk_biz_id": 1,
        "name": name,
        "type": "APP_ID_SECRET_KEY" if kind == "S3" else "USERNAME_PASSWORD",
        **{f"credential_{part}": text for part, text in zip(names, parts, strict=True)},
    }
    credential = of(service, "create_credential", body)
    service.data(
        "create_file_source",
        bk_biz_id=1,
        code=name,
        alias=name,
        type=kind,
        access_params={"base_url": url},
        credential_id=credential["id"],
        **fields,
    )
    return name


def of(service: Service, api: str, body: dict[str, Any]) -> Any:
    """The data of a call whose body has a `name`."""
    assert service.credentials is not None
    reply = service.post(f"/api/c/compapi/v2/jobv3/{api}/", body, service.credentials.in_header())
    assert reply["result"], reply
    return reply["data"]


def from_source(code: str, *files: str) -> dict[str, Any]:
    """An item of file_source_list."""
    return {"file_type": 3, "file_source_code": code, "file_list": list(files)}


def sent(service: Service, sources: list[dict[str, Any]], path: str, *hosts: int, **fields: Any) -> Job:
    """A job that takes these files to hosts of business 1."""
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


def put(server: StandIn, name: str, content: bytes = CONTENT) -> str:
    """A file of the artifactory; its path in the file source."""
    server.files[f"/generic/project/repo/{quote(name)}"] = content
    return f"project/repo/{name}"


def uploads(job: Job, host_id: int) -> dict[str, dict[str, Any]]:
    """What the job's log has of files on their way to the service, by path."""
    entries = job.service.file_logs_of(1, job.id, job.step_id, host_id)
    return {entry["src_path"]: entry for entry in entries if entry["mode"] == 0}


def place() -> str:
    """A directory of hosts that nobody has."""
    return f"/srv/fs-{secrets.token_hex(4)}"


@pytest.mark.skipif(not has_apache(), reason="needs apache2-bin")
def test_three_kinds_and_a_host(
    lab: Lab, service: Service, server: StandIn, password: str, tmp_path: Path
) -> None:
    """In one job, beside a host's file; who asks is in no file, process, log or reply, while it runs and after."""
    target = place()
    lab.exec(lab.host(103), "echo from a host > /srv/of-host")
    with moto() as (s3_url, s3, access, secret), apache(tmp_path / "a", USER, password) as (url, root):
        s3.create_bucket(Bucket="bucket")
        s3.put_object(Bucket="bucket", Key="dir/ü from s3", Body=CONTENT[1:])
        (root / "dir").mkdir()
        (root / "dir" / "from http").write_bytes(CONTENT[2:])
        artifactory = defined(service, "BLUEKING_ARTIFACTORY", server.url, USER, password, file_prefix="p-")
        of_s3 = defined(service, "S3", s3_url, access, secret, file_prefix="${UUID}")
        of_http = defined(service, "HTTP", f"{url}/dir", USER, password)
        path = put(server, "from artifactory")
        server.behaves = [Behaviour(stall_after=500_000), Behaviour(pause=0.03)]
        sources = [
            from_source(artifactory, path),
            from_source(of_s3, "bucket/dir/ü from s3"),
            from_source(of_http, "from http"),
            Source([103], ["/srv/of-host"]).as_json(),
        ]
        job = sent(service, sources, target, 101, 102)
        words = words_of({"the password": password, "the secret key": secret, "the access key": access})
        wait_until(lambda: server.sent >= 500_000, "the download")
        looked = 0
        for pid, command, _ in controller_processes():
            looked += 1
            for name, word in words.items():
                assert word not in command, f"{name} is in the command line of {pid}: {command!r}"
        assert looked
        assert files_with(service.data_dir, words) == []
        server.breaks_off.set()  # what stalled ends: the service asks for the rest
        job.succeeded()
    for host_id in (101, 102):
        host = lab.host(host_id)
        assert lab.read(host, f"{target}/p-from artifactory") == CONTENT
        assert lab.read(host, f"{target}/from http") == CONTENT[2:]
        assert lab.read(host, f"{target}/of-host") == b"from a host\n"
        (named,) = [name for name in lab.exec(host, ["ls", target]).stdout.splitlines() if "s3" in name]
        assert (len(named), named[32:]) == (32 + len("ü from s3"), "ü from s3")
        assert lab.read(host, f"{target}/{named}") == CONTENT[1:]
    told = uploads(job, 101)
    assert {entry["status"] for entry in told.values()} == {4}
    assert told[path]["src_ip"] == {"bk_host_id": 0, "bk_cloud_id": 0, "ip": "0.0.0.0"}
    detail = service.data(
        "get_step_instance_detail",
        bk_scope_type="biz",
        bk_scope_id="1",
        job_instance_id=job.id,
        step_instance_id=job.step_id,
    )
    shown = detail["file_info"]["file_source_list"]
    assert [source["file_type"] for source in shown] == [3, 3, 3, 1]
    assert [source["file_source_code"] for source in shown] == [artifactory, of_s3, of_http, None]
    assert all(isinstance(source["file_source_id"], int) for source in shown[:3])
    assert shown[0]["file_list"] == [path]
    assert found_in(str([detail, job.end, job.files(101)]).encode(), words) == []
    assert files_with(service.data_dir, words) == []
    service.command("audit", "--job", str(job.id))  # which ends with 1 if anything disagrees
    assert files_with(service.data_dir, {"a name": path.encode()}), "what is no secret would be found"


def test_what_cannot_be_had(lab: Lab, service: Service, server: StandIn, password: str) -> None:
    """Each with its reason, in the log of the upload and of the downloads; what can be had arrives."""
    target, code = place(), defined(service, "BLUEKING_ARTIFACTORY", server.url, USER, password)
    wrong = defined(service, "BLUEKING_ARTIFACTORY", server.url, USER, "not the password")
    gone = defined(service, "HTTP", "http://127.0.0.1:1", USER, password)
    good, spoilt, away = put(server, "good"), put(server, "spoilt"), put(server, "away")
    server.behaves = [
        Behaviour(),
        Behaviour(sha256="0" * 64),
        Behaviour(status=302, location="http://169.254.169.254/latest/meta-data/"),
    ]
    sources = [
        from_source(code, good, spoilt, away, "project/repo/none"),
        from_source(wrong, put(server, "closed")),
        from_source(gone, "x"),
    ]
    job = sent(service, sources, target, 101)
    assert job.status == 4
    assert job.statuses[101] == 320
    assert lab.exec(lab.host(101), ["ls", target]).stdout.split() == ["good"]
    assert lab.read(lab.host(101), f"{target}/good") == CONTENT
    reasons = {
        spoilt: "the server says " + "0" * 64,
        away: "the metadata address 169.254.169.254",
        "project/repo/none": "answered 404",
        "project/repo/closed": "answered 401",
        "x": "tried 3 times",
    }
    told = uploads(job, 101)
    assert told[good]["status"] == 4
    for path, reason in reasons.items():
        assert (told[path]["status"], reason in told[path]["log_content"]) == (5, True), told[path]
    failed = [entry for entry in job.files(101) if entry["mode"] == 1 and entry["status"] == 5]
    assert {entry["src_path"] for entry in failed} == set(reasons)
    assert password not in str(job.files(101))


def test_a_file_is_what_it_is_at_each_job(lab: Lab, service: Service, server: StandIn, password: str) -> None:
    """Unchanged it is asked for and not sent again; changed it is; by the id as by the code."""
    target, code = place(), defined(service, "BLUEKING_ARTIFACTORY", server.url, USER, password)
    path = put(server, "app")
    id_ = service.data("get_file_source_detail", bk_biz_id=1, code=code)["id"]
    by_id = {"file_type": 3, "file_source_id": id_, "file_source_code": "nonsense", "file_list": [path]}
    sent(service, [from_source(code, path)], target, 101).succeeded()
    sent(service, [by_id], target, 102).succeeded()
    assert (len(server.asked), server.sent) == (2, len(CONTENT))
    put(server, "app", b"new")
    sent(service, [by_id], target, 101).succeeded()
    assert lab.read(lab.host(101), f"{target}/app") == b"new"
    assert lab.read(lab.host(102), f"{target}/app") == CONTENT


def test_a_terminated_job_stops_its_download(service: Service, server: StandIn, password: str) -> None:
    """At once, though nothing comes; its progress was told until then."""
    code = defined(service, "BLUEKING_ARTIFACTORY", server.url, USER, password)
    path = put(server, "app")
    server.behaves = [Behaviour(stall_after=500_000)]
    job = sent(service, [from_source(code, path)], place(), 101, 102)
    wait_until(lambda: uploads(job, 101).get(path, {}).get("process", "") > "1", "progress")
    told = uploads(job, 101)[path]
    assert (told["status"], told["size"]) == (0, "1.0 MB")
    began = time.monotonic()
    service.data("operate_job_instance", bk_biz_id=1, job_instance_id=job.id, operation_code=1)
    assert job.status == 11
    assert time.monotonic() - began < 10
    assert set(job.statuses.values()) == {403}


def test_a_killed_service_goes_on_with_its_download(
    lab: Lab, fresh_service: NewService, server: StandIn, password: str
) -> None:
    """The next start asks for what is missing; the file arrives as it is."""
    service, target = fresh_service(), place()
    code = defined(service, "BLUEKING_ARTIFACTORY", server.url, USER, password)
    path = put(server, "app")
    server.behaves = [Behaviour(stall_after=500_000)]
    job = sent(service, [from_source(code, path)], target, 101)
    wait_until(lambda: server.sent >= 500_000, "half of the file")
    time.sleep(0.5)  # for what is on its way
    kill_with_children(service)
    service.start()
    job.succeeded()
    assert lab.read(lab.host(101), f"{target}/app") == CONTENT
    assert [bool(asked) for asked in server.ranges()] == [False, True]
    assert server.sent < len(CONTENT) + 300_000
    assert list((service.data_dir / "cache" / "files").glob("??/*.part")) != []


def test_two_jobs_want_the_same_file_at_once(
    lab: Lab, service: Service, server: StandIn, password: str
) -> None:
    """It comes once, and both send it whole."""
    target, code = place(), defined(service, "BLUEKING_ARTIFACTORY", server.url, USER, password)
    path = put(server, "app")
    server.behaves = [Behaviour(pause=0.02)]
    jobs = [sent(service, [from_source(code, path)], target, host_id) for host_id in (101, 102)]
    for job, host_id in zip(jobs, (101, 102), strict=True):
        job.succeeded()
        assert lab.read(lab.host(host_id), f"{target}/app") == CONTENT
    assert server.sent == len(CONTENT)


def test_a_plan_takes_files_from_a_file_source(
    lab: Lab, service: Service, server: StandIn, password: str
) -> None:
    """As a definition file has it, with a variable in its path."""
    target, code = place(), defined(service, "BLUEKING_ARTIFACTORY", server.url, USER, password)
    put(server, "v2/app")
    name = f"plan {secrets.token_hex(4)}"
    service.apply(f"""
scope: {{type: biz, id: "1"}}
templates:
  - name: {name}
    variables: [{{name: version, type: 1, value: v1}}]
    steps:
      - name: get
        type: 2
        file:
          account: root
          target_path: {target}
          sources: [{{file_type: 3, file_source_code: {code}, files: ["project/repo/${{version}}/app"]}}]
        target: {{host_id_list: [101]}}
    plans: [{{name: {name}}}]
""")
    (plan,) = of(service, "get_job_plan_list", {"bk_biz_id": 1, "name": name})["data"]
    launched = service.data(
        "execute_job_plan",
        bk_biz_id=1,
        job_plan_id=plan["id"],
        global_var_list=[{"name": "version", "value": "v2"}],
    )
    status = service.finished(1, launched["job_instance_id"])
    assert status["job_instance"]["status"] == 3, status
    assert lab.read(lab.host(101), f"{target}/app") == CONTENT
    detail = service.data("get_job_plan_detail", bk_biz_id=1, job_plan_id=plan["id"])
    (step,) = detail["step_list"]
    (source,) = step["file_info"]["file_source_list"]
    assert (source["file_type"], source["file_source_code"]) == (3, code)
    assert source["file_list"] == ["project/repo/${version}/app"]
    assert (source["account"], source["server"]) == (None, None)
