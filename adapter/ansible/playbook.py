"""A step as plays: plain data, in which everything a request said is UserText.

A play's variables win over the inventory's, so the step's account decides whom Ansible logs in as and becomes.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from adapter.ansible.inventory import RunInventory, secret_lookup
from adapter.ansible.text import UserText, is_template
from adapter.job.model import Account, FileTask, Host, ScriptTask
from adapter.job.paths import split_source

Play = dict[str, Any]

TARGETS = "job_targets"

#: What the inventory says; else from root `su`, which needs no password and is on every host (sudo may not be);
#: else Ansible's default.
_BECOME_BY = {
    "ansible_become_method": "{{ job_become_method or ('su' if job_login_user == 'root'"
    " else lookup('ansible.builtin.config', 'DEFAULT_BECOME_METHOD')) }}"
}


@dataclass(frozen=True, kw_only=True)
class SourceHost:
    """One source host of a file step and the directory its files go to on every target."""

    source: int
    host: Host
    directory: str


def source_group(number: int) -> str:
    """The run's group of the hosts of one file source."""
    return f"job_source_{number}"


def script_plays(
    task: ScriptTask,
    account: Account,
    inventory: RunInventory,
    key: str,
    script_file: str,
    max_log: int,
    windows: Mapping[str, Any] | None = None,
    variables_file: str | None = None,
) -> list[Play]:
    """Launch the script on every target and follow it to its end (design D4).

    `windows` is what hosts of Windows need to know besides.
    """
    arguments: dict[str, Any] = {
        "phase": "run",
        "key": key,
        "script": script_file,
        "language": int(task.language),
        "timeout": task.timeout,
        "user": UserText(account.account),
        "max_log": max_log,
        **(windows or {}),
    }
    if task.param_sensitive:
        arguments["param_secret"] = "param"  # noqa: S105 the name of the secret, not the secret
    else:
        arguments["param"] = UserText(task.param)
    if variables_file is not None:
        arguments["variables"] = variables_file
    tasks = [{"name": "script", "adapter.job.script": arguments}]
    return [_play("script", TARGETS, account, inventory, tasks)]


def stop_plays(task: ScriptTask, account: Account, inventory: RunInventory, key: str) -> list[Play]:
    """Kill the script's processes on every host, and keep it from starting where it has not."""
    arguments = {"phase": "stop", "key": key, "user": UserText(account.account), "timeout": task.timeout}
    return [_play("stop", TARGETS, account, inventory, [{"name": "stop", "adapter.job.script": arguments}])]


def clean_plays(account: Account, inventory: RunInventory, keys: Sequence[str]) -> list[Play]:
    """Remove runs whose results are stored from the hosts."""
    arguments = {"phase": "clean", "keys": list(keys), "user": UserText(account.account)}
    return [_play("clean", TARGETS, account, inventory, [{"name": "clean", "adapter.job.script": arguments}])]


def look_plays(account: Account, inventory: RunInventory, installation: str) -> list[Play]:
    """Tell how runs stand on hosts, and change nothing."""
    arguments = {"installation": installation, "user": UserText(account.account)}
    return [_play("look", TARGETS, account, inventory, [{"name": "look", "adapter.job.look": arguments}])]


def file_plays(
    task: FileTask,
    account: Account,
    source_accounts: list[Account],
    sources: list[SourceHost],
    inventory: RunInventory,
    key: str,
) -> list[Play]:
    """One play a source (each has its own account), then one that sends to the targets (design D5)."""
    plays = []
    for number, source in enumerate(task.sources):
        if not source.is_on_hosts:
            continue  # the service itself has put them where fetched files would be
        arguments = {
            "source": number,
            "key": key,
            "user": UserText(source_accounts[number].account),
            "files": [_file(path) for path in source.files],
            "speed_limit": task.upload_speed_limit or 0,
        }
        fetch = {
            "name": "fetch",
            "adapter.job.fetch": arguments,
            # A source that cannot be reached must not end the run: the targets report it.
            "ignore_unreachable": True,
            "ignore_errors": True,
        }
        plays.append(
            _play(f"fetch {number}", source_group(number), source_accounts[number], inventory, [fetch])
        )
    send = {
        "key": key,
        "user": UserText(account.account),
        "mode": "strict" if task.transfer_mode == 1 else "force",
        "speed_limit": task.download_speed_limit or 0,
        "rename": UserText(task.file_target_name or ""),
        "sources": [
            {
                "source": item.source,
                "host": item.host.bk_host_id,
                "label": item.host.label,
                "directory": UserText(item.directory),
                "files": [_file(path) for path in task.sources[item.source].files],
                **({} if task.sources[item.source].is_on_hosts else {"given": True}),
            }
            for item in sources
        ],
    }
    plays.append(_play("send", TARGETS, account, inventory, [{"name": "send", "adapter.job.send": send}]))
    return plays


def _file(path: str) -> dict[str, Any]:
    return {"path": UserText(path), "kind": split_source(path).kind}


def _play(
    name: str, hosts: str, account: Account, inventory: RunInventory, tasks: list[dict[str, Any]]
) -> Play:
    return {
        "name": name,
        "hosts": hosts,
        "gather_facts": False,
        "vars": {} if inventory.windows else account_variables(account, inventory.of(hosts)),
        "tasks": tasks,
    }


def account_variables(account: Account, hosts: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Whom the play logs in as and becomes (design D2), on hosts with these variables of the run's inventory.

    Secrets are looked up while the run lasts.
    """
    variables: dict[str, Any] = {}
    login = account.login_user
    if login:
        variables["ansible_user"] = variables["ansible_ssh_user"] = UserText(login)
        # A kept connection belongs to one credential: another account must not ride on it.
        variables["ansible_control_path_dir"] = (
            "{{ lookup('env', 'ANSIBLE_SSH_CONTROL_PATH_DIR') }}/" + f"a{account.id}"
        )
        if account.has_private_key:
            variables["ansible_ssh_private_key"] = secret_lookup(secret_name(account, "private_key"))
        else:
            variables["ansible_ssh_private_key_file"] = ""
        if account.has_password:
            variables["ansible_password"] = secret_lookup(secret_name(account, "password"))
            variables["ansible_ssh_pass"] = variables["ansible_ssh_password"] = variables["ansible_password"]
    logins = {login} if login else {host["job_login_user"] for host in hosts}
    return variables | _become(account, login, logins)


def _become(account: Account, login: str | None, logins: set[str]) -> dict[str, Any]:
    """Where one answer is right for every host it is given in plain words: a template costs time on each."""
    if not any(map(is_template, logins)):
        if logins <= {account.account}:
            return {"ansible_become": False}
        if account.account not in logins:
            # Become plugins put the user into a shell's line as it is.
            become = {"ansible_become": True, "ansible_become_user": UserText(shlex.quote(account.account))}
            return become | ({"job_login_user": UserText(login)} if login else {}) | _BECOME_BY
    return {
        "job_account": UserText(account.account),
        **({"job_login_user": UserText(login)} if login else {}),
        "ansible_become": "{{ job_login_user != job_account }}",
        "ansible_become_user": "{{ job_account | quote }}",
    } | _BECOME_BY


def secret_name(account: Account, kind: str) -> str:
    """What the run's secret socket calls an account's credential."""
    return f"account-{account.id}-{kind}"
