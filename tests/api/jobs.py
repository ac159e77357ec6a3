"""A job of a script step and a file step, with hosts, logs and file entries."""

from __future__ import annotations

from typing import Any

from adapter.job.model import (
    FileLog,
    FileSource,
    FileTask,
    Host,
    HostResult,
    JobInstance,
    Scope,
    ScriptTask,
    StepInstance,
)
from adapter.job.status import HostStatus, LaunchMode, RunStatus, StepType, TaskType

from .bodies import v3
from .conftest import World

T0 = 1_700_000_000_000
BIZ = Scope("biz", "1")
A = Host(bk_host_id=101, bk_cloud_id=0, ip="10.0.0.1", name="a")
B = Host(bk_host_id=102, bk_cloud_id=0, ip="10.0.0.2", name="b")
C = Host(bk_host_id=103, bk_cloud_id=5, ip="10.0.0.1", name="c")
SOURCE = Host(bk_host_id=301, bk_cloud_id=0, ip="10.0.3.1", name="source")

SCRIPT_STEP = StepInstance(
    id=200,
    job_instance_id=100,
    name="Hello",
    status=RunStatus.FAILED,
    script=ScriptTask(language=1, content="echo"),
    create_time=T0,
    start_time=T0 + 100,
    end_time=T0 + 1600,
)
FILE_STEP = StepInstance(
    id=201,
    job_instance_id=100,
    order=1,
    name="Copy",
    type=StepType.FILE,
    file=FileTask(
        sources=(FileSource(files=("/tmp/x",), account_id=1, hosts=(SOURCE,)),),
        target_path="/tmp/",
        account_id=1,
    ),
    create_time=T0,
)
JOB = JobInstance(
    id=100,
    scope=BIZ,
    name="Test",
    type=TaskType.PLAN,
    status=RunStatus.RUNNING,
    plan_id=7,
    template_id=6,
    launch_mode=LaunchMode.API,
    operator="admin",
    create_time=T0,
    start_time=T0 + 100,
    steps=(SCRIPT_STEP, FILE_STEP),
)
RESULTS = (
    HostResult(host=A, status=HostStatus.SUCCESS, exit_code=0, start_time=T0, end_time=T0 + 5, tag="ok"),
    HostResult(host=B, status=HostStatus.NON_ZERO_EXIT, exit_code=3, start_time=T0, end_time=T0 + 2500),
    HostResult(host=C),
)
UPLOAD = FileLog(
    bk_host_id=301, mode=0, src_host_id=301, src_path="/tmp/x", status=4, size=9, speed=0, progress=100
)
DOWNLOADS = tuple(
    FileLog(
        bk_host_id=host.bk_host_id,
        mode=1,
        src_host_id=301,
        src_path="/tmp/x",
        dest_host_id=host.bk_host_id,
        dest_path="/tmp/x",
        status=3,
        status_desc="downloading",
        size=1536,
        speed=2048,
        progress=50,
        content="a line\n" if host is A else "",
    )
    for host in (A, B)
)


def known_job(world: World) -> World:
    """The world, with the job in it."""
    world.query.known[100] = JOB
    world.query.results = {200: RESULTS, 201: RESULTS[:2]}
    world.query.texts = {200: {101: "hello <b>&'\"\n", 102: "failed\n"}}
    world.query.entries = {201: (UPLOAD, *DOWNLOADS)}
    return world


def data_of(world: World, name: str, **changes: Any) -> Any:
    """What a request of v3 with these changes is answered."""
    reply = world.job.v3(name, v3(name, **changes))
    assert reply["code"] == 0, reply
    return reply["data"]
