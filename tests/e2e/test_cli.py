"""The `adapter` command: what it registers, what it runs, and what it says to wrong use."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from ansible_runner.config.runner import RunnerConfig
from ansible_runner.runner import Runner

from tests.e2e.conftest import NewService
from tests.e2e.jobs import Jobs, wait_until
from tests.lab import Lab
from tests.support.service import Service

LOCAL = """
all:
  hosts:
    localhost: {ansible_connection: local, ansible_host: 127.0.0.1, bk_host_id: 1}
  vars: {ansible_python_interpreter: "{{ ansible_playbook_python }}"}
"""
ACCOUNT = 'scope: {type: biz, id: "1"}\naccounts: [{alias: root, account: root}]\n'


@pytest.fixture
def local(tmp_path: Path) -> Service:
    """A data directory and an inventory of this machine; the service does not run."""
    inventory = tmp_path / "hosts.yml"
    inventory.write_text(LOCAL)
    return Service(data_dir=tmp_path / "data", inventory=inventory)


def run(service: Service, *words: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    """A command that runs something, with the service's inventory."""
    return service.command(*words, "--inventory", str(service.inventory), check=check)


def test_what_is_registered_before_the_first_start_or_beside_it_counts_at_once(local: Service) -> None:
    """app, token and apply make the data directory; beside a running service it uses what they write."""
    first = local.new_credentials("first")
    assert "account" in local.apply(ACCOUNT)
    local.start()
    try:
        assert [item["alias"] for item in local.data("get_account_list", bk_biz_id=1)["data"]] == ["root"]
        local.apply(ACCOUNT.replace("root", "other"))
        aliases = [item["alias"] for item in local.data("get_account_list", bk_biz_id=1)["data"]]
        assert sorted(aliases) == ["other", "root"]
        path = "/api/c/compapi/v2/jobv3/get_account_list/"
        second = local.new_credentials("second", "--scope", "biz:1")
        assert local.post(path, {"bk_biz_id": 1}, second.in_header())["result"] is True
        assert local.post(path, {"bk_biz_id": 2}, second.in_header())["result"] is False
        local.command("app", "create", "first", "--rotate")
        assert local.post(path, {"bk_biz_id": 1}, first.in_header())["result"] is False
    finally:
        local.stop()


def test_healthz_says_what_is_missing(local: Service) -> None:
    """503 with the reason while the inventory cannot be read, 200 as soon as it can."""
    local.inventory.write_text("all: [")
    local.start(healthy=False)
    try:
        reply = httpx.get(f"{local.url}/healthz", trust_env=False)
        assert reply.status_code == 503
        assert reply.json() == {"status": "unavailable", "reason": "the inventory has not been read yet"}
        local.inventory.write_text(LOCAL)
        wait_until(local.is_healthy, "200")
        assert httpx.get(f"{local.url}/healthz", trust_env=False).json() == {"status": "ok"}
    finally:
        local.stop()


WRONG = {
    "unknown-inventory": (["serve", "--inventory", "{tmp}/none"], "there is no inventory at {tmp}/none"),
    "data-dir-below-a-file": (["serve", "--data-dir", "{tmp}/hosts.yml/data"], "cannot open {tmp}/hosts.yml"),
    "no-url": (["serve", "--database-url", "words"], "Could not parse SQLAlchemy URL"),
    "no-database": (["serve", "--database-url", "postgresql://127.0.0.1:1/x"], "Connection refused"),
    "port-in-use": (
        ["serve", "--port", "{port}"],
        "cannot listen on 127.0.0.1 port {port}: Address already in use",
    ),
    "bad-variable": (["artifacts", "--job", "1"], "ADAPTER_PORT='words' is no whole number"),
    "broken-yaml": (["apply", "-f", "{tmp}/broken.yml"], "{tmp}/broken.yml"),
    "broken-inventory": (
        ["script", "--file", "{tmp}/hosts.yml", "--target", "x", "--inventory", "{tmp}/broken.yml"],
        "Inventory {tmp}/broken.yml",
    ),
    "unknown-host": (["script", "--file", "{tmp}/hosts.yml", "--target", "x"], "'x' is no host"),
    "unknown-account": (
        ["script", "--file", "{tmp}/hosts.yml", "--target", "localhost", "--account", "x"],
        "Account [x] does not exist",
    ),
    "no-source": (["push", "--src", "a", "--dest", "/d", "--target", "localhost"], "'a' is neither HOST:/"),
    "unknown-plan": (["plan", "--id", "9"], "Job plan [9] does not exist"),
    "unknown-job": (["status", "--job", "9"], "Task instance [9] does not exist"),
    "unknown-app": (["token", "create", "--app", "x", "--user", "y"], "x"),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_use_is_one_clear_line(local: Service, tmp_path: Path, case: str) -> None:
    """What is wrong is said in one line, without a traceback; the exit code is not 0."""
    (tmp_path / "broken.yml").write_text("a: [b\n c: {")
    words, expected = WRONG[case]
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        given = {"tmp": str(tmp_path), "port": str(taken.getsockname()[1])}
        if case == "bad-variable":
            local.environment = {"ADAPTER_PORT": "words"}
        argv = [sys.executable, "-m", "adapter", *(word.format(**given) for word in words)]
        environment = {
            **os.environ,
            "ADAPTER_DATA_DIR": str(local.data_dir),
            "ADAPTER_INVENTORY": str(local.inventory),
            **local.environment,
        }
        done = subprocess.run(argv, capture_output=True, text=True, check=False, env=environment, timeout=60)
    assert done.returncode in (1, 2)
    said = [line for line in done.stderr.splitlines() if not line.startswith(("Usage:", "Try ", "created "))]
    (line,) = [line for line in said if line.strip()]
    assert expected.format(**given) in line


def test_a_database_of_a_newer_version_is_refused(local: Service) -> None:
    """After going back to an older version of the service: one line instead of a traceback."""
    local.apply(ACCOUNT)
    code = "import sqlite3, sys; sqlite3.connect(sys.argv[1], isolation_level=None).execute(sys.argv[2])"
    change = "UPDATE alembic_version SET version_num = 'ffff'"
    subprocess.run([sys.executable, "-c", code, str(local.data_dir / "adapter.db"), change], check=True)
    for words in (["status", "--job", "1"], ["serve", "--port", "0", "--inventory", str(local.inventory)]):
        done = local.command(*words, check=False)
        assert done.returncode == 1
        (line,) = done.stderr.splitlines()
        assert "ffff" in line


def test_jobs_without_a_service(local: Service, tmp_path: Path) -> None:
    """script, push and plan run by themselves; status, logs and artifacts tell of it; 1 is failure."""
    script = tmp_path / "say it.sh"
    script.write_text('for word in "$@"; do echo "<$word>"; done; exit 3\n')
    done = run(local, "script", "--file", str(script), "--target", "1", "--param", "'a  b' c", check=False)
    assert done.returncode == 1
    assert "      | <a  b>\n      | <c>\n" in done.stdout
    assert "job 1: say it.sh" in done.stderr
    assert "NON_ZERO_EXIT (104)  exit code 3" in local.command("status", "--job", "1").stdout
    assert "      | <a  b>\n" in local.command("logs", "--job", "1").stdout

    source, place = tmp_path / "with:colon", tmp_path / "place"
    source.write_text("bytes")
    pushed = run(local, "push", "--src", f"localhost:{source}", "--dest", str(place), "--target", "127.0.0.1")
    assert "with:colon  finished 100%" in pushed.stdout
    assert (place / "with:colon").read_text() == "bytes"

    task = "{language: 1, content: echo planned, account: root}"
    step = f"{{name: say, type: 1, target: {{host_id_list: [1]}}, script: {task}}}"
    local.apply(
        f'scope: {{type: biz, id: "2"}}\naccounts: [{{alias: root, account: root}}]\n'
        f"templates: [{{name: t, steps: [{step}], plans: [{{id: 5, name: p}}]}}]\n"
    )
    assert "      | planned" in run(local, "plan", "--id", "5").stdout
    events_are_readable(Path(local.command("artifacts", "--job", "3").stdout.split()[1]))


def events_are_readable(directory: Path) -> None:
    """ansible-runner's own classes read what a run left."""
    ident = next((directory / "artifacts").iterdir()).name
    config = RunnerConfig(private_data_dir=str(directory), playbook="step.yml", ident=ident)
    config.prepare()
    runner = Runner(config)
    names = [event["event"] for event in runner.events]
    assert names[0] == "playbook_on_start"
    assert names[-1] == "playbook_on_stats"
    assert list(runner.host_events("localhost"))
    assert runner.stats["ok"] == {"localhost": 1}


def test_jobs_beside_a_service_are_the_services(lab: Lab, fresh_service: NewService, tmp_path: Path) -> None:
    """The running service gets the job, and the API tells of it."""
    service, script = fresh_service(), tmp_path / "s.sh"
    script.write_text("echo beside")
    done = run(service, "script", "--file", str(script), "--target", "lab101,102")
    assert done.stdout.count("      | beside") == 2
    job_id = int(done.stderr.split("job ")[1].split(":")[0])
    assert service.status(1, job_id)["job_instance"]["status"] == 3
    assert service.command("logs", "--job", str(job_id)).stdout.count("      | beside") == 2


def test_ctrl_c_terminates_the_job(local: Service, tmp_path: Path) -> None:
    """SIGINT ends the job, not only the command; it says so and exits with 1."""
    script, mark = tmp_path / "s.sh", tmp_path / "mark"
    script.write_text(f"echo $$ > {mark}; sleep 60")
    words = ["script", "--file", str(script), "--target", "localhost", "--data-dir", str(local.data_dir)]
    process = subprocess.Popen(
        # Where the tests run in the background, SIGINT is ignored by whatever they start.
        ["env", "--default-signal=INT", sys.executable, "-m", "adapter", *words,
         "--inventory", str(local.inventory)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    wait_until(lambda: mark.exists() and mark.read_text().strip(), "the script")
    process.send_signal(signal.SIGINT)
    stdout, stderr = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "terminating the job" in stderr
    assert "STOPPED (11)" in stdout
    assert not Path(f"/proc/{mark.read_text().strip()}/cmdline").exists()


def test_serving_needs_no_option_at_all(local: Service) -> None:
    """With everything in the environment `adapter serve` runs a job."""
    local.environment = {
        "ADAPTER_PORT": "0", "ADAPTER_DATA_DIR": str(local.data_dir),
        "ADAPTER_INVENTORY": str(local.inventory), "ADAPTER_DEFAULT_BIZ": "1",
    }  # fmt: skip
    local.new_credentials()
    local.apply(ACCOUNT)
    local.start()
    try:
        Jobs(local).script("true", 1).succeeded()
    finally:
        local.stop()
