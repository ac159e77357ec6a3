"""Warm Ansible, with the real server, the real client and real runs."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from adapter.engine.warm import WarmAnsible
from tests.support.processes import processes_with
from tests.support.warm import environment, finished, runs_in, start, wait_ready


def test_a_warm_run_is_a_run(warm: WarmAnsible, tmp_path: Path) -> None:
    """Its arguments, directory, environment, output and exit code are those of the plain program."""
    code, output = finished(start(warm, tmp_path, "raw: 'echo $MARK $(pwd); exit 3'", MARK="warm-mark"))
    assert (code, "warm-mark" in output, str(tmp_path) in output) == (2, True, True)
    assert finished(start(warm, tmp_path, "raw: 'true'"))[0] == 0
    assert finished(start(warm, tmp_path, "no_such_module: x"))[0] == 4


def test_it_is_the_server_that_runs(warm: WarmAnsible, tmp_path: Path) -> None:
    """The process that runs the play is the server's child: otherwise nothing would be warm."""
    code, output = finished(start(warm, tmp_path, "raw: 'cat /proc/$PPID/cmdline'"))
    assert code == 0
    process = start(warm, tmp_path, "raw: 'sleep 2'")
    until = time.monotonic() + 10
    children = ""
    while not children and time.monotonic() < until:
        children = Path(f"/proc/{warm.pid}/task/{warm.pid}/children").read_text()
        time.sleep(0.01)
    assert children, output
    assert finished(process)[0] == 0


def test_a_client_that_is_killed_takes_its_run_along(warm: WarmAnsible, tmp_path: Path) -> None:
    """What ansible-runner does to cancel: neither the run nor its workers are left; what they started goes on."""
    process = start(warm, tmp_path, "raw: 'sleep 4.1234'")
    until = time.monotonic() + 20
    while not processes_with(b"sleep\x004.1234") and time.monotonic() < until:
        time.sleep(0.05)
    assert len(runs_in(tmp_path)) >= 2, "the run and its worker"
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    until = time.monotonic() + 5
    while runs_in(tmp_path) and time.monotonic() < until:
        time.sleep(0.05)
    assert runs_in(tmp_path) == []
    assert processes_with(b"sleep\x004.1234"), "a job's script on this machine must not die with Ansible"
    process.communicate()  # until the script lets go of the output


@pytest.mark.parametrize("whole_server", [False, True], ids=["run", "server"])
def test_a_run_that_is_killed_has_no_exit_code(
    warm: WarmAnsible, tmp_path: Path, *, whole_server: bool
) -> None:
    """As a plain ansible-playbook that is killed: an exit code would be its own word."""
    process = start(warm, tmp_path, "raw: 'sleep 2.1234'")
    until = time.monotonic() + 20
    while not (runs := runs_in(tmp_path)) and time.monotonic() < until:
        time.sleep(0.05)
    assert warm.pid is not None
    os.kill(warm.pid if whole_server else min(runs), signal.SIGKILL)
    assert finished(process)[0] == -signal.SIGKILL


def test_runs_go_on_without_the_server(warm: WarmAnsible, tmp_path: Path) -> None:
    """Killed, it is replaced; meanwhile, and when it hangs, the plain program runs."""
    assert warm.pid is not None
    os.kill(warm.pid, signal.SIGSTOP)
    hung = start(warm, tmp_path, "raw: 'true'")
    assert finished(hung)[0] == 0
    os.kill(warm.pid, signal.SIGKILL)
    until = time.monotonic() + 5
    while "ADAPTER_WARM" in warm.environment(environment()) and time.monotonic() < until:
        time.sleep(0.01)
    assert finished(start(warm, tmp_path, "raw: 'true'"))[0] == 0
    wait_ready(warm, environment())
    assert finished(start(warm, tmp_path, "raw: 'true'"))[0] == 0


def test_another_configuration_gets_another_server(warm: WarmAnsible, tmp_path: Path) -> None:
    """Ansible reads its configuration once; a run must not get another's."""
    config = tmp_path / "ansible.cfg"
    config.write_text("[defaults]\nnocows = true\n")
    first = warm.pid
    wait_ready(warm, environment(ANSIBLE_CONFIG=str(config)))
    second = warm.pid
    assert second != first
    config.write_text("[defaults]\nnocows = false\n# longer\n")
    assert "ADAPTER_WARM" not in warm.environment(environment(ANSIBLE_CONFIG=str(config)))


def test_it_ends_with_its_owner(warm: WarmAnsible) -> None:
    """No server is left behind."""
    pid = warm.pid
    warm.stop()
    assert not Path(f"/proc/{pid}").exists()
