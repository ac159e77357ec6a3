"""What other tests stand on: hosts that differ, an inventory that is Ansible's, and nothing of it stays."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import asyncssh
import pytest

from tests.lab import Lab, LabError, LabHost, attach, start_lab, take_down
from tests.lab.model import LabState
from tests.lab.namespaces import why_not
from tests.lab.network import bridge_name

REPOSITORY = Path(__file__).parents[2]
REASON = why_not()
isolated = pytest.mark.skipif(REASON is not None, reason=f"no namespaces here: {REASON}")


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    """Four hosts made of namespaces."""
    with start_lab(4, kind="namespaces") as running:
        yield running


@pytest.fixture(scope="module")
def simple_lab() -> Iterator[Lab]:
    """Two hosts of the kind that needs nothing but Python."""
    with start_lab(2, kind="asyncssh") as running:
        yield running


def ssh(lab: Lab, host: LabHost, command: str, user: str = "root") -> subprocess.CompletedProcess[str]:
    """Runs a command with the system's ssh, knowing only what the lab's directory holds."""
    options = ["-F", "none", "-o", "BatchMode=yes", "-o", "ConnectTimeout=2", "-o", "IdentitiesOnly=yes"]
    files = ["-o", f"UserKnownHostsFile={lab.known_hosts}", "-i", str(lab.private_key), "-p", str(host.port)]
    argv = ["ssh", *options, *files, f"{user}@{host.ip}", command]
    return subprocess.run(argv, capture_output=True, text=True, check=False, timeout=20)


def ssh_with_password(lab: Lab, host: LabHost, password: str) -> str:
    """Logs in as ops and says what `id -un` says."""

    async def run() -> str:
        async with asyncssh.connect(
            host.ip, host.port, username="ops", password=password, client_keys=None, config=None,
            known_hosts=str(lab.known_hosts),
        ) as connection:  # fmt: skip
            return str((await connection.run("id -un")).stdout).strip()

    return asyncio.run(run())


def ansible(lab: Lab, *arguments: str, program: str = "ansible") -> subprocess.CompletedProcess[str]:
    """Runs an Ansible program over the lab's inventory, leaving no connection open behind it."""
    environment = {**os.environ, "ANSIBLE_SSH_ARGS": "-o ControlMaster=no", "ANSIBLE_LOCALHOST_WARNING": "0"}
    argv = [sys.executable, "-m", f"ansible.cli.{program}", "-i", str(lab.inventory), *arguments]
    return subprocess.run(argv, capture_output=True, text=True, check=False, timeout=60, env=environment)


def wait_until(condition: Callable[[], bool], timeout: float = 10) -> None:
    """Returns when it holds; fails when it doesn't in time."""
    deadline = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def running(pid: int | None) -> bool:
    """Whether a process is there and not a zombie."""
    try:
        return ") Z " not in Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False


def lab_state(directory: Path) -> LabState:
    """What the lab has written about itself."""
    state = LabState.read(directory)
    assert state
    return state


def assert_nothing_left(directory: Path, state: LabState) -> None:
    """No file, no process, no link, no mount of this lab is there."""
    assert not directory.exists() or not list(directory.iterdir())
    assert not [host.pid for host in state.hosts if running(host.pid)]
    assert not running(state.supervisor)
    assert str(directory) not in Path("/proc/self/mountinfo").read_text()
    links = subprocess.run(["ip", "-o", "link"], capture_output=True, text=True, check=True).stdout
    assert bridge_name(state.id) not in links


@isolated
def test_hosts_have_names_disks_and_process_trees_of_their_own(lab: Lab) -> None:
    """Over SSH each host is a machine of its own."""
    for host in lab.hosts:
        assert ssh(lab, host, "hostname; echo $$ > /tmp/mine; echo x > /etc/mine").stdout.strip() == host.name
    first, second = lab.hosts[:2]
    ssh(lab, first, "touch /tmp/only-here /home/job/only-here /var/tmp/only-here /opt/only-here")
    for place in ("tmp", "home/job", "var/tmp", "opt"):
        assert lab.read(first, f"/{place}/only-here") == b""
        with pytest.raises(FileNotFoundError, match=second.name):
            lab.read(second, f"/{place}/only-here")
    assert not Path("/etc/mine").exists()
    assert len(ssh(lab, first, "ls -d /proc/[0-9]*").stdout.split()) < 10


@isolated
def test_hosts_do_not_see_this_machines_files(lab: Lab) -> None:
    """A file that arrives on a host was sent there."""
    assert lab.exec(lab.hosts[0], ["ls", str(REPOSITORY)]).returncode
    assert lab.exec(lab.hosts[0], ["ls", str(lab.directory)]).returncode
    assert lab.exec(lab.hosts[0], "ls -A /root /tmp/.[a-z]* 2>/dev/null").stdout.strip() == "/root:\n.ssh"


@isolated
def test_root_and_job_log_in_with_the_labs_key(lab: Lab) -> None:
    """And root may become job."""
    host = lab.hosts[0]
    assert ssh(lab, host, "id -un; pwd").stdout.split() == ["root", "/root"]
    assert ssh(lab, host, "id -u; pwd", user="job").stdout.split() == ["10001", "/home/job"]
    assert ssh(lab, host, "su job -c 'id -un'").stdout.strip() == "job"
    assert ssh(lab, host, "id", user="ops").returncode == 255


@isolated
def test_ops_logs_in_with_the_password_only(lab: Lab) -> None:
    """The password is made anew for each lab."""
    assert ssh_with_password(lab, lab.hosts[0], lab.ops_password) == "ops"
    with pytest.raises(asyncssh.PermissionDenied):
        ssh_with_password(lab, lab.hosts[0], "wrong")


@isolated
def test_the_last_host_has_no_python(lab: Lab) -> None:
    """Nobody finds an interpreter there, by name or by path; Perl and the shell remain."""
    search = "find $(echo $PATH | tr : ' ') -name '*python*[23]*'; perl -e 'print qq(perl\\n)'"
    assert [host.python for host in lab.hosts][-1] is False
    assert ssh(lab, lab.hosts[-1], search).stdout == "perl\n"
    assert ansible(lab, lab.hosts[-1].name, "-m", "ping", program="adhoc").returncode != 0
    for host in lab.hosts:
        assert (ssh(lab, host, "command -v python3").returncode == 0) is host.python


@isolated
def test_hosts_reach_one_another_by_name(lab: Lab) -> None:
    """One host's SSH port answers another host."""
    probe = f"exec 3<>/dev/tcp/{lab.hosts[1].name}/22; head -c 4 <&3"
    assert lab.exec(lab.hosts[0], ["bash", "-c", probe]).stdout == "SSH-"


@isolated
def test_ansible_runs_over_the_inventory(lab: Lab) -> None:
    """`-m raw` needs nothing on the hosts."""
    done = ansible(lab, "biz_set_9:!labdown", "-o", "-m", "raw", "-a", "hostname", program="adhoc")
    assert done.returncode == 0, done.stdout + done.stderr
    assert all(f"{host.name} | CHANGED" in done.stdout for host in lab.hosts)


@isolated
def test_the_down_host_is_unreachable(lab: Lab) -> None:
    """It is in the inventory, and nobody answers for it."""
    done = ansible(lab, "dynamic_group_down", "-T", "1", "-o", "-m", "raw", "-a", "hostname", program="adhoc")
    assert "labdown | UNREACHABLE" in done.stdout


@isolated
def test_groups_carry_bluekings_meaning(lab: Lab) -> None:
    """Ansible itself reads businesses, sets, modules and dynamic groups from the inventory."""
    listed = json.loads(ansible(lab, "--list", program="inventory").stdout)
    groups = {name: sorted(group.get("hosts", [])) for name, group in listed.items() if name != "_meta"}
    assert groups["module_1000"] == ["lab101"]
    assert groups["module_1001"] == ["lab102"]
    assert groups["module_2000"] == ["lab103", "lab104"]
    assert groups["biz_1"] == groups["module_1999"] == groups["dynamic_group_down"] == ["labdown"]
    assert groups["dynamic_group_blo8gojho0skft7pr5q0"] == ["lab101", "lab102"]
    assert groups["dynamic_group_3"] == ["lab101", "lab103"]
    assert "dynamic_group_empty" in listed["all"]["children"]
    assert listed["biz_set_9"]["children"] == ["biz_1", "biz_2"]
    assert [listed["_meta"]["hostvars"][host.name]["bk_host_id"] for host in lab.hosts] == [
        101,
        102,
        103,
        104,
    ]
    assert [host.biz for host in lab.hosts] == [1, 1, 2, 2]
    assert lab.host(199) == lab.down


@isolated
def test_a_cut_host_is_silent_until_mended(lab: Lab) -> None:
    """The others don't notice."""
    host = lab.hosts[1]
    lab.cut(host)
    try:
        assert ssh(lab, host, "true").returncode == 255
        assert ssh(lab, lab.hosts[0], "true").returncode == 0
        assert lab.exec(host, ["hostname"]).stdout.strip() == host.name
    finally:
        lab.mend(host)
    assert ssh(lab, host, "true").returncode == 0


@isolated
def test_sshd_stops_and_starts_while_programs_go_on(lab: Lab) -> None:
    """What is detached survives its connection, as it does on a real host; orphans are collected."""
    host = lab.hosts[0]
    start = "setsid sh -c 'echo $$; exec sleep 60' </dev/null 2>/dev/null & sleep 60"
    argv = ["ssh", "-F", "none", "-i", str(lab.private_key), "-o", f"UserKnownHostsFile={lab.known_hosts}"]
    with subprocess.Popen([*argv, f"root@{host.ip}", start], stdout=subprocess.PIPE, text=True) as client:
        assert client.stdout
        pid = int(client.stdout.readline())
        lab.stop_sshd(host, drop_connections=True)
        assert client.wait(10) == 255
    assert ssh(lab, host, "true").returncode == 255
    lab.start_sshd(host)
    assert ssh(lab, host, f"kill {pid}").returncode == 0
    wait_until(lambda: lab.exec(host, f"kill -0 {pid} 2>/dev/null").returncode != 0)


@isolated
def test_two_labs_at_once_leave_nothing(tmp_path: Path) -> None:
    """Each has a network of its own, and stopping one leaves the other alone."""
    one = start_lab(2, tmp_path / "one")
    other = start_lab(1, tmp_path / "other")
    states = {held.directory: lab_state(held.directory) for held in (one, other)}
    assert not {host.ip for host in one.hosts} & {host.ip for host in other.hosts}
    lingering = "setsid sleep 600 </dev/null >/dev/null 2>&1 &"
    assert ssh(one, one.hosts[0], lingering).returncode == 0
    one.stop()
    one.stop()
    assert_nothing_left(one.directory, states[one.directory])
    assert ssh(other, other.hosts[0], "hostname").stdout == "lab101\n"
    other.stop()
    assert_nothing_left(other.directory, states[other.directory])


@pytest.mark.parametrize("kind", [pytest.param("namespaces", marks=isolated), "asyncssh"])
def test_a_lab_dies_with_its_owner(tmp_path: Path, kind: str) -> None:
    """Also when the owner has no time to say so."""
    code = (
        "import sys, time, pathlib; from tests.lab import start_lab\n"
        "lab = start_lab(2, pathlib.Path(sys.argv[1]), sys.argv[2])\n"
        "print('up', flush=True); time.sleep(60)"
    )
    argv = [sys.executable, "-c", code, str(tmp_path / "lab"), kind]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True, cwd=REPOSITORY) as owner:
        assert owner.stdout
        assert owner.stdout.readline() == "up\n"
        state = lab_state(tmp_path / "lab")
        owner.kill()
    wait_until(lambda: not (tmp_path / "lab").exists() and not running(state.supervisor))
    assert_nothing_left(tmp_path / "lab", state)


@isolated
def test_a_lab_whose_supervisor_was_killed_can_be_taken_down(tmp_path: Path) -> None:
    """Its hosts die with it; `down` removes the rest."""
    start_lab(2, tmp_path / "lab", owned=False)
    state = lab_state(tmp_path / "lab")
    os.kill(state.supervisor, signal.SIGKILL)
    wait_until(lambda: not any(running(host.pid) for host in state.hosts))
    with pytest.raises(LabError, match="no lab is up"):
        attach(tmp_path / "lab")
    assert take_down(tmp_path / "lab")
    assert_nothing_left(tmp_path / "lab", state)


@pytest.mark.parametrize("kind", [pytest.param("namespaces", marks=isolated), "asyncssh"])
def test_the_command_line_is_content_with_what_is_already_so(tmp_path: Path, kind: str) -> None:
    """`up` twice and `down` twice both succeed; what `up` started outlives it."""

    def command(action: str, *options: str) -> subprocess.CompletedProcess[str]:
        argv = [sys.executable, "-m", "tests.lab", action, "--directory", str(tmp_path / "lab"), *options]
        return subprocess.run(argv, capture_output=True, text=True, check=False, cwd=REPOSITORY, timeout=60)

    up = command("up", "--hosts", "2", "--kind", kind)
    assert up.returncode == 0, up.stderr
    assert f"inventory: {tmp_path / 'lab' / 'inventory'}\nready: 2 hosts" in up.stdout
    state = lab_state(tmp_path / "lab")
    assert command("up").stdout.startswith("already up")
    assert "lab102" in command("status").stdout
    assert [command("down").returncode for _ in range(2)] == [0, 0]
    assert command("status").returncode == 1
    assert_nothing_left(tmp_path / "lab", state)


@pytest.mark.parametrize("kind", [pytest.param("namespaces", marks=isolated), "asyncssh"])
def test_a_directory_in_use_is_left_alone(tmp_path: Path, kind: str) -> None:
    """The lab makes its home only where nothing is, since it removes all of it in the end."""
    (tmp_path / "mine").touch()
    with pytest.raises(LabError, match="not empty"):
        start_lab(1, tmp_path, kind)  # type: ignore[arg-type]
    assert (tmp_path / "mine").exists()
    assert take_down(tmp_path) is False


def test_simple_hosts_run_programs(simple_lab: Lab) -> None:
    """With the same key, users, known hosts and inventory as real ones."""
    first, second = simple_lab.hosts
    assert not simple_lab.isolated
    assert first.ip != second.ip
    assert ssh(simple_lab, first, "echo out; echo error >&2; exit 7").returncode == 7
    assert ssh(simple_lab, first, "pwd > where", user="job").returncode == 0
    assert simple_lab.read(first, "where").decode().strip().endswith(first.name)
    assert simple_lab.exec(second, "pwd").stdout.strip().endswith(second.name)
    assert ssh_with_password(simple_lab, first, simple_lab.ops_password)
    done = ansible(simple_lab, "all:!labdown", "-o", "-m", "raw", "-a", "echo hello", program="adhoc")
    assert done.returncode == 0, done.stdout + done.stderr


def test_simple_hosts_lose_no_output(simple_lab: Lab) -> None:
    """Nor the exit code, however soon after its last word a program ends."""
    command = "echo out; echo error >&2; exit 7"
    for _ in range(20):
        done = ssh(simple_lab, simple_lab.hosts[0], command)
        assert (done.returncode, done.stdout, done.stderr) == (7, "out\n", "error\n")
    assert (
        len(ssh(simple_lab, simple_lab.hosts[0], "head -c 3000000 /dev/zero | tr '\\0' x").stdout) == 3000000
    )


def test_simple_hosts_take_files(simple_lab: Lab, tmp_path: Path) -> None:
    """Over SFTP, as Ansible sends them."""
    (tmp_path / "source").write_bytes(b"\0data")
    target = tmp_path / "target"
    done = ansible(
        simple_lab, "lab101", "-m", "copy", "-a", f"src={tmp_path}/source dest={target}", program="adhoc"
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert target.read_bytes() == b"\0data"


def test_simple_hosts_stop_and_start(simple_lab: Lab) -> None:
    """At the same port; a cable they have not."""
    host = simple_lab.hosts[0]
    simple_lab.stop_sshd(host, drop_connections=True)
    assert ssh(simple_lab, host, "true").returncode == 255
    simple_lab.start_sshd(host)
    assert ssh(simple_lab, host, "true").returncode == 0
    with pytest.raises(LabError, match="no cable"):
        simple_lab.cut(host)


def test_simple_hosts_end_their_programs(tmp_path: Path) -> None:
    """Those too that took themselves out of their session."""
    with start_lab(1, tmp_path, kind="asyncssh") as lab:
        start = "setsid sleep 600 </dev/null >/dev/null 2>&1 & echo $!"
        pid = int(ssh(lab, lab.hosts[0], start).stdout)
        assert running(pid)
    assert not running(pid)
