"""Private data directories, what of the service's environment a run sees, and real runs on this machine."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from adapter.ansible.inventory_text import inventory_text
from adapter.ansible.run_input import RunInput
from adapter.engine.leftovers import end_leftovers
from adapter.engine.private_data import PrivateData, run_environment
from adapter.engine.runner import PlaybookRun
from tests.support.processes import processes_with

INVENTORY = inventory_text(
    {
        name: {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}
        for name in ("one", "two")
    },
    {},
)


def play(*tasks: dict[str, Any], hosts: str = "all") -> dict[str, Any]:
    """A play of these tasks."""
    return {"name": "play", "hosts": hosts, "gather_facts": False, "tasks": list(tasks)}


def say(text: str) -> dict[str, Any]:
    """A task that prints."""
    return {"name": "say", "ansible.builtin.raw": f"echo {text}"}


@pytest.fixture
def data(tmp_path: Path) -> PrivateData:
    """A directory nobody has written yet."""
    return PrivateData(tmp_path / "1" / "2" / "0", tmp_path / "collections")


def written(data: PrivateData, *plays: dict[str, Any]) -> PrivateData:
    """With these plays as step.yml."""
    run = RunInput(
        inventory=INVENTORY,
        hosts=("here",),
        playbooks={"step.yml": list(plays)},
        files={"files/script": b"#!"},
    )
    data.write(run, data.path / "cp")
    return data


def events_of(run: PlaybookRun) -> list[dict[str, Any]]:
    """All events of a run that was started, once it is done with."""
    events = [event for batch in run.events(0.2) for event in batch]
    run.wait()
    return events


def test_the_directory_is_private_and_complete(data: PrivateData) -> None:
    """Files are only for their owner; written again they are the same."""
    for _ in range(2):
        written(data, play(say("hello")))
        files = {str(path.relative_to(data.path)) for path in data.path.rglob("*") if path.is_file()}
        assert files == {
            "inventory/hosts.yml", "project/step.yml", "project/files/script",
            "env/envvars", "env/cmdline", "env/settings",
        }  # fmt: skip
    for path in (data.path / name for name in files):
        assert path.stat().st_mode & 0o077 == 0, path
    assert (data.path / "project/files/script").read_bytes() == b"#!"


def test_every_attempt_has_an_ident_of_its_own(data: PrivateData) -> None:
    """The first free number, whatever the attempts before left."""
    assert data.next_ident("run") == "run-1"
    (data.path / "artifacts" / "run-1").mkdir(parents=True)
    assert (data.next_ident("run"), data.next_ident("stop")) == ("run-2", "stop-1")


def test_a_run_sees_nothing_of_the_services_environment_but_what_it_needs() -> None:
    """Keys and passwords of the service stay out; ansible-runner's own variables and Ansible's stay in."""
    service = {
        "PATH": "/bin", "HOME": "/root", "LC_ALL": "C", "ANSIBLE_NOCOWS": "1", "TZ": "UTC",
        "AWS_SECRET_ACCESS_KEY": "s", "ADAPTER_DATABASE_URL": "postgresql://u:p@h/d", "MY_PASSWORD": "p",
        "ANSIBLE_GALAXY_SERVER_X_TOKEN": "t", "ANSIBLE_VAULT_PASSWORD_FILE": "/etc/vault",
    }  # fmt: skip
    prepared = {**service, "RUNNER_OMIT_EVENTS": "False", "MADE": "by ansible-runner", "TZ": "CET"}
    seen = run_environment(prepared, service)
    assert not {"AWS_SECRET_ACCESS_KEY", "ADAPTER_DATABASE_URL", "MY_PASSWORD"} & set(seen)
    assert "ANSIBLE_GALAXY_SERVER_X_TOKEN" not in seen, "it would stand in the artifact"
    assert seen["ANSIBLE_VAULT_PASSWORD_FILE"] == "/etc/vault"
    assert seen["MADE"] == "by ansible-runner"
    assert seen["TZ"] == "CET"
    assert {"HOME", "LC_ALL", "ANSIBLE_NOCOWS", "RUNNER_OMIT_EVENTS"} <= set(seen)
    assert seen["PATH"] == f"{Path(sys.executable).parent}:/bin"


def test_a_run_yields_its_events_and_its_outcome(data: PrivateData, monkeypatch: pytest.MonkeyPatch) -> None:
    """In order, to the end; nothing secret of the service is in what the run leaves."""
    monkeypatch.setenv("SOME_SECRET", "hunter2-hunter2")
    run = PlaybookRun(written(data, play(say("hello"))), "step.yml", "run", {"EXTRA": "1"}).start()
    events = events_of(run)
    assert [event["counter"] for event in events] == list(range(1, len(events) + 1))
    told = {event["event_data"]["host"] for event in events if event["event"] == "runner_on_ok"}
    assert told == {"one", "two"}
    assert run.outcome is not None
    assert (run.outcome.status, run.outcome.rc, run.outcome.problem) == ("successful", 0, "")
    left = [path for path in data.path.rglob("*") if path.is_file()]
    assert not [path for path in left if b"hunter2" in path.read_bytes()]


def test_failing_hosts_are_no_problem_of_the_run(data: PrivateData) -> None:
    """Their events tell; exit code 2 is Ansible's for that."""
    run = PlaybookRun(
        written(data, play({"name": "f", "ansible.builtin.raw": "false"})), "step.yml", "run", {}
    )
    events = events_of(run.start())
    assert sum(event["event"] == "runner_on_failed" for event in events) == 2
    assert run.outcome is not None
    assert (run.outcome.rc, run.outcome.problem) == (2, "")


@pytest.mark.parametrize(
    ("playbook", "word"),
    [("none.yml", "none.yml"), ("step.yml", "no_such_module")],
    ids=["missing", "broken"],
)
def test_a_run_that_breaks_says_why(data: PrivateData, playbook: str, word: str) -> None:
    """The reader gets an end and a reason, never an endless wait."""
    written(data, play({"name": "bad", "no_such_module": {}}))
    run = PlaybookRun(data, playbook, "run", {}).start()
    events_of(run)
    assert run.outcome is not None
    assert run.outcome.status == "failed"
    assert word in run.outcome.problem


def test_an_error_in_the_library_is_an_outcome_too(tmp_path: Path) -> None:
    """ansible-runner raises where no directory can be; the thread does not die silently."""
    (tmp_path / "file").touch()
    run = PlaybookRun(PrivateData(tmp_path / "file" / "data", tmp_path), "step.yml", "run", {}).start()
    assert events_of(run) == []
    assert run.outcome is not None
    assert run.outcome.status == "error"
    assert run.outcome.problem.startswith("ansible-runner failed: ")


def test_a_cancelled_run_ends_soon(data: PrivateData) -> None:
    """Whatever the task; its outcome says "canceled"."""
    run = PlaybookRun(written(data, play(say("x; exec sleep 30"))), "step.yml", "run", {}).start()
    time.sleep(1.5)
    run.cancel()
    began = time.monotonic()
    events_of(run)
    assert time.monotonic() - began < 15
    assert run.outcome is not None
    assert run.outcome.status == "canceled"
    end_leftovers(data.path)


def test_a_run_that_somebody_kills_was_killed(data: PrivateData) -> None:
    """Which is no word of Ansible's about what it was to do."""
    of_service = {"ADAPTER_SPOOL": str(data.spool)}
    run = PlaybookRun(written(data, play(say("x; exec sleep 8"))), "step.yml", "run", of_service).start()
    until = time.monotonic() + 20
    while not (found := plays_on(data.path)) and time.monotonic() < until:
        time.sleep(0.05)
    os.kill(min(found), 9)
    events_of(run)
    assert run.outcome is not None
    assert (run.outcome.was_killed, run.outcome.problem) == (True, "ansible-playbook was killed")
    end_leftovers(data.path)


def plays_on(directory: Path) -> list[int]:
    """Processes of ansible-playbook over a directory."""
    return processes_with(b"/ansible-playbook", os.fsencode(directory))


@pytest.fixture
def ansible(data: PrivateData) -> Iterator[subprocess.Popen[bytes]]:
    """An ansible-playbook over the directory, as a killed service leaves it."""
    written(data, play(say("x; exec sleep 47.5")))
    argv = [str(Path(sys.executable).parent / "ansible-playbook"), "-i", str(data.path / "inventory")]
    environment = {**os.environ, "ADAPTER_SPOOL": str(data.spool)}
    process = subprocess.Popen(
        [*argv, str(data.path / "project/step.yml")], env=environment,
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    yield process
    end_leftovers(data.path)
    process.wait()
    for pid in sleeping("47.5"):
        os.kill(pid, 9)


def sleeping(seconds: str) -> list[int]:
    """Processes that sleep that long."""
    return processes_with(f"sleep\0{seconds}\0".encode())


def test_leftovers_are_ended_and_what_they_run_here_is_not(
    data: PrivateData, ansible: subprocess.Popen[bytes], tmp_path: Path
) -> None:
    """ansible-playbook and its workers go, a script on this machine goes on; other directories are not touched."""
    until = time.monotonic() + 20
    while len(sleeping("47.5")) < 2:
        assert time.monotonic() < until
        time.sleep(0.05)
    assert end_leftovers(tmp_path / "another") == 0
    assert ansible.poll() is None
    assert end_leftovers(data.path) >= 3  # itself and a worker for each host
    assert ansible.wait(5) == -9
    assert end_leftovers(data.path) == 0
    assert len(sleeping("47.5")) == 2


def test_settings_of_a_run_are_readable_json(data: PrivateData) -> None:
    """ansible-runner's tools read env/ too; an idle run is not ended by them."""
    written(data, play(say("hello")))
    assert json.loads((data.path / "env/settings").read_text())["idle_timeout"] == 0
    environment = json.loads((data.path / "env/envvars").read_text())
    assert environment["ANSIBLE_COLLECTIONS_PATH"].endswith("/collections")
