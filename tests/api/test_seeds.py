"""The two requests this project was asked for, exactly as their documents print them."""

from __future__ import annotations

from pathlib import Path

from adapter.job.commands import (
    AccountRef,
    Caller,
    ExecutePlatformJob,
    ExecuteScript,
    ScriptRef,
    SourceSpec,
    StepOverride,
)
from adapter.job.model import IpRef, Scope, Server, TopoNode

from .client import ESB_V2, ESB_V3, envelope
from .conftest import World

SEEDS = Path(__file__).parents[1] / "seeds"
TWO_HOSTS = Server(
    ips=(IpRef(bk_cloud_id=0, ip="10.0.0.1"), IpRef(bk_cloud_id=0, ip="10.0.0.2")), dynamic_groups=("3",)
)
USER = Caller(app_code="esb_test", user="someone", scopes=None)


def _register(world: World) -> None:
    """The application and the token that the seeds use."""
    world.stores.apps.rotate("esb_test", secret="xxx")
    if world.stores.apps.find_token("xxx") is None:
        world.stores.apps.create_token(token="xxx", app_code="esb_test", user="someone", now_ms=1)


def test_fast_execute_script(world: World) -> None:
    """All three ways of listing hosts; the version wins over the content."""
    _register(world)
    body = (SEEDS / "fast_execute_script.json").read_bytes()
    reply = envelope(world.http.post(f"{ESB_V3}/fast_execute_script/", content=body))
    assert world.launch.commands == [
        ExecuteScript(
            caller=USER,
            scope=Scope("biz", "1"),
            script=ScriptRef(version_id=1),
            account=AccountRef(id=1000),
            target=Server(
                host_ids=(101, 102),
                dynamic_groups=("blo8gojho0skft7pr5q0",),
                topo_nodes=(TopoNode(id=1000, node_type="module"),),
            ),
            param="hello",
            timeout=1000,
        )
    ]
    assert (reply["code"], reply["message"]) == (0, "success")
    assert reply["data"] == {
        "job_instance_name": "Test",
        "job_instance_id": 10000,
        "step_instance_id": 10001,
    }


def test_execute_platform_job(world: World) -> None:
    """Two businesses, a script step and a file step, groups merged with addresses."""
    _register(world)
    body = (SEEDS / "execute_platform_job.json").read_bytes()
    reply = envelope(world.http.post(f"{ESB_V2}/execute_platform_job/", content=body))
    root = AccountRef(alias="root")
    assert world.launch.commands == [
        ExecutePlatformJob(
            caller=USER,
            source_scope=Scope("biz", "1"),
            target_scope=Scope("biz", "2"),
            plan_id=1,
            steps=(
                StepOverride(
                    step_id=1,
                    script=ScriptRef(version_id=1),
                    param="hello",
                    timeout=1000,
                    account=root,
                    target=TWO_HOSTS,
                ),
                StepOverride(
                    step_id=2,
                    account=root,
                    target=TWO_HOSTS,
                    target_path="/tmp/[FILESRCIP]/",
                    sources=(SourceSpec(files=("/tmp/REGEX:[a-z]*.txt",), account=root, server=TWO_HOSTS),),
                ),
            ),
        )
    ]
    assert reply["data"] == {"job_instance_name": "Test", "job_instance_id": 10000}
