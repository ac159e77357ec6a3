"""A step as plays: plain data, in which everything a request said is UserText.

A play's variables win over the inventory's, so the step's account decides whom Ansible logs in as and becomes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from adapter.ansible.inventory import secret_lookup
from adapter.ansible.text import UserText
from adapter.job.model import Account, FileTask, Host, ScriptTask
from adapter.job.paths import split_source

Play = dict[str, Any]

TARGETS = "job_targets"

#: What the inventory says; else from root `su`, which needs no password and is on every host (sudo may not be);
#: else Ansible's default.
_BECOME_METHOD = (
    "{{ job_become_method or ('su' if job_login_user == 'root'"
    " else lookup('ansible.builtin.config', 'DEFAULT_BECOME_METHOD')) }}"
)


@dataclass(frozen=True, kw_only=True)
class SourceHost:
    """One source host of a file step and the directory its files go to on every target."""

    source: int
    host: Host
    directory: str


def source_group(number: int) -> str:
    """The run's group of the hosts of one file source."""
    return f"job_source_{number}"


def script_plays(task: ScriptTask, account: Account, key: str, script_file: str, max_log: int) -> list[Play]:
    """Launch everywhere first, then follow what has not ended: every script runs from the start (design D4)."""
    arguments: dict[str, Any] = {
        "key": key,
        "script": script_file,
        "language": int(task.language),
        "timeout": task.timeout,
        "user": UserText(account.account),
        "max_log": max_log,
    }
    if task.param_sensitive:
        arguments["param_secret"] = "param"  # noqa: S105 the name of the secret, not the secret
    else:
        arguments["param"] = UserText(task.param)
    start = {
        "name": "start",
        "adapter.job.script": {"phase": "start", **arguments},
        "register": "job_started",
    }
    follow = {
        "name": "follow",
        "adapter.job.script": {"phase": "follow", **arguments},
        "when": "job_started.job.state in ['running', 'launching']",
    }
    return [_play("script", TARGETS, account, [start, follow])]


def stop_plays(task: ScriptTask, account: Account, key: str) -> list[Play]:
    """Kill the script's processes on every host, and keep it from starting where it has not."""
    arguments = {"phase": "stop", "key": key, "user": UserText(account.account), "timeout": task.timeout}
    return [_play("stop", TARGETS, account, [{"name": "stop", "adapter.job.script": arguments}])]


def file_plays(
    task: FileTask, account: Account, source_accounts: list[Account], sources: list[SourceHost], key: str
) -> list[Play]:
    """One play a source (each has its own account), then one that sends to the targets (design D5)."""
    plays = []
    for number, source in enumerate(task.sources):
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
        plays.append(_play(f"fetch {number}", source_group(number), source_accounts[number], [fetch]))
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
            }
            for item in sources
        ],
    }
    plays.append(_play("send", TARGETS, account, [{"name": "send", "adapter.job.send": send}]))
    return plays


def _file(path: str) -> dict[str, Any]:
    return {"path": UserText(path), "kind": split_source(path).kind}


def _play(name: str, hosts: str, account: Account, tasks: list[dict[str, Any]]) -> Play:
    return {
        "name": name,
        "hosts": hosts,
        "gather_facts": False,
        "vars": account_variables(account),
        "tasks": tasks,
    }


def account_variables(account: Account) -> dict[str, Any]:
    """Whom the play logs in as and becomes (design D2). Secrets are looked up while the run lasts."""
    variables: dict[str, Any] = {"job_account": UserText(account.account)}
    login = account.login_user
    if login:
        variables["job_login_user"] = UserText(login)
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
    variables["ansible_become"] = "{{ job_login_user != job_account }}"
    variables["ansible_become_method"] = _BECOME_METHOD
    # Become plugins put it into a shell's line as it is.
    variables["ansible_become_user"] = "{{ job_account | quote }}"
    return variables


def secret_name(account: Account, kind: str) -> str:
    """What the run's secret socket calls an account's credential."""
    return f"account-{account.id}-{kind}"
