"""A plan's variables in texts, and from step to step."""

from __future__ import annotations

from dataclasses import replace

import pytest

from adapter.job.model import (
    FileSource,
    FileTask,
    Host,
    HostResult,
    JobInstance,
    JobVariable,
    Scope,
    ScriptTask,
    StepInstance,
)
from adapter.job.status import HostStatus, StepType
from adapter.job.variables import (
    CapturedValue,
    StepVariables,
    imported_names,
    names_in,
    step_before,
    substitute,
    taken_over,
)

ONE = Host(bk_host_id=1, bk_cloud_id=0, ip="10.0.0.1", name="one")
TWO = Host(bk_host_id=2, bk_cloud_id=3, ip="10.0.0.2", name="two")
VARIABLES = (
    JobVariable(name="FIX", type=1, value="fix"),
    JobVariable(name="CH", type=1, value="old", changeable=True),
    JobVariable(name="NS", type=2, value="default"),
    JobVariable(name="WHERE", type=3, value="0:10.0.0.9"),
    JobVariable(name="PASS", type=4, value="hush"),
    JobVariable(name="MAP", type=5, value="", changeable=True),
    JobVariable(name="LIST", type=6, value="(a)", changeable=True),
    JobVariable(name="CONST", type=6, value="(a)"),
)


def left(name: str, value: str, host: Host | None = None) -> CapturedValue:
    label = host.label if host else ""
    return CapturedValue(bk_host_id=host.bk_host_id if host else None, name=name, value=value, label=label)


def result(host: Host, status: HostStatus = HostStatus.SUCCESS, exit_code: int = 0) -> HostResult:
    return HostResult(host=host, status=status, exit_code=exit_code)


def test_unknown_names_are_kept() -> None:
    """And what a value brings in is not looked at again."""
    assert substitute("${A}/${B}-$A-${A", {"A": "${B}", "C": "x"}) == "${B}/${B}-$A-${A"
    assert names_in("${A}/${B}-$C") == {"A", "B"}


@pytest.mark.parametrize(
    ("line", "names"),
    [
        ("# job_import {{A_1}}", ("A_1",)),
        ("#  \tjob_import   {{A}} and more", ("A",)),
        ("echo\n# job_import {{A}}\n# job_import {{B}}\n# job_import {{A}}", ("A", "B")),
        (" # job_import {{A}}", ()),
        ("#job_import {{A}}", ()),
        ("# job_import {{ A }}", ()),
        ("# job_import {A}", ()),
        ("# job_import {{A-B}}", ()),
        ("echo # job_import {{A}}", ()),
    ],
)
def test_imports(line: str, names: tuple[str, ...]) -> None:
    """At a line's start, with a blank after #, without blanks within."""
    assert imported_names(line) == names


def test_what_scripts_left_stands_over_the_launch_s_values() -> None:
    """The later the more it counts; hosts have namespaces of their own."""
    now = StepVariables.after(
        VARIABLES,
        [left("CH", "first"), left("NS", "n1", ONE), left("CH", "second"), left("NS", "n2", TWO)],
    )
    assert now.text("${CH} ${FIX} ${PASS} ${NS} ${WHERE}") == "second fix hush ${NS} ${WHERE}"
    assert now.path("/${CH}/${PASS}") == "/second/${PASS}"
    assert now.hosts == {1: {"NS": "n1"}, 2: {"NS": "n2"}}
    assert [each.name for each in now.captured] == ["CH", "NS", "MAP", "LIST"]


def test_a_step_s_texts() -> None:
    """Param and paths; a sensitive parameter is not touched."""
    now = StepVariables.after(VARIABLES, [left("CH", "a\nb ${FIX}")])
    task = ScriptTask(language=1, content="$CH", param="${CH}!")
    script = now.resolved(StepInstance(script=task)).script
    assert script == replace(task, param="a b ${FIX}!")
    hidden = StepInstance(script=replace(task, param_sensitive=True, param="******"))
    assert now.resolved(hidden) == hidden
    source = FileSource(files=("/${FIX}",), account_id=1, hosts=(ONE,))
    file = FileTask(sources=(source,), target_path="/t/${FIX}${NO}", account_id=1)
    resolved = now.resolved(StepInstance(file=file)).file
    assert resolved is not None
    assert (resolved.target_path, resolved.sources[0].files) == ("/t/fix${NO}", ("/fix",))


def test_what_a_script_imports() -> None:
    """Hosts of the step before, namespaces, host variables; the unknown is left out."""
    now = StepVariables.after(VARIABLES, [left("NS", 'ü"', TWO), left("NS", "1", ONE)])
    last = [result(ONE), result(TWO, HostStatus.NON_ZERO_EXIT, 1)]
    names = "JOB_LAST_ALL JOB_LAST_SUCCESS JOB_LAST_FAIL JOB_NAMESPACE_ALL JOB_NAMESPACE_NS JOB_NAMESPACE_NO WHERE"
    script = "".join(
        f"# job_import {{{{{name}}}}}\n" for name in [*names.split(), "NO", "FIX", "job_last_all"]
    )
    assert now.imports(script, last) == {
        "JOB_LAST_ALL": "0:10.0.0.1,3:10.0.0.2",
        "JOB_LAST_SUCCESS": "0:10.0.0.1",
        "JOB_LAST_FAIL": "3:10.0.0.2",
        "JOB_NAMESPACE_ALL": '{"NS":{"3:10.0.0.2":"ü\\"","0:10.0.0.1":"1"}}',
        "JOB_NAMESPACE_NS": '{"3:10.0.0.2":"ü\\"","0:10.0.0.1":"1"}',
        "JOB_NAMESPACE_NO": "{}",
        "WHERE": "0:10.0.0.9",
    }
    first = StepVariables.after(VARIABLES, [])
    assert first.imports(script, []) == {
        **dict.fromkeys(["JOB_LAST_ALL", "JOB_LAST_SUCCESS", "JOB_LAST_FAIL"], ""),
        **dict.fromkeys(["JOB_NAMESPACE_ALL", "JOB_NAMESPACE_NS", "JOB_NAMESPACE_NO"], "{}"),
        "WHERE": "0:10.0.0.9",
    }


FOUND = {
    "CH": "new",
    "NS": "mine",
    "FIX": "never",
    "PASS": "never",
    "MAP": [["k'", "v"], ["a", "b\n"]],
    "LIST": [["10", "z"], ["9", "y"]],
}


def test_what_is_taken_over() -> None:
    """Only what may change; arrays as texts; of a script that failed only what is the host's own."""
    wanted = StepVariables.after(VARIABLES, []).captured
    kept = {item.name: (item.bk_host_id, item.value) for item in taken_over(wanted, FOUND, result(TWO), 5)}
    assert kept == {
        "CH": (None, "new"),
        "NS": (2, "mine"),
        "MAP": (None, "(['a']='b\n' ['k'\\''']='v')"),
        "LIST": (None, "(['9']='y' ['10']='z')"),
    }
    failed = taken_over(wanted, FOUND, result(TWO, HostStatus.NON_ZERO_EXIT, 1), 5)
    assert [(item.name, item.host_order) for item in failed] == [("NS", 5)]


def test_a_host_cannot_say_what_it_likes() -> None:
    """Values of another kind, and places that are none, are not taken."""
    wanted = StepVariables.after(VARIABLES, []).captured
    said = {"CH": [["a", "b"]], "NS": [], "MAP": "text", "LIST": [["x", "y"]], "OTHER": "x"}
    assert taken_over(wanted, said, result(ONE), 0) == []


def test_the_step_before() -> None:
    """The last that executes something."""
    kinds = [StepType.SCRIPT, StepType.APPROVAL, StepType.FILE, StepType.SCRIPT]
    steps = tuple(StepInstance(id=order + 1, order=order, type=kind) for order, kind in enumerate(kinds))
    job = JobInstance(scope=Scope("biz", "2"), steps=steps)
    before = [step_before(job, step) for step in steps]
    assert [step and step.id for step in before] == [None, 1, 1, 3]
