"""What JOB's AI assistant reads (v4): why a host failed, as a list of named texts."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from adapter.job.model import FileLog, ScriptTask

from .bodies import v4
from .client import GATEWAY_V4, envelope_v4
from .conftest import World
from .jobs import DOWNLOADS, JOB, SCRIPT_STEP, UPLOAD

SCRIPT, FILE = "get_script_task_context", "get_file_task_context"
BODY, OF_FILE = v4(SCRIPT), v4(FILE)
SOURCE_END = {"sourceExecuteObjectType": "HOST", "sourceHostDescription": {"cloudIp": "0:10.0.3.1"}}
TARGET_END = {"targetExecuteObjectType": "HOST", "targetHostDescription": {"cloudIp": "0:10.0.0.1"}}


def told(world: World, name: str, body: dict[str, Any]) -> dict[str, str]:
    """The fields' values by name; each has a description."""
    fields = world.job.v4(name, body)["data"]["field_list"]
    assert all(set(field) == {"name", "value", "description"} and field["description"] for field in fields)
    return {field["name"]: field["value"] for field in fields}


def with_script(world: World, **changes: Any) -> None:
    """The job's script step runs this."""
    script = ScriptTask(**{"language": 4, "content": "print(1)", "param": "-a b", **changes})
    step = replace(SCRIPT_STEP, script=script)
    world.query.known[100] = replace(JOB, steps=(step, *JOB.steps[1:]))


def test_a_script(job: World) -> None:
    """What ran, with what, and the log of that host."""
    with_script(job)
    assert told(job, SCRIPT, BODY) == {
        "scriptType": "python",
        "scriptContent": "print(1)",
        "secureParam": "false",
        "scriptParams": "-a b",
        "errorLog": "hello <b>&'\"\n",
    }
    assert told(job, SCRIPT, {**BODY, "execute_object_resource_id": "103"})["errorLog"] == ""


def test_sensitive_parameters_are_not_told(job: World) -> None:
    """In JOB's words."""
    with_script(job, param="******", param_sensitive=True)
    found = told(job, SCRIPT, BODY)
    assert (found["secureParam"], found["scriptParams"]) == ("true", "[Secure params ignored]")


def test_the_callers_own_part_of_the_log_counts(job: World) -> None:
    """Unless it is blank; and at most 50,000 characters, whole lines from the end."""
    with_script(job)
    assert told(job, SCRIPT, {**BODY, "content": "just this"})["errorLog"] == "just this"
    assert told(job, SCRIPT, {**BODY, "content": " \n"})["errorLog"] == "hello <b>&'\"\n"
    lines = "".join(f"line {number}\n" for number in range(10_000))
    tail = told(job, SCRIPT, {**BODY, "content": lines})["errorLog"]
    assert len(tail) <= 50_000
    assert lines.endswith(tail)
    assert tail.startswith("line ")
    assert len(told(job, SCRIPT, {**BODY, "content": "x" * 60_000})["errorLog"]) == 50_000


def failed(entry: FileLog, why: str) -> FileLog:
    """The entry, as it is when it fails."""
    return replace(entry, status=5, status_desc="failed", content=why)


@pytest.mark.parametrize(
    ("entries", "cause", "uploads", "downloads"),
    [
        ((UPLOAD, DOWNLOADS[0]), "Nothing failed", 0, 0),
        ((failed(UPLOAD, "gone"), failed(DOWNLOADS[0], "no source")), "Source files could not be read", 1, 0),
        ((UPLOAD, failed(DOWNLOADS[0], "no room")), "Files did not arrive on the target", 0, 1),
        (
            (failed(UPLOAD, "gone"), replace(failed(DOWNLOADS[0], "no room"), src_path="/tmp/y")),
            "Source files could not be read, and files did not arrive on the target",
            1,
            1,
        ),
        ((UPLOAD, DOWNLOADS[0], failed(DOWNLOADS[1], "of another host")), "Nothing failed", 0, 0),
    ],
)
def test_files(job: World, entries: tuple[FileLog, ...], cause: str, uploads: int, downloads: int) -> None:
    """Which end failed; a file that could not be read is not counted again where it did not arrive."""
    job.query.entries = {201: entries}
    found = told(job, FILE, OF_FILE)
    assert found["errorSource"] == cause
    of_sources, of_target = (
        json.loads(found["uploadFileErrorData"]),
        json.loads(found["downloadFileErrorData"]),
    )
    assert (len(of_sources), len(of_target)) == (uploads, downloads)
    for item in of_sources:
        assert item.pop("errorLog").endswith("Detail: gone")
        assert item == {**SOURCE_END, "sourceFilePath": "/tmp/x"}
    for item in of_target:
        assert item.pop("errorLog").endswith("Detail: no room")
        assert item == {**SOURCE_END, **TARGET_END, "targetFilePath": "/tmp/x"}


def test_a_source_is_asked_about_by_its_mode(job: World) -> None:
    """It is in the step as a source only."""
    job.query.entries = {201: (failed(UPLOAD, "gone"),)}
    body = {**OF_FILE, "execute_object_resource_id": 301}
    assert told(job, FILE, {**body, "mode": 0})["errorSource"] == "Source files could not be read"
    error = job.job.v4(FILE, body, 400)["error"]
    assert error["details"][0]["code"] == "1264004"


def test_a_host_is_in_its_batch(job: World) -> None:
    """Of a rolling step; 0 and none are any."""
    with_script(job)
    job.query.results[200] = tuple(result.evolve(batch=2) for result in job.query.results[200])
    for batch in (None, 0, 2, "2"):
        assert told(job, SCRIPT, {**BODY, "batch": batch})["scriptType"] == "python"
    assert job.job.v4(SCRIPT, {**BODY, "batch": 1}, 400)["error"]["details"][0]["code"] == "1264004"


def test_descriptions_are_in_the_callers_language(job: World) -> None:
    """Values that are sentences, too."""
    credentials = job.job.credentials
    reply = job.http.post(
        f"{GATEWAY_V4}/{FILE}", json={**credentials, **OF_FILE}, headers={"Blueking-Language": "zh-cn"}
    )
    first = envelope_v4(reply)["data"]["field_list"][0]
    assert (first["value"], first["description"]) == ("没有失败", "失败的环节")


@pytest.mark.parametrize("name", [SCRIPT, FILE])
@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"job_instance_id": None}, 400, "1241025"),
        ({"step_instance_id": 0}, 400, "1241025"),
        ({"execute_count": None}, 400, "1241025"),
        ({"execute_count": -1}, 400, "1241025"),
        ({"execute_count": 2**31}, 400, "1241025"),
        ({"execute_object_type": None}, 400, "1241025"),
        ({"execute_object_resource_id": "x"}, 400, "1241025"),
        ({"execute_object_resource_id": 2**63}, 400, "1241025"),
        ({"execute_object_type": 3}, 400, "1241007"),
        ({"execute_object_type": 2}, 400, "1264004"),
        ({"execute_object_resource_id": 999}, 400, "1264004"),
        ({"batch": 1}, 400, "1264004"),
        ({"job_instance_id": 7}, 404, "1244006"),
        ({"bk_scope_id": "2"}, 404, "1244006"),
    ],
)
def test_what_there_is_nothing_to_say_of(
    job: World, name: str, changes: dict[str, Any], status: int, code: str
) -> None:
    """Each with its code."""
    body = {**(BODY if name == SCRIPT else OF_FILE), **changes}
    assert job.job.v4(name, body, status)["error"]["details"][0]["code"] == code


def test_a_step_of_the_other_kind(job: World) -> None:
    """Has no such context; nor has a mode that there is not."""
    for name, body in (
        (SCRIPT, {**BODY, "step_instance_id": 201}),
        (FILE, {**OF_FILE, "step_instance_id": 200}),
        (FILE, {**OF_FILE, "mode": 2}),
    ):
        assert job.job.v4(name, body, 400)["error"]["details"][0]["code"] == "1241007"
    assert job.job.v4(FILE, {**OF_FILE, "mode": None}, 400)["error"]["details"][0]["code"] == "1241025"
