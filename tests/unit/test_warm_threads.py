"""Warm Ansible's workers that serve many hosts each: what runs do and say is what plain Ansible has."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from adapter.engine.warm import WarmAnsible
from tests.support.warm import environment, finished, runs_in, start

#: Says where it runs, and does as the host's variables tell it.
_WHERE = """
import json, os, threading, time
from pathlib import Path
from ansible.plugins.action import ActionBase

class ActionModule(ActionBase):
    def run(self, tmp=None, task_vars=None):
        result = super().run(tmp, task_vars)
        host, place = task_vars["inventory_hostname"], Path(task_vars["playbook_dir"])
        here = place / "now" / host
        here.touch()
        time.sleep(float(task_vars.get("seconds", 0)))
        answer = {"at_once": len(list(here.parent.iterdir())), "pid": os.getpid(), "args": self._task.args}
        (place / "answers" / host).write_text(json.dumps(answer))
        here.unlink()
        if task_vars.get("breaks") == "exit":
            raise SystemExit(3)
        if task_vars.get("breaks") == "error":
            raise ValueError("broken on purpose")
        return result
"""
_MINE = """
from ansible.plugins.connection.local import Connection as Local

DOCUMENTATION = "name: mine\\nshort_description: a connection of the inventory's own\\noptions: {}\\n"

class Connection(Local):
    transport = "mine"
"""
Answers = dict[str, dict[str, Any]]


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Path]:
    """A playbook's directory with an action and a connection of its own."""
    place = tmp_path / "play"
    for kind, name, text in (("action_plugins", "where", _WHERE), ("connection_plugins", "mine", _MINE)):
        (place / kind).mkdir(parents=True)
        (place / kind / f"{name}.py").write_text(text)
    for directory in ("now", "answers"):
        (place / directory).mkdir()
    yield place
    assert not list(Path("/dev/shm").glob(f"*{os.getpid()}*"))


def hosts(count: int, connection: str = "local", **variables: object) -> str:
    """Lines of an inventory."""
    more = "".join(f" {name}={value}" for name, value in variables.items())
    return "".join(
        f"{connection}{n} ansible_connection={connection} number={n}{more}\n" for n in range(count)
    )


def ran(warm: WarmAnsible, place: Path, inventory: str, task: str = "where: {}", forks: int = 20) -> Answers:
    """What each host answered; the run went well."""
    code, output = finished(start(warm, place, task, "-f", str(forks), inventory=inventory))
    assert code == 0, output
    return answers(place)


def answers(place: Path) -> Answers:
    """What each host answered."""
    return {path.name: json.loads(path.read_text()) for path in (place / "answers").iterdir()}


def recap(output: str) -> dict[str, str]:
    """What Ansible's last lines say of each host."""
    return dict(re.findall(r"^(\S+) +: (ok=.*\S)", output, re.MULTILINE))


def test_hosts_share_workers(warm: WarmAnsible, place: Path) -> None:
    """Every host is served once, with its own variables, by few processes that are no other run's."""
    task = '{"where": {"number": "{{ number }}", "name": "{{ inventory_hostname }}"}}'
    found = ran(warm, place, hosts(40), task)
    assert {name: answer["args"] for name, answer in found.items()} == {
        f"local{n}": {"number": n, "name": f"local{n}"} for n in range(40)
    }
    assert len({answer["pid"] for answer in found.values()}) <= 20
    assert max(Counter(answer["pid"] for answer in found.values()).values()) > 1
    assert warm.pid not in {answer["pid"] for answer in found.values()}


@pytest.mark.parametrize("forks", [1, 3, 8])
def test_no_more_hosts_at_once_than_forks(warm: WarmAnsible, place: Path, forks: int) -> None:
    """However they are served; and when one ends another begins."""
    mixed = hosts(9, seconds=0.1) + hosts(4, "mine", seconds=0.1)
    found = ran(warm, place, mixed, forks=forks)
    assert len(found) == 13
    assert max(answer["at_once"] for answer in found.values()) <= forks
    if forks > 1:
        assert max(answer["at_once"] for answer in found.values()) > 1


def test_other_connections_have_a_process_for_each_host(warm: WarmAnsible, place: Path) -> None:
    """Nobody knows what a plugin that came with an inventory keeps where all of a process sees it."""
    found = ran(warm, place, hosts(6, "mine") + hosts(6))
    pids = Counter(answer["pid"] for name, answer in found.items() if name.startswith("mine"))
    assert set(pids.values()) == {1}
    assert len(pids) == 6


def test_a_task_with_a_timeout_has_a_process_for_each_host(warm: WarmAnsible, place: Path) -> None:
    """The timeout is a signal, which only the first thread of a process can take."""
    process = start(warm, place, "{where: {}, timeout: 1}", inventory=hosts(3, seconds=30))
    code, output = finished(process)
    assert code == 2
    assert output.count("Timed out") == 3 or output.lower().count("timed out") >= 3, output


def test_results_are_those_of_plain_ansible(warm: WarmAnsible, place: Path) -> None:
    """Successes, failures, errors of a plugin and hosts that cannot be reached, by exit code and by host."""
    inventory = (
        hosts(5)
        + "broken ansible_connection=local breaks=error\n"
        + "away ansible_connection=ssh ansible_host=127.0.0.1 ansible_port=1\n"
        + "unknown ansible_connection=nothing\n"
    )
    task = '{"raw": "exit {{ number | default(0) }}"}'
    for each in (task, "where: {}"):
        warm_code, warm_output = finished(start(warm, place, each, "-f", "20", inventory=inventory))
        command = ["ansible-playbook", "-i", "inventory", "play.yml", "-f", "20"]
        plain = subprocess.run(
            command, cwd=place, env=environment(), capture_output=True, text=True, check=False
        )
        assert warm_code == plain.returncode
        assert recap(warm_output) == recap(plain.stdout)
        assert len(recap(warm_output)) == 8
        assert ("broken on purpose" in warm_output) is ("broken on purpose" in plain.stdout + plain.stderr)


@pytest.mark.parametrize("how", ["exit", "kill"])
def test_a_worker_that_is_lost_ends_the_run(warm: WarmAnsible, place: Path, how: str) -> None:
    """Its hosts will never answer: the run says so at once, and nobody waits for them."""
    inventory = (
        hosts(30, seconds=0.2)
        + f"last ansible_connection=local {'breaks=exit' if how == 'exit' else 'seconds=60'}\n"
    )
    process = start(warm, place, "where: {}", "-f", "10", inventory=inventory)
    if how == "kill":
        until = time.monotonic() + 20
        while not (place / "now" / "last").exists() and time.monotonic() < until:
            time.sleep(0.02)
        runs = runs_in(place)
        assert len(runs) >= 2
        os.kill(max(runs), signal.SIGKILL)
    code, output = finished(process)
    assert code not in (0, 2, 4), output
    assert "dead state" in output
