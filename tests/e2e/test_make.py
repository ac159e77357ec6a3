"""The make targets that run jobs: what is given to them is data, whatever is in it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
VENV = Path(sys.executable).parent.parent
#: Printed by the script, one line for each of its arguments.
ECHO = 'for word in "$@"; do echo "<$word>"; done\n'
#: As words of the script's command line, and what the script gets.
WORDS = {
    """'a  b' c""": ["a  b", "c"],
    r"""'it'\''s' "\"" """: ["it's", '"'],
    """'#' ';' '&' '|' '%' '*' '\\'""": ["#", ";", "&", "|", "%", "*", "\\"],
}
EXPANDED = {
    "'$(shell touch {mark})' '$(touch {mark})' '$HOME' '$$' '`touch {mark}`'": [
        "$(shell touch {mark})", "$(touch {mark})", "$HOME", "$$", "`touch {mark}`",
    ],
}  # fmt: skip


class Make:
    """Runs targets with a data directory of its own."""

    def __init__(self, directory: Path) -> None:
        self.data_dir = directory / "data"

    def __call__(self, target: str, *, check: bool = True, **values: str) -> str:
        """What `make TARGET NAME=value …` printed."""
        return self.run(target, typed=values, check=check)

    def run(
        self,
        target: str,
        *,
        typed: Mapping[str, str] | None = None,
        environment: Mapping[str, str] | None = None,
        check: bool = True,
    ) -> str:
        """With values after the target or in the environment. What `make setup` makes is there: it is not made."""
        argv = ["make", "-s", "-C", str(REPOSITORY), "-o", str(VENV / ".installed"), f"VENV={VENV}", target]
        argv += [f"{name}={value}" for name, value in (typed or {}).items()]
        clean = {
            name: value for name, value in os.environ.items() if not name.startswith(("ADAPTER_", "MAKE"))
        }
        clean |= {"DATA_DIR": str(self.data_dir), **(environment or {})}
        done = subprocess.run(argv, capture_output=True, text=True, check=False, env=clean, timeout=120)
        assert (done.returncode == 0) is check, done.stderr
        return done.stdout + done.stderr


@pytest.fixture(scope="module")
def make(tmp_path_factory: pytest.TempPathFactory) -> Make:
    """One data directory for the module: nothing runs between the targets."""
    return Make(tmp_path_factory.mktemp("make"))


@pytest.fixture
def script(tmp_path: Path) -> Path:
    """A script whose name is as hostile as its parameters."""
    path = tmp_path / """it's "a" `b` ; #c.sh"""
    path.write_text(ECHO)
    return path


def test_help_lists_every_target(make: Make) -> None:
    """All that a person may type, each with a line on it."""
    text = (REPOSITORY / "Makefile").read_text()
    targets = text.split(".PHONY:")[1].splitlines()[0].split()
    lines = {line.split()[1]: line.split()[2:] for line in make("help").splitlines() if line}
    assert sorted(lines) == sorted(targets)
    assert all(lines.values())


@pytest.mark.parametrize("words", WORDS)
def test_hostile_words_are_data(make: Make, script: Path, words: str) -> None:
    """Quotes, blanks and what shells and make give meaning reach the script as they were typed."""
    said = make("script", FILE=str(script), TARGET="localhost", PARAM=words)
    assert [line.strip("| ") for line in said.splitlines() if "| <" in line] == [
        f"<{word}>" for word in WORDS[words]
    ]
    assert script.name in said


@pytest.mark.parametrize("typed", [False, True], ids=["environment", "command-line"])
def test_nothing_in_a_value_is_executed(make: Make, tmp_path: Path, typed: bool) -> None:
    """Neither make nor a shell expands $(…), $X or backquotes of FILE and PARAM."""
    mark = tmp_path / "mark"
    script = tmp_path / "$(shell id) `id` $HOME.sh"
    script.write_text(ECHO)
    ((words, expected),) = EXPANDED.items()
    values = {"FILE": str(script), "TARGET": "localhost", "PARAM": words.format(mark=mark)}
    said = make.run("script", typed=values if typed else {}, environment={} if typed else values)
    assert not mark.exists()
    for word in expected:
        assert f"| <{word.format(mark=mark)}>" in said


def test_a_job_can_be_looked_at_afterwards(make: Make, script: Path) -> None:
    """script, status, logs and artifacts; the artifact is run again by the command that is printed."""
    said = make("script", FILE=str(script), TARGET="localhost", PARAM="one")
    job = said.split("job ")[1].split(":")[0].split()[0]
    assert "SUCCESS (3)" in make("status", JOB=job)
    assert "| <one>" in make("logs", JOB=job)
    told = make("artifacts", JOB=job)
    again = told.partition("again: ")[2].strip()
    assert again, told
    done = subprocess.run(["sh", "-c", again], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "ok=1" in done.stdout
    assert "does not exist" in make("status", JOB="99999", check=False)
    make("logs", JOB="$(id)", check=False)


def test_a_failing_script_fails_make(make: Make, tmp_path: Path) -> None:
    """So that make can stand in a pipeline."""
    failing = tmp_path / "fail.sh"
    failing.write_text("echo before; exit 7\n")
    assert "exit code 7" in make("script", FILE=str(failing), TARGET="localhost", check=False)


def test_push_copies_a_file_and_a_directory(make: Make, tmp_path: Path) -> None:
    """SRC may have blanks and quotes; a directory ends with /."""
    source = tmp_path / "it's a dir"
    source.mkdir()
    (source / "a file").write_text("bytes")
    place = tmp_path / "place"
    make("push", SRC=f"{source}/a file", DEST=f"{place}/", TARGET="localhost")
    make("push", SRC=f"{source}/", DEST=f"{place}/", TARGET="localhost")
    assert (place / "a file").read_text() == "bytes"
    assert (place / "it's a dir" / "a file").read_text() == "bytes"


def test_plan_runs_a_stored_plan(make: Make, tmp_path: Path) -> None:
    """What `adapter apply` stored is run by its id."""
    task = "{language: 1, content: echo planned, account: root}"
    step = f"{{name: say, type: 1, target: {{host_id_list: [1]}}, script: {task}}}"
    catalog = tmp_path / "catalog.yml"
    catalog.write_text(
        'scope: {type: biz, id: "2"}\naccounts: [{alias: root, account: root}]\n'
        f"templates: [{{name: t, steps: [{step}], plans: [{{id: 6, name: p}}]}}]\n"
    )
    argv = [sys.executable, "-m", "adapter", "apply", "-f", str(catalog), "--data-dir", str(make.data_dir)]
    subprocess.run(argv, check=True, capture_output=True, timeout=60)
    assert "| planned" in make("plan", ID="6")
    assert "does not exist" in make("plan", ID="999", check=False)
