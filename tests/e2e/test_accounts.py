"""Whom scripts run as (design D2): own logins with key and password, become, and every way that fails."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.conftest import NewService
from tests.e2e.jobs import SUCCESS, Jobs, Source
from tests.lab import Lab
from tests.support.service import Service

WHO = 'echo "$(id -un) $HOME $PWD"'


@pytest.fixture(autouse=True)
def _isolated(lab: Lab) -> None:
    if not lab.isolated:
        pytest.skip("hosts of this kind have one user, whoever logs in")


@pytest.fixture(scope="module")
def with_logins(lab: Lab, service: Service, tmp_path_factory: pytest.TempPathFactory) -> Service:
    """The shared service with accounts that have logins of their own, right and wrong ones."""
    other = tmp_path_factory.mktemp("keys") / "other"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(other)], check=True)
    service.environment = {**service.environment, "OPS": lab.ops_password, "BAD": "not the password"}
    service.apply(f"""
scope: {{type: biz, id: "1"}}
accounts:
  - {{alias: key, account: job, login: {{user: job, private_key_file: {lab.private_key}}}}}
  - {{alias: wrong key, account: job, login: {{user: job, private_key_file: {other}}}}}
  - {{alias: password, account: ops, login: {{user: ops, password_env: OPS}}}}
  - {{alias: wrong password, account: ops, login: {{user: ops, password_env: BAD}}}}
  - {{alias: by root, account: ops, login: {{user: root, private_key_file: {lab.private_key}}}}}
  - {{alias: missing, account: nosuchuser}}
  - {{alias: missing login, account: nosuchuser, login: {{private_key_file: {lab.private_key}}}}}
  - {{alias: up, account: root, login: {{user: ops, password_env: OPS}}}}
""")
    return service


def test_who_a_script_runs_as(with_logins: Service) -> None:
    """An account without login is become from root, one with a login logs in: home and directory are its own."""
    jobs = Jobs(with_logins)
    started = {alias: jobs.script(WHO, 101, account=alias) for alias in ("root", "job", "key", "password")}
    started["by root"] = jobs.script(WHO, 101, account="by root")
    said = {alias: job.succeeded().log(101) for alias, job in started.items()}
    assert said == {
        "root": "root /root /root\n",
        "job": "job /home/job /home/job\n",
        "key": "job /home/job /home/job\n",
        "password": "ops /home/ops /home/ops\n",
        "by root": "ops /home/ops /home/ops\n",
    }


def test_accounts_that_cannot_be_used(with_logins: Service) -> None:
    """A user the host has not: 311 and 122; a wrong key or password: 312 and 1326. The log says what happened."""
    jobs = Jobs(with_logins)
    expected = {
        "missing": (311, None, 122),
        "missing login": (312, None, 1326),  # sshd does not tell a missing user from a wrong key
        "wrong password": (312, None, 1326),
        "wrong key": (312, None, 1326),
        "up": (12, None, 0),  # Ansible's own default, sudo, is not on that host
    }
    started = {alias: jobs.script(WHO, 101, account=alias) for alias in expected}
    assert {alias: job.states[101] for alias, job in started.items()} == expected
    for alias, job in started.items():
        assert (job.status, bool(job.log(101))) == (4, True), alias
        assert "not the password" not in job.log(101)


def test_files_are_the_account_s(lab: Lab, with_logins: Service) -> None:
    """What is sent belongs to the target's account; a source is read as the source's account."""
    lab.exec(lab.host(101), "cd /home/job; echo mine > mine; cp mine /tmp/mine; chown job: *mine /tmp/mine")
    lab.exec(lab.host(101), "chmod 600 /home/job/mine /tmp/mine")
    jobs = Jobs(with_logins)
    own = jobs.files([Source([101], ["/home/job/mine"], "key")], "/home/ops/in", 102, account="password")
    foreign = jobs.files([Source([101], ["/tmp/mine"], "password")], "/tmp/foreign", 102)
    nobody = jobs.files([Source([101], ["/home/job/mine"], "missing")], "/tmp/nobody", 102)
    assert own.succeeded().statuses == {102: 9}
    listed = lab.exec(lab.host(102), "stat -c '%U %G %a %n' /home/ops/in /home/ops/in/*").stdout
    assert listed.splitlines() == ["ops ops 755 /home/ops/in", "ops ops 600 /home/ops/in/mine"]
    assert (foreign.statuses, nobody.statuses) == ({102: 320}, {102: 320})


def inventory_without_bluekings_groups(lab: Lab, directory: Path, vault: Path) -> Path:
    """What many people have: INI, group_vars, a vault, no ids; 101 behind 102, which is its jump host."""
    program = Path(sys.executable).with_name("ansible-vault")
    argv = [str(program), "encrypt_string", "--vault-password-file", str(vault), "--name", "admin", "root"]
    admin = subprocess.run(argv, capture_output=True, text=True, check=True).stdout
    jump = (
        f'-o ProxyCommand="ssh -W %h:%p -i {lab.private_key} -o UserKnownHostsFile={lab.known_hosts} '
        f'root@{lab.host(102).ip}"'
    )
    (directory / "group_vars").mkdir(parents=True)
    (directory / "group_vars" / "all.yml").write_text(f"""
{admin}
ansible_user: "{{{{ admin }}}}"
ansible_ssh_private_key_file: {lab.private_key}
known: -o UserKnownHostsFile={lab.known_hosts} -o StrictHostKeyChecking=yes
ansible_ssh_common_args: "{{{{ known }}}}"
""")
    (directory / "group_vars" / "inner.yml").write_text(
        f"ansible_ssh_common_args: '{{{{ known }}}} {jump}'\n"
    )
    (directory / "hosts").write_text(f"""
[inner]
db ansible_host={lab.host(101).ip}

[outer]
web ansible_host={lab.host(103).ip} ansible_become=true ansible_become_user=ops
app ansible_host={lab.host(102).ip} ansible_user=ops ansible_password="{{{{ word }}}}" word={lab.ops_password}
""")
    return directory


def test_an_unmodified_inventory_works(lab: Lab, fresh_service: NewService, tmp_path: Path) -> None:
    """No groups of BlueKing's, a vault, templates, a jump host, become, passwords: all are honoured."""
    vault = tmp_path / "vault"
    vault.write_text("open sesame")
    inventory = inventory_without_bluekings_groups(lab, tmp_path / "inventory", vault)
    service = fresh_service(inventory=inventory, environment={"ANSIBLE_VAULT_PASSWORD_FILE": str(vault)})
    targets = {"ip_list": [{"bk_cloud_id": 0, "ip": lab.host(number).ip} for number in (101, 102, 103)]}
    root = Jobs(service, biz=2).script(WHO, target_server=targets)
    job = Jobs(service, biz=2).script(WHO, target_server=targets, account="job")
    by_ip = {result["ip"]: host_id for host_id, result in root.hosts.items()}
    db, app, web = (by_ip[lab.host(number).ip] for number in (101, 102, 103))
    assert {host_id: root.states[host_id] for host_id in (db, web)} == {db: SUCCESS, web: SUCCESS}, root.why()
    assert root.log(db) == root.log(web) == "root /root /root\n"
    assert {host_id: job.states[host_id] for host_id in (db, web)} == {db: SUCCESS, web: SUCCESS}, job.why()
    assert job.log(db) == job.log(web) == "job /home/job /home/job\n"
    assert root.states[app][0] in (12, 312)  # ops logs in, and there is no sudo on that host
    assert "Permission denied" not in root.log(app)
    kept = "".join(
        path.read_text(errors="replace")
        for path in service.data_dir.rglob("artifacts/**/*")
        if path.is_file()
    )
    assert lab.ops_password not in kept
