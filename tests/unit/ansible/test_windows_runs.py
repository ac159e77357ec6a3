"""Runs on Windows hosts as data: which hosts are such, their logins, the script's file, and Ansible's opinion."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from adapter.ansible.inventory import RunInventory, secret_lookup
from adapter.ansible.playbook import script_plays, stop_plays
from adapter.ansible.text import UserText, to_yaml
from adapter.ansible.windows import arguments, host_password_name, is_windows, script_bytes, with_logins
from adapter.config import Settings
from adapter.job.model import Account, Scope, ScriptTask

NOBODY: frozenset[int] = frozenset()


def account(**changes: Any) -> Account:
    given = {
        "id": 4,
        "scope": Scope("biz", "1"),
        "alias": "a",
        "account": "Administrator",
        "type": 2,
        **changes,
    }
    return Account(**given)


def inventory(**hosts: dict[str, Any]) -> RunInventory:
    common = {"job_login_user": "svc", "job_become_method": ""}
    given = {name: {"bk_host_id": at, **common, **host} for at, (name, host) in enumerate(hosts.items(), 1)}
    return RunInventory(given, {"job_targets": tuple(given)}, {})


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({}, False),
        ({"ansible_connection": "ssh"}, False),
        ({"ansible_connection": "winrm"}, True),
        ({"ansible_connection": "ansible.builtin.psrp"}, True),
        ({"ansible_connection": "ssh", "ansible_shell_type": "powershell"}, True),
        ({"ansible_shell_type": "cmd"}, True),
        ({"ansible_shell_type": "sh"}, False),
        ({"ansible_connection": UserText("winrm")}, True),
        ({"ansible_connection": 5}, False),
    ],
)
def test_the_inventory_decides_which_host_is_one_of_windows(
    variables: dict[str, Any], expected: bool
) -> None:
    """By the connection or its shell; the account has no say."""
    assert is_windows(variables) is expected


def test_hosts_without_windows_are_left_as_they_are() -> None:
    """Their plays say whom Ansible logs in as, once for all."""
    without = inventory(a={}, b={"ansible_connection": "local"})
    assert with_logins(without, account(), NOBODY) is without
    (play,) = script_plays(ScriptTask(language=1, content=""), account(), without, "k", "files/script", 1)
    assert "ansible_become" in play["vars"]


def test_each_host_has_its_own_login() -> None:
    """A host's own password wins over the account's; the names that the inventory may have set lose."""
    both = inventory(
        linux={},
        own={"ansible_connection": "winrm", "ansible_winrm_user": "x", "ansible_winrm_pass": "old"},
        other={"ansible_connection": "psrp"},
    )
    found = with_logins(both, account(has_password=True), frozenset({2}))
    assert found.windows == {"own", "other"}
    linux, own, other = (found.hosts[name] for name in ("linux", "own", "other"))
    assert (linux["ansible_become"], linux["ansible_become_user"]) == (True, "Administrator")
    assert "ansible_password" not in linux
    for host in (own, other):
        assert host["ansible_become"] is False
        assert {host[f"ansible_{name}user"] for name in ("", "winrm_", "psrp_", "ssh_")} == {"Administrator"}
    assert own["ansible_password"] == own["ansible_winrm_pass"] == secret_lookup(host_password_name(2))
    assert other["ansible_psrp_password"] == secret_lookup("account-4-password")
    (play,) = script_plays(ScriptTask(language=5, content=""), account(), found, "k", "files/script", 1)
    assert play["vars"] == {}


@pytest.mark.parametrize(
    ("given", "changes", "problem"),
    [
        ({"ansible_user": "administrator"}, {}, False),
        ({"ansible_user": "CORP\\Administrator"}, {}, False),
        ({"ansible_user": "Administrator@corp.example"}, {}, False),
        ({"ansible_user": "svc"}, {}, True),
        ({}, {}, True),
        ({}, {"has_password": True}, False),
        ({}, {"login_user": "Administrator", "has_private_key": True}, False),
    ],
)
def test_who_cannot_log_in_is_told(given: dict[str, Any], changes: dict[str, Any], problem: bool) -> None:
    """Before anything is sent."""
    found = with_logins(inventory(w={"ansible_connection": "psrp", **given}), account(**changes), NOBODY)
    assert bool(found.hosts["w"].get("job_windows_problem")) is problem


@pytest.mark.parametrize(
    ("language", "content"),
    [
        (1, "a\nb\r\n中".encode()),
        (2, "a\r\nb\r\n中".encode()),
        (4, "a\nb\r\n中".encode()),
        (5, b"\xef\xbb\xbf" + "a\nb\r\n中".encode()),
    ],
)
def test_encodings(language: int, content: bytes) -> None:
    """PowerShell needs a mark, cmd its line ends."""
    assert script_bytes(ScriptTask(language=language, content="a\nb\r\n中")) == content


@pytest.mark.parametrize("connection", ["psrp", "winrm", "ssh"])
def test_ansible_takes_the_plays(connection: str, tmp_path: Path) -> None:
    """Plugin, arguments and variables, for each connection: `ansible-playbook --syntax-check`."""
    shell = {"ansible_shell_type": "powershell"} if connection == "ssh" else {}
    hosts = inventory(w={"ansible_connection": connection, "ansible_host": "10.0.0.1", **shell}, linux={})
    found = with_logins(hosts, account(has_password=True), NOBODY)
    task = ScriptTask(
        language=5, content="exit 0", param="{{ x }} 'y'", windows_interpreter="C:\\{{ a }}\\pwsh.exe"
    )
    plays = script_plays(task, account(), found, "k", "files/script", 9, arguments(task, "files"))
    for name, value in (("step.yml", plays), ("stop.yml", stop_plays(task, account(), found, "k"))):
        (tmp_path / name).write_text(to_yaml(value))
    (tmp_path / "hosts.yml").write_text(found.text().whole)
    environment = {**os.environ, "ANSIBLE_COLLECTIONS_PATH": str(Settings().playbooks / "collections")}
    command = [str(Path(sys.executable).with_name("ansible-playbook")), "-i", "hosts.yml", "--syntax-check"]
    checked = subprocess.run(
        [*command, "step.yml", "stop.yml"],
        cwd=tmp_path, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert checked.returncode == 0, checked.stderr
    assert "windows_script: files/script.ps1" in (tmp_path / "step.yml").read_text()
