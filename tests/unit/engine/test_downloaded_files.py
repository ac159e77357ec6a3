"""Files of file sources on their way to a step: named, noted in its log, and told of when they cannot be had."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa

from adapter.engine.downloaded_files import DownloadedFiles
from adapter.engine.downloads import Downloads
from adapter.engine.providing import ProvidingEnded
from adapter.job.credential import CredentialType
from adapter.job.egress import EgressRule
from adapter.job.file_source import FileSourceDefinition, FileSourceType
from adapter.job.model import SERVICE_HOST, FileLog, FileSource, FileTask, JobInstance, StepInstance
from adapter.job.status import FileType, StepType
from adapter.store import tables
from adapter.store.credentials import CredentialStore
from adapter.store.file_sources import FileSourceStore
from tests.support.file_servers import Behaviour, StandIn, stand_in

from .conftest import ONE, SCOPE, Bench

USER, PASSWORD = "reader", "hunter2-9f3c27aa51"
FILE = "p/r/dir/app.tar"
SERVED = f"/generic/{FILE}"


@pytest.fixture
def server() -> Iterator[StandIn]:
    """An artifactory with a file."""
    with stand_in(USER, PASSWORD) as found:
        found.files[SERVED] = b"x" * 300_000
        yield found


def defined(bench: Bench, server: StandIn, **changes: Any) -> FileSourceDefinition:
    """A file source of the business, with a credential that fits."""
    credential = CredentialStore(bench.engine, bench.box).create(
        SCOPE,
        name="c",
        type=CredentialType.USERNAME_PASSWORD,
        description="",
        value={"username": USER, "password": PASSWORD},
        operator="ann",
        now_ms=1,
    )
    new = FileSourceDefinition(
        scope=SCOPE,
        code="releases",
        alias="Releases",
        type=FileSourceType.BLUEKING_ARTIFACTORY,
        base_url=server.url,
        credential_id=credential.id,
        last_modify_time=1,
    )
    return FileSourceStore(bench.engine).create(replace(new, **changes))


def stored(bench: Bench, found: FileSourceDefinition, *files: str) -> StepInstance:
    """A step that takes files from it."""
    source = FileSource(
        files=files or (FILE,),
        account_id=1,
        hosts=(SERVICE_HOST,),
        file_type=FileType.FILE_SOURCE,
        file_source_id=found.id,
        file_source_code=found.code,
    )
    file = FileTask(sources=(source,), target_path="/tmp", account_id=1)
    step = StepInstance(name="get", type=StepType.FILE, file=file, create_time=1)
    job = bench.jobs.add(JobInstance(scope=SCOPE, steps=(step,), create_time=1), [(ONE,)])
    again = bench.jobs.step(job.steps[0].id)
    assert again is not None
    return again


def provided(bench: Bench, step: StepInstance, look: Any = lambda: None, **more: Any) -> list[dict[str, Any]]:
    """The lines of the manifest that the step's send reads."""
    cache = bench.directory / "cache"
    given = {"rule": EgressRule.of(["127.0.0.0/8"]), "pauses": (0.0,), **more}
    provider = DownloadedFiles(
        file_sources=FileSourceStore(bench.engine),
        credentials=CredentialStore(bench.engine, bench.box),
        downloads=Downloads(cache=cache, **given),
        clock=bench,
        installation="unit",
    )
    spool = bench.directory / "spool"
    bench.providing({FileType.FILE_SOURCE: provider}).provide(step, spool, bench.logs, look)
    (manifest,) = spool.glob("source-0.*.json")
    text = manifest.read_text()
    assert PASSWORD not in text
    return list(json.loads(text)["files"])


def uploads(bench: Bench, step: StepInstance) -> list[FileLog]:
    """What the step's log has of the file source's files."""
    return [entry for entry in bench.logs.file_logs(step.id, 0, None) if entry.mode == 0]


def test_a_file_on_its_way(bench: Bench, server: StandIn) -> None:
    """It is in the cache under its sum, in the manifest under its name, and finished in the log."""
    step = stored(bench, defined(bench, server))
    (line,) = provided(bench, step)
    (entry,) = line["entries"]
    assert (line["path"], line["state"], entry["name"], entry["size"]) == (FILE, "ok", "app.tar", 300_000)
    assert (bench.directory / "cache" / entry["sha256"][:2] / entry["sha256"]).stat().st_size == 300_000
    (told,) = uploads(bench, step)
    assert (told.src_path, told.status, told.size, told.progress) == (FILE, 4, 300_000, 100)


@pytest.mark.parametrize(("prefix", "name"), [("", "app.tar"), ("v1-", "v1-app.tar")])
def test_prefixes(bench: Bench, server: StandIn, prefix: str, name: str) -> None:
    """They stand before a file's name at the target."""
    step = stored(bench, defined(bench, server, file_prefix=prefix))
    assert provided(bench, step)[0]["entries"][0]["name"] == name


def test_a_prefix_of_a_uuid(bench: Bench, server: StandIn) -> None:
    """32 digits: the same for all files of a step and for a retry, others for another step."""
    found = defined(bench, server, file_prefix="${UUID}")
    server.files["/generic/p/r/b"] = b"b"
    step = stored(bench, found, FILE, "p/r/b")

    def names(of: StepInstance) -> list[str]:
        return [line["entries"][0]["name"] for line in provided(bench, of)]

    first = names(step)
    uuid = first[0].removesuffix("app.tar")
    assert (len(uuid), set(uuid) <= set("0123456789abcdef")) == (32, True)
    assert first[1] == f"{uuid}b"
    assert names(replace(step, execute_count=1)) == first
    assert names(stored(bench, found, FILE, "p/r/b")) != first


def test_what_cannot_be_had(bench: Bench, server: StandIn) -> None:
    """A failed line with the reason; the others come."""
    step = stored(bench, defined(bench, server), "p/r/none", FILE, "short", "p/r/../../../etc")
    missing, there, short, up = provided(bench, step)
    assert (missing["state"], missing["message"]) == (
        "missing",
        f"{server.url}/generic/p/r/none answered 404",
    )
    assert there["state"] == "ok"
    assert (short["state"], "at least 3 parts" in short["message"]) == ("failed", True)
    assert (up["state"], ".." in up["message"]) == ("failed", True)
    told = {entry.src_path: entry for entry in uploads(bench, step)}
    assert (told["p/r/none"].status, told["p/r/none"].content) == (5, missing["message"])
    assert len(server.asked) == 2


def test_a_file_source_that_changed_since_the_launch(bench: Bench, server: StandIn) -> None:
    """What it is now counts: no more there, without a credential, with one of another type."""
    found = defined(bench, server)
    step = stored(bench, found)
    credentials = CredentialStore(bench.engine, bench.box)
    assert found.credential_id is not None
    credentials.update(
        SCOPE,
        found.credential_id,
        name="c",
        type=CredentialType.PASSWORD,
        description="",
        value={"password": PASSWORD},
        operator="ann",
        now_ms=2,
    )
    (line,) = provided(bench, step)
    assert (
        line["message"] == "the credential of file source releases is PASSWORD, and must be USERNAME_PASSWORD"
    )
    FileSourceStore(bench.engine).update(replace(found, type=FileSourceType.HTTP, credential_id=None))
    assert "answered 40" in provided(bench, step)[0]["message"]
    with bench.engine.begin() as connection:
        connection.execute(sa.delete(tables.file_source))
    assert provided(bench, step)[0]["message"] == f"file source releases (ID={found.id}) is no more"


def test_an_access_key_that_no_request_can_have(bench: Bench, server: StandIn) -> None:
    """It is not sent, and not told in the words about it."""
    found = defined(bench, server)
    step = stored(bench, found, "bucket/a")
    credential = CredentialStore(bench.engine, bench.box).create(
        SCOPE,
        name="s3",
        type=CredentialType.APP_ID_SECRET_KEY,
        description="",
        value={"access_key": f"{PASSWORD}\n", "secret_key": "s"},
        operator="ann",
        now_ms=2,
    )
    FileSourceStore(bench.engine).update(replace(found, type=FileSourceType.S3, credential_id=credential.id))
    (line,) = provided(bench, step)
    assert line["message"] == "the access key of file source releases can stand in no request"
    assert server.asked == []


def test_progress_is_told_and_a_stop_is_heard(bench: Bench, server: StandIn) -> None:
    """While it comes, though nothing comes: within a second."""
    step = stored(bench, defined(bench, server))
    server.behaves = [Behaviour(stall_after=150_000)]
    began = time.monotonic()

    def look() -> None:
        if time.monotonic() - began > 1.6:
            raise ProvidingEnded

    with pytest.raises(ProvidingEnded):
        provided(bench, step, look)
    assert time.monotonic() - began < 4
    (told,) = uploads(bench, step)
    assert (told.status, told.size) == (0, 300_000)
    assert 0 < told.progress <= 50
    assert provided(bench, step)[0]["state"] == "ok"
    assert server.ranges()[-1].startswith("bytes=")
