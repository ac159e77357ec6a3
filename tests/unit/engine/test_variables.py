"""What a run of a plan's step is given of its variables, and where their values are."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from adapter.engine.preparation import STEP_PLAYBOOK, VARIABLES_FILE, PathUnusable
from adapter.engine.variables import variables_of
from adapter.job.model import (
    FileSource,
    FileTask,
    HostResult,
    JobInstance,
    JobVariable,
    ScriptTask,
    StepInstance,
)
from adapter.job.status import HostStatus, StepType
from adapter.job.variables import CapturedValue

from .conftest import ONE, SCOPE, TWO, Bench

SECRET = "s3cret"
VARIABLES = (
    JobVariable(name="A", type=1, value="{{ a }}", changeable=True),
    JobVariable(name="N", type=2, value="default"),
    JobVariable(name="H", type=3, value="0:127.0.0.9"),
    JobVariable(name="P", type=4, value=SECRET),
    JobVariable(name="M", type=5, value="(['k']='v')"),
    JobVariable(name="L", type=6, value="(a b)"),
)
SCRIPT = "# job_import {{JOB_LAST_FAIL}}\n# job_import {{H}}\n"


def job_of(bench: Bench, *tasks: ScriptTask | FileTask, step_id: int = 5) -> JobInstance:
    """A plan's job."""
    account = bench.accounts.create(SCOPE, alias=f"me{step_id}", account="me", operator="", now_ms=1).id
    steps = tuple(
        StepInstance(
            order=order,
            step_id=step_id,
            type=StepType.SCRIPT if isinstance(task, ScriptTask) else StepType.FILE,
            script=replace(task, account_id=account) if isinstance(task, ScriptTask) else None,
            file=replace(task, account_id=account) if isinstance(task, FileTask) else None,
            create_time=1,
        )
        for order, task in enumerate(tasks)
    )
    job = JobInstance(scope=SCOPE, steps=steps, create_time=1)
    return bench.jobs.add(job, [(ONE, TWO)] * len(steps), VARIABLES if step_id > 0 else ())


def given(bench: Bench, step: StepInstance) -> tuple[dict[str, Any] | None, dict[str, Any], Any]:
    """The file of variables, the play's arguments, the whole input."""
    run = bench.preparation().run_input(step, [ONE, TWO], variables_of(bench.jobs, step))
    file = run.files.get(VARIABLES_FILE)
    (task,) = run.playbooks[STEP_PLAYBOOK][0]["tasks"]
    return None if file is None else json.loads(file), task["adapter.job.script"], run


def test_a_script_is_given_them_in_a_file_and_secrets_by_name(bench: Bench) -> None:
    """What the step before left, hosts' own in the inventory, imports as strings."""
    job = job_of(
        bench, ScriptTask(language=1, content=""), ScriptTask(language=1, content=SCRIPT, param="${A}")
    )
    first, second = job.steps
    failed = HostResult(host=TWO, status=HostStatus.NON_ZERO_EXIT, exit_code=1)
    good = HostResult(host=ONE, status=HostStatus.SUCCESS, exit_code=0)
    left = [
        CapturedValue(bk_host_id=None, name="A", value="new"),
        CapturedValue(bk_host_id=2, name="N", value="{{ mine }}", host_order=1),
    ]
    bench.jobs.save_hosts(first.id, 0, [good, failed], captured=left)
    for _ in range(2):
        file, arguments, run = given(bench, second)
        assert file == {
            "variables": [
                {"name": "A", "type": 1, "value": "new"},
                {"name": "N", "type": 2, "value": "default"},
                {"name": "P", "type": 4, "secret": "variable-P-value"},
                {"name": "M", "type": 5, "items": [["k", "v"]]},
                {"name": "L", "type": 6, "items": [["0", "a"], ["1", "b"]]},
                {"name": "JOB_LAST_FAIL", "type": 1, "value": "0:127.0.0.2"},
                {"name": "H", "type": 1, "value": "0:127.0.0.9"},
            ],
            "capture": ["A", "N"],
        }
        assert (arguments["variables"], arguments["param"]) == (VARIABLES_FILE, "new")
        assert '"job_namespace": {"N": {"__ansible_unsafe": "{{ mine }}"}}' in run.inventory.whole
        assert run.secrets["variable-P-value"] == SECRET
        assert SECRET not in f"{run.files}{run.playbooks}{run.inventory.whole}"
        # What the step itself has left by now is nothing to its next execution.
        bench.jobs.save_hosts(second.id, 0, [good], captured=[replace(left[0], value="later")])
        second = replace(second, execute_count=1)


def test_a_sensitive_parameter_has_its_variables_too(bench: Bench) -> None:
    """It goes over the secret socket."""
    (step,) = job_of(bench, ScriptTask(language=1, content="", param="-p ${P}", param_sensitive=True)).steps
    _, arguments, run = given(bench, step)
    assert (run.secrets["param"], "param" in arguments) == (f"-p {SECRET}", False)


def test_others_are_given_none(bench: Bench) -> None:
    """Scripts of other languages have their parameters replaced; fast tasks not even that."""
    (python,) = job_of(bench, ScriptTask(language=4, content=SCRIPT, param="${A}")).steps
    file, arguments, run = given(bench, python)
    assert (file, "variables" in arguments, arguments["param"]) == (None, False, "{{ a }}")
    assert "variable-P-value" not in run.secrets
    (fast,) = job_of(bench, ScriptTask(language=1, content=SCRIPT, param="${A}"), step_id=-1).steps
    file, arguments, _ = given(bench, fast)
    assert (file, "variables" in arguments, arguments["param"]) == (None, False, "${A}")
    assert variables_of(bench.jobs, fast) is None


@pytest.mark.parametrize("place", ["target", "source"])
@pytest.mark.parametrize("value", ["relative", "", "/a\nb", "C:\\x"])
def test_a_path_that_is_none_any_more_does_not_run(bench: Bench, place: str, value: str) -> None:
    """It would be written wherever the connection happens to begin."""
    paths = {"target": "/t", "source": "/s", place: "${A}"}
    source = FileSource(files=(paths["source"],), account_id=1, hosts=(ONE,))
    (step,) = job_of(bench, FileTask(sources=(source,), target_path=paths["target"], account_id=1)).steps
    variables = variables_of(bench.jobs, step)
    assert variables is not None
    said = replace(variables, variables=(JobVariable(name="A", type=1, value=value),))
    with pytest.raises(PathUnusable):
        bench.preparation().run_input(said.resolved(step), [ONE], said)
