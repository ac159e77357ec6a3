"""generate_local_file_upload_url, what its URLs take, and who may send what came (contract d, g)."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import re
import shutil
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
import uvicorn
from httpx import Response
from structlog.testing import capture_logs

from adapter.api import uploads
from adapter.cli.http_server import server_config
from adapter.config import Settings
from adapter.errors import LocalFileUnknown
from adapter.job.status import FileType
from adapter.service.apply import Apply, ApplyError
from adapter.store import tables
from adapter.store.opening import Stores, open_store
from adapter.store.upload_files import RESERVE, UploadFiles

from . import bodies
from .client import envelope
from .real import Real, build

NAME = "generate_local_file_upload_url"
LIMIT = 100_000
CONTENT = bytes(range(256)) * 100


@dataclass
class Clock:
    """Stands until it is set."""

    ms: int = 1_700_000_000_000

    def now_ms(self) -> int:
        """As the port has it."""
        return self.ms


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path, max_upload_bytes=LIMIT, upload_url_seconds=60)


@pytest.fixture
def stores(settings: Settings) -> Iterator[Stores]:
    opened = open_store(settings)
    yield opened
    opened.close()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def real(stores: Stores, settings: Settings, clock: Clock) -> Real:
    return build(stores, clock, settings)


def asked(real: Real, *names: str, scope: str = "1") -> dict[str, dict[str, str]]:
    """The url_map for these names."""
    reply = real.job.v3(NAME, {**bodies.SCOPE, "bk_scope_id": scope, "file_name_list": list(names)})
    assert reply["code"] == 0, reply
    found: dict[str, dict[str, str]] = reply["data"]["url_map"]
    return found


def offered(real: Real, name: str = "a.bin", scope: str = "1") -> tuple[str, str]:
    """A URL and its file's path."""
    one = asked(real, name, scope=scope)[name]
    return one["upload_url"], one["path"]


def put(real: Real, url: str, content: bytes | Iterator[bytes], at: str | None = None) -> Response:
    """Send a body; `at` is its Content-Range."""
    headers = {"Content-Range": at} if at else {}
    reply: Response = real.job.http.put(url, content=content, headers=headers)
    assert reply.headers["content-length"] == str(len(reply.content)), "a client reads no more than that"
    return reply


def uploaded(real: Real, name: str = "a.bin", content: bytes = CONTENT, scope: str = "1") -> str:
    """The path of a file that is whole."""
    url, path = offered(real, name, scope)
    reply = envelope(put(real, url, content))
    assert reply["code"] == 0, reply
    return path


def standing(real: Real, url: str) -> tuple[int, int, bool]:
    """Status, bytes and whether they are all, as HEAD tells."""
    reply = real.job.http.head(url)
    kept = int(reply.headers.get("Upload-Offset", -1))
    return reply.status_code, kept, reply.headers.get("Upload-Complete") == "?1"


def bytes_of(settings: Settings) -> dict[str, bytes]:
    """Everything in the upload directory, by name."""
    return {path.name: path.read_bytes() for path in settings.uploads.glob("??/*")}


def transfer(**changes: Any) -> dict[str, Any]:
    """A request that sends uploads."""
    body = bodies.v3("fast_transfer_file")
    source = {"file_type": 2, **changes}
    return {**body, "file_source_list": [source]}


# --- URLs ----------------------------------------------------------------------------------------------


def test_names_are_data(real: Real, settings: Settings) -> None:
    """Each has a URL and a path of its own, which ends in the name; nothing is on the disk yet."""
    names = ("a b.txt", "-rf", "日志😀.log", "$(id)", "x" * 255, "a\rb")
    found = asked(real, *names)
    assert set(found) == set(names)
    assert [found[name]["path"].split("/", 3)[0::2] for name in names] == [["1", "admin"]] * len(names)
    assert [found[name]["path"].split("/", 3)[3] for name in names] == list(names)
    assert len({one["upload_url"] for one in found.values()}) == len(names)
    assert not settings.uploads.exists()


@pytest.mark.parametrize(
    ("given", "name"),
    [("../../etc/passwd", "passwd"), ("/etc/x", "x"), ("C:\\dir\\y.txt", "y.txt"), (" z ", "z")],
)
def test_of_a_path_the_last_part_is_the_name(real: Real, given: str, name: str) -> None:
    """It is found by what was asked for."""
    assert asked(real, given)[given]["path"].endswith(f"/admin/{name}")


def test_a_name_that_is_listed_twice_is_one_file(real: Real) -> None:
    """As in JOB's reply, whose map has it once."""
    assert list(asked(real, "a", "b", "a")) == ["a", "b"]


@pytest.mark.parametrize(
    ("names", "code"),
    [
        (None, 1241005),
        ([], 1241005),
        ([""], 1241005),
        (["  "], 1241005),
        ([".."], 1241005),
        (["a/.."], 1241005),
        (["dir/"], 1241005),
        (["a\nb"], 1241005),
        (["é" * 128], 1241005),
        (["a", "é" * 128], 1241005),
        ([f"{n}" for n in range(1001)], 1241005),
        ([None], 1240003),
        ([["a"]], 1240003),
        ({"a": 1}, 1240003),
        (["a\0b"], 1240003),
    ],
)
def test_names_that_are_none(real: Real, stores: Stores, names: Any, code: int) -> None:
    """JOB's code and the field; there is a URL for none of the list."""
    reply = real.job.v3(NAME, {**bodies.SCOPE, "file_name_list": names})
    assert (reply["code"], "file_name_list" in reply["message"] or "\\0" in repr(names)) == (code, True), (
        reply
    )
    with stores.engine.connect() as connection:
        assert connection.scalar(sa.select(sa.func.count()).select_from(tables.upload)) == 0


def test_the_url_is_where_the_client_asked(real: Real) -> None:
    """By its Host; one that is none is left out."""
    path = "/api/v3/generate_local_file_upload_url"
    body = {**real.job.credentials, **bodies.SCOPE, "file_name_list": ["a"]}
    for host, begin in (("jobs.example:81", "http://jobs.example:81/api/"), ("a b", "/api/")):
        reply = envelope(real.job.http.post(path, json=body, headers={"Host": host}))
        assert reply["data"]["url_map"]["a"]["upload_url"].startswith(f"{begin}ext/v1/uploads/")


def test_the_url_is_where_an_operator_says(stores: Stores, settings: Settings, clock: Clock) -> None:
    """Behind a proxy: ADAPTER_PUBLIC_URL."""
    public = build(stores, clock, replace(settings, public_url="https://jobs.example/x/"))
    url, _ = offered(public)
    assert url.startswith("https://jobs.example/x/api/ext/v1/uploads/")


def test_only_the_hash_of_a_token_is_stored_and_no_log_has_it(
    real: Real, stores: Stores, settings: Settings
) -> None:
    """Neither the database nor what is logged of making and using a URL."""
    with capture_logs() as logs:
        url, _ = offered(real)
        token = url.rpartition("=")[2]
        assert len(token) >= 43
        put(real, url, b"x")
        put(real, url, b"x")
        real.job.http.get(url)
        real.job.http.head(url + "x")
    assert logs
    assert token not in repr(logs)
    stores.engine.dispose()
    for file in settings.data_dir.glob("adapter.db*"):
        assert token.encode() not in file.read_bytes()


# --- what is sent --------------------------------------------------------------------------------------


@pytest.mark.parametrize("content", [CONTENT, b"", b"x"], ids=["some", "none", "one"])
def test_a_file_at_once(real: Real, settings: Settings, content: bytes) -> None:
    """It is whole, and its sum is told."""
    url, path = offered(real)
    reply = put(real, url, content)
    sha256 = hashlib.sha256(content).hexdigest()
    told = {"path": path, "complete": True, "size": len(content), "sha256": sha256}
    assert envelope(reply)["data"] == told
    assert standing(real, url) == (200, len(content), True)
    assert bytes_of(settings) == {path.split("/")[1]: content}


def test_a_body_of_unknown_length(real: Real, settings: Settings) -> None:
    """Chunked: it is whole with its last chunk."""
    url, path = offered(real)
    reply = put(real, url, iter([b"ab", b"", b"cd"]))
    assert envelope(reply)["data"]["size"] == 4
    assert bytes_of(settings) == {path.split("/")[1]: b"abcd"}


def test_in_parts(real: Real, settings: Settings) -> None:
    """Each goes on at what is kept; the last one makes the file. From 0 it begins anew."""
    url, path = offered(real)
    first = envelope(put(real, url, CONTENT[:1000], f"bytes 0-999/{len(CONTENT)}"))
    assert first["data"] == {"path": path, "complete": False, "size": 1000, "sha256": None}
    assert standing(real, url) == (200, 1000, False)
    last = f"bytes 1000-{len(CONTENT) - 1}/{len(CONTENT)}"
    put(real, url, CONTENT[:500], f"bytes 0-499/{len(CONTENT)}")
    assert standing(real, url) == (200, 500, False)
    put(real, url, CONTENT[500:1000], f"bytes 500-999/{len(CONTENT)}")
    done = envelope(put(real, url, CONTENT[1000:], last))
    assert done["data"]["sha256"] == hashlib.sha256(CONTENT).hexdigest()
    assert bytes_of(settings) == {path.split("/")[1]: CONTENT}


@pytest.mark.parametrize("start", [500, 1001])
def test_a_part_that_does_not_follow(real: Real, start: int) -> None:
    """416 with what is kept; that stays."""
    url, _ = offered(real)
    put(real, url, CONTENT[:1000], f"bytes 0-999/{len(CONTENT)}")
    reply = put(real, url, b"xy", f"bytes {start}-{start + 1}/{len(CONTENT)}")
    assert envelope(reply, 416)["code"] == 1240003
    assert reply.headers["Upload-Offset"] == "1000"
    assert "-C 1000" in reply.json()["message"]
    assert standing(real, url) == (200, 1000, False)


@pytest.mark.parametrize(
    "at", ["bytes */10", "bytes 0-1/*", "0-1/2", "bytes 1-0/2", "bytes 0-2/2", "bytes 0-5/10", "bytes a-b/c"]
)
def test_ranges_that_are_none(real: Real, at: str) -> None:
    """1240003 and the header; nothing is kept."""
    url, _ = offered(real)
    reply = envelope(put(real, url, b"xy", at))
    assert (reply["code"], "Content-Range" in reply["message"]) == (1240003, True)
    assert standing(real, url) == (200, 0, False)


def test_more_than_a_range_says(real: Real) -> None:
    """Of a body of unknown length: refused, and the part is no longer than it was."""
    url, _ = offered(real)
    reply = envelope(put(real, url, iter([b"ab", b"cd"]), "bytes 0-1/4"))
    assert (reply["code"], "Content-Range" in reply["message"]) == (1240003, True)
    assert standing(real, url) == (200, 0, False)


def test_less_than_a_range_says(real: Real) -> None:
    """What came is kept, and is not the file."""
    url, _ = offered(real)
    assert envelope(put(real, url, iter([b"ab"]), "bytes 0-3/4"))["data"]["complete"] is False
    assert standing(real, url) == (200, 2, False)


def test_too_large(real: Real, settings: Settings) -> None:
    """By its length, by the whole that a part is of, and by what comes; the last leaves no file."""
    url, _ = offered(real)
    assert envelope(put(real, url, b"x" * (LIMIT + 1)), 413)["code"] == 1240003
    assert envelope(put(real, url, b"x", f"bytes 0-0/{LIMIT + 1}"), 413)["code"] == 1240003
    assert not settings.uploads.exists()
    reply = put(real, url, iter([b"x" * LIMIT, b"x"]))
    assert "ADAPTER_MAX_UPLOAD_BYTES" in envelope(reply, 413)["message"]
    assert standing(real, url)[2] is False
    assert envelope(put(real, url, b"x" * LIMIT))["data"]["complete"]


def test_a_whole_file_never_changes(real: Real, settings: Settings) -> None:
    """Another PUT is refused, whatever it brings; the bytes are as they were."""
    url, path = offered(real)
    put(real, url, CONTENT)
    for content, at in ((b"other", None), (b"o", "bytes 0-0/1")):
        assert envelope(put(real, url, content, at), 403)["message"].startswith(path)
    assert bytes_of(settings) == {path.split("/")[1]: CONTENT}


def test_of_two_at_once_one_is_told(real: Real, settings: Settings) -> None:
    """The other goes on undisturbed."""
    url, path = offered(real)
    other = UploadFiles(settings.uploads).open(path.split("/")[1])
    assert envelope(put(real, url, b"x"), 409)["code"] == 1240003
    other.add(b"ab")
    other.close()
    assert standing(real, url) == (200, 2, False)


def test_urls_that_are_not_good(real: Real, clock: Clock) -> None:
    """Unknown ids and tokens are 404 alike, an expired one 403; each says what to do."""
    url, path = offered(real)
    base, _, token = url.rpartition("=")
    for bad in (
        f"{base}={token}x",
        base,
        f"{base}=",
        base.replace(path.split("/")[1], "0" * 32),
        base.replace("?", "%00?"),
    ):
        reply = put(real, bad, b"x")
        assert (envelope(reply, 404)["code"], NAME in reply.json()["message"]) == (1240003, True)
        assert real.job.http.head(bad).status_code == 404
    clock.ms = clock.now_ms() + 60_000
    reply = put(real, url, b"x")
    assert (envelope(reply, 403)["code"], NAME in reply.json()["message"]) == (1240003, True)
    assert real.job.http.head(url).status_code == 403


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE", "PATCH"])
def test_other_methods(real: Real, method: str) -> None:
    """Nothing comes back out of an upload."""
    url, _ = offered(real)
    reply = envelope(real.job.http.request(method, url))
    assert (reply["code"], "PUT or HEAD" in reply["message"]) == (1240003, True)


def test_a_disk_that_is_nearly_full(real: Real, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """507 before anything is read; what is free is not the service's alone."""
    url, _ = offered(real)
    usage = shutil.disk_usage(settings.data_dir)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=RESERVE + 5))
    assert envelope(put(real, url, b"x" * 6), 507)["code"] == 1240002
    assert envelope(put(real, url, b"x" * 5))["code"] == 0


def test_a_disk_that_fills_up(real: Real, monkeypatch: pytest.MonkeyPatch) -> None:
    """507 in words; what found room is kept, and no file."""
    url, _ = offered(real)
    write, taken = os.write, list[int]()

    def full(descriptor: int, piece: memoryview) -> int:
        if taken:
            raise OSError(errno.ENOSPC, "No space left on device")
        taken.append(write(descriptor, piece[:3]))
        return taken[0]

    monkeypatch.setattr("adapter.store.upload_files.os.write", full)
    reply = put(real, url, b"0123456789")
    assert "No space left" in envelope(reply, 507)["message"]
    monkeypatch.undo()
    assert standing(real, url) == (200, 3, False)
    assert envelope(put(real, url, b"3456789", "bytes 3-9/10"))["data"]["complete"]


def test_a_rename_that_fails_leaves_the_part(real: Real, monkeypatch: pytest.MonkeyPatch) -> None:
    """The row and the file change together: the same bytes can be sent again."""
    url, path = offered(real)

    def broken(_self: Path, _target: Path) -> None:
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patched:
        patched.setattr(Path, "rename", broken)
        assert envelope(put(real, url, b"ab"), 507)["code"] == 1240002
    assert standing(real, url) == (200, 2, False)
    assert real.job.v3("fast_transfer_file", transfer(file_list=[path]))["code"] == 1244023
    assert envelope(put(real, url, b"ab"))["data"]["complete"]


# --- launches ------------------------------------------------------------------------------------------


def test_a_launch(real: Real, stores: Stores) -> None:
    """The step has the path; its source is the service itself, which no account reads and no host has."""
    path = uploaded(real)
    reply = real.job.v3("fast_transfer_file", transfer(file_list=[path]))
    assert reply["code"] == 0, reply
    job = real.jobs.get(reply["data"]["job_instance_id"])
    assert job is not None
    assert job.steps[0].file is not None
    (source,) = job.steps[0].file.sources
    assert (source.file_type, source.files) == (FileType.LOCAL, (path,))
    ids = {"job_instance_id": job.id, "step_instance_id": job.steps[0].id}
    detail = real.job.v3("get_step_instance_detail", {**bodies.SCOPE, **ids})
    assert detail["data"]["file_info"]["file_source_list"] == [
        {
            "file_type": 2,
            "file_list": [path],
            "account": None,
            "server": None,
            "file_source_id": None,
            "file_source_code": None,
        }
    ]
    with stores.engine.connect() as connection:
        used = connection.execute(sa.select(tables.upload_use)).all()
    assert used == [(job.steps[0].id, path.split("/")[1])]


def test_paths_that_are_none(real: Real) -> None:
    """1244023 with the path, and no job: made up, of another file, not sent yet, of another business."""
    _, not_sent = offered(real)
    path = uploaded(real)
    other = uploaded(real, scope="2")
    id_ = path.split("/")[1]
    for bad in (
        "a.bin",
        "/etc/passwd",
        f"../../{id_}",
        not_sent,
        other,
        f"{path}x",
        f"/{path}",
        f"1/{id_}/admin/other",
        f"1/{id_}/../../../../etc/passwd",
        f"2/{id_}/admin/a.bin",
        id_,
        "",
    ):
        reply = real.job.v3("fast_transfer_file", transfer(file_list=[path, bad]))
        assert (reply["code"], bad in reply["message"]) == (1244023 if bad else 1240003, True), (bad, reply)
    assert real.jobs.get(1) is None


def test_a_launch_that_only_asks(real: Real, stores: Stores) -> None:
    """`plan_only` shows the path, and keeps nothing."""
    path = uploaded(real)
    reply = real.job.v3("fast_transfer_file", {**transfer(file_list=[path]), "plan_only": True})
    assert path in json.dumps(reply["data"])
    with stores.engine.connect() as connection:
        assert connection.execute(sa.select(tables.upload_use)).all() == []


def test_one_that_goes_while_a_job_is_launched(real: Real, stores: Stores) -> None:
    """It was there when it was looked for: the job is not stored, and says so."""
    path = uploaded(real)
    step = real.job.v3("fast_transfer_file", transfer(file_list=[path]))
    assert step["code"] == 0
    job = real.jobs.get(1)
    assert job is not None
    with stores.engine.begin() as connection:
        connection.execute(sa.delete(tables.upload))
    with pytest.raises(LocalFileUnknown):
        real.jobs.add(job, [()])
    assert real.jobs.get(2) is None


# --- clients that stop (a real server) -------------------------------------------------------------------


@pytest.fixture
def address(real: Real, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, int]]:
    """Where the application is served; it writes what comes at once, and waits half a second for more."""
    monkeypatch.setattr(uploads, "STALL_SECONDS", 0.5)
    monkeypatch.setattr(uploads, "_PIECE", 1)
    server = uvicorn.Server(server_config(real.job.http.app))  # type: ignore[arg-type]
    listener = socket.create_server(("127.0.0.1", 0))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        yield listener.getsockname()[:2]
    finally:
        server.should_exit = True
        thread.join()
        listener.close()


def begin(address: tuple[str, int], url: str, head: str, body: bytes) -> socket.socket:
    """A connection that has sent the beginning of a PUT."""
    connection = socket.create_connection(address, timeout=10)
    target = url.removeprefix("http://testserver")
    connection.sendall(
        f"PUT {target} HTTP/1.1\r\nHost: x\r\nBlueking-Language: en\r\n{head}\r\n\r\n".encode() + body
    )
    return connection


def kept_at_last(real: Real, url: str, size: int) -> None:
    """That many bytes are kept."""
    until = time.monotonic() + 10
    while standing(real, url) != (200, size, False):
        assert time.monotonic() < until, standing(real, url)
        time.sleep(0.02)


@pytest.mark.parametrize(
    ("head", "body"),
    [("Content-Length: 10", b"abcd"), ("Transfer-Encoding: chunked", b"4\r\nabcd\r\n")],
    ids=["length", "chunked"],
)
def test_a_client_that_goes_away(real: Real, address: tuple[str, int], head: str, body: bytes) -> None:
    """What came is kept and is no file; another request goes on with it."""
    url, path = offered(real)
    with begin(address, url, head, body):
        kept_at_last(real, url, 4)
    assert real.job.v3("fast_transfer_file", transfer(file_list=[path]))["code"] == 1244023
    until = time.monotonic() + 10
    while (reply := put(real, url, b"efghij", "bytes 4-9/10")).status_code == 409:
        assert time.monotonic() < until
        time.sleep(0.02)
    assert envelope(reply)["data"]["sha256"] == hashlib.sha256(b"abcdefghij").hexdigest()


def test_a_client_that_is_silent(real: Real, address: tuple[str, int]) -> None:
    """408 and what to do; what came is kept, and the next request need not wait for it."""
    url, _ = offered(real)
    with begin(address, url, "Content-Length: 10", b"abcd") as connection:
        answer = b""
        while part := connection.recv(65_536):
            answer += part
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b"go on from what is kept" in answer
    kept_at_last(real, url, 4)


def test_two_clients(real: Real, address: tuple[str, int], settings: Settings) -> None:
    """While one sends, the other is refused; the first one's file is the one."""
    url, path = offered(real)
    with begin(address, url, "Content-Length: 10", b"abcd") as connection:
        kept_at_last(real, url, 4)
        assert envelope(put(real, url, b"other"), 409)["code"] == 1240003
        connection.sendall(b"efghij")
        answer = b""
        while not answer.endswith(b"}"):
            answer += connection.recv(65_536)
        assert answer.startswith(b"HTTP/1.1 200 ")
        assert b'"complete":true' in answer
    assert bytes_of(settings) == {path.split("/")[1]: b"abcdefghij"}


def test_a_length_that_is_too_large_is_refused_unread(real: Real, address: tuple[str, int]) -> None:
    """Before anything is sent: who waits for 100 Continue sends nothing at all."""
    url, _ = offered(real)
    head = f"Content-Length: {LIMIT + 1}\r\nExpect: 100-continue"
    with begin(address, url, head, b"") as connection:
        assert connection.recv(65_536).startswith(b"HTTP/1.1 413 ")


# --- plans, plugins ------------------------------------------------------------------------------------

PLAN = """
scope: {{type: biz, id: "1"}}
templates:
  - name: release
    steps:
      - name: send
        target: {{host_id_list: [101]}}
        file: {{account: root, target_path: /opt/, sources: [{source}]}}
    plans: [{{name: release}}]
"""


def applied(stores: Stores, clock: Clock, source: str) -> dict[str, int]:
    """Ids of what was made, by kind."""
    apply = Apply(engine=stores.engine, box=stores.box, clock=clock, environ={}, operator="ann")
    changes = apply.apply(PLAN.format(source=source), Path())
    return {change.kind: int(change.id) for change in changes}


def test_in_a_plan(real: Real, stores: Stores, clock: Clock) -> None:
    """A definition file names it; details of all dialects show it; the plan sends it until it is gone."""
    path = uploaded(real)
    made = applied(stores, clock, f"{{file_type: 2, files: ['{path}']}}")
    ids = {"job_plan_id": made["plan"]}
    detail = real.job.v3("get_job_plan_detail", {**bodies.SCOPE, **ids})["data"]
    (source,) = detail["step_list"][0]["file_info"]["file_source_list"]
    told = {"file_type": 2, "file_list": [path], "account": None, "server": None}
    assert source == {**told, "file_source_id": None, "file_source_code": None}
    old = real.job.v2("get_job_detail", {"bk_biz_id": 1, "bk_job_id": made["plan"]})["data"]
    (source,) = old["steps"][0]["file_source"]
    assert (source["file_type"], source["files"], source["account"]) == (2, [path], None)
    of_template = {**bodies.SCOPE, "id": made["template"]}
    new = real.job.v4("get_job_template_detail", of_template)["data"]
    (source,) = new["step_list"][0]["file_info"]["file_source_list"]
    assert source == {"file_type": 2, "file_list": [path]}  # v4 leaves out what is null
    assert real.job.v3("execute_job_plan", {**bodies.SCOPE, **ids})["code"] == 0
    with stores.engine.begin() as connection:
        connection.execute(sa.delete(tables.upload))
    reply = real.job.v3("execute_job_plan", {**bodies.SCOPE, **ids})
    assert (reply["code"], path in reply["message"]) == (1244023, True)


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("{{file_type: 2, files: ['{path}x']}}", "sources[0].files[0]"),
        ("{{file_type: 2, files: ['{other}']}}", "local file"),
        ("{{file_type: 2, files: []}}", "at least one path"),
        ("{{file_type: 2, files: ['{path}'], account: root}}", "account"),
        ("{{file_type: 2, files: ['{path}'], server: {{host_id_list: [1]}}}}", "server"),
        ("{{file_type: 4, files: ['{path}']}}", "file_type"),
    ],
)
def test_definitions_that_are_refused(
    real: Real, stores: Stores, clock: Clock, source: str, words: str
) -> None:
    """With the place in the file; nothing has changed."""
    path, other = uploaded(real), uploaded(real, scope="2")
    with pytest.raises(ApplyError, match=re.escape(words)):
        applied(stores, clock, source.format(path=path, other=other))
    with stores.engine.connect() as connection:
        assert connection.scalar(sa.select(sa.func.count()).select_from(tables.job_template)) == 1


def test_a_plugin(real: Real) -> None:
    """bkci_plugin_fast_transfer_file takes it as v3 does."""
    path = uploaded(real)
    body = bodies.v3("bkci_plugin_fast_transfer_file")
    body["file_source_list"] = [{"file_type": 2, "file_list": [path]}]
    assert real.job.v3("bkci_plugin_fast_transfer_file", body)["code"] == 0
    body["file_source_list"][0]["file_list"] = [f"{path}x"]
    assert real.job.v3("bkci_plugin_fast_transfer_file", body)["code"] == 1244023
