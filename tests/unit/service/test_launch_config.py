"""push_config_file: files that come with the request become sources; what is refused leaves nothing."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from adapter import errors
from adapter.job.commands import ConfigFile, PushConfigFile
from adapter.job.model import SERVICE_HOST, Server
from adapter.job.status import StepType, TaskType

from .world import CALLER, NOW, SOURCE, SRC1, TARGET, World, alias, on

FILES = (ConfigFile(name="a.conf", content=b"\xff"), ConfigFile(name="b.conf", content=b""))


def push(**changes: Any) -> PushConfigFile:
    command = PushConfigFile(
        caller=CALLER,
        scope=SOURCE,
        target_path=" /etc/app ",
        account=alias("root"),
        target=on(SRC1),
        files=FILES,
    )
    return replace(command, **changes)


def test_each_file_is_a_source(world: World) -> None:
    """From the service itself; the reply has no step, the default name the time."""
    launched = world.launch.push_config_file(push())
    assert (launched.step_instance_id, launched.job_instance_name) == (None, f"API_PUSH_CONFIG_FILE_{NOW}")
    job = world.jobs.get(launched.job_instance_id)
    assert job is not None
    (step,) = job.steps
    assert (job.type, step.type, step.timeout) == (TaskType.FILE, StepType.FILE, 7200)
    assert step.file is not None
    assert step.file.target_path == "/etc/app"
    assert [source.files for source in step.file.sources] == [("a.conf",), ("b.conf",)]
    assert {source.hosts for source in step.file.sources} == {(SERVICE_HOST,)}
    assert world.targets(step.id) == ["src1"]


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"files": ()}, errors.InvalidParameters),
        ({"target": Server()}, errors.InvalidParameters),
        ({"target_path": "etc"}, errors.InvalidParameters),
        ({"target_path": "C:\\etc"}, errors.NotSupported),
        ({"account": alias("nobody")}, errors.AccountUnknown),
        ({"target": Server(host_ids=(77,))}, errors.HostsUnknown),
        ({"target": Server(dynamic_groups=("empty",))}, errors.TargetEmpty),
        ({"scope": TARGET}, errors.AccountUnknown),
        ({"files": FILES * 50_001}, errors.TooManyFileTasks),
    ],
)
def test_what_is_refused_leaves_nothing(
    world: World, changes: dict[str, Any], error: type[errors.JobError]
) -> None:
    """No row, no wake-up."""
    with pytest.raises(error):
        world.launch.push_config_file(push(**changes))
    assert (world.count(), world.woken) == (0, 0)
