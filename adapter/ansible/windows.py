"""Scripts on Windows hosts: which hosts are such, whom Ansible logs in as there, and what the script's file is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from adapter.ansible.inventory import RunInventory, secret_lookup
from adapter.ansible.playbook import account_variables, secret_name
from adapter.ansible.text import UserText
from adapter.job.model import Account, ScriptTask
from adapter.job.status import ScriptLanguage

_CONNECTIONS = ("winrm", "psrp")  #: which lead to nothing else
_SHELLS = ("powershell", "cmd")  #: of any other connection

#: What the file's name must end with for its program to take it.
_EXTENSIONS: Mapping[int, str] = {
    ScriptLanguage.SHELL: "sh",
    ScriptLanguage.BAT: "bat",
    ScriptLanguage.PERL: "pl",
    ScriptLanguage.PYTHON: "py",
    ScriptLanguage.POWERSHELL: "ps1",
}
#: The names that each connection has for its user and password; one that the inventory sets would win else.
_USERS = ("ansible_user", "ansible_winrm_user", "ansible_psrp_user", "ansible_ssh_user")
_PASSWORDS = (
    "ansible_password",
    "ansible_winrm_password",
    "ansible_winrm_pass",
    "ansible_psrp_password",
    "ansible_psrp_pass",
    "ansible_ssh_password",
    "ansible_ssh_pass",
)


def is_windows(variables: Mapping[str, Any]) -> bool:
    """True for a host that the inventory reaches as one of Windows, whatever the account is."""
    connection, shell = (_word(variables.get(name)) for name in ("ansible_connection", "ansible_shell_type"))
    return connection in _CONNECTIONS or shell in _SHELLS


def _word(value: Any) -> str:
    """`ansible.builtin.psrp` is `psrp`."""
    return value.rpartition(".")[2] if isinstance(value, str) else ""


def with_logins(inventory: RunInventory, account: Account, host_passwords: frozenset[int]) -> RunInventory:
    """The same, each host with the account's login, if there is a host of Windows; it is not become there.

    `host_passwords` are the bk_host_ids that have a password of their own, which wins.
    """
    windows = frozenset(name for name, variables in inventory.hosts.items() if is_windows(variables))
    if not windows:
        return inventory
    others = [variables for name, variables in inventory.hosts.items() if name not in windows]
    posix = account_variables(account, others) if others else {}
    hosts = {
        name: {**variables, **(_login(account, variables, host_passwords) if name in windows else posix)}
        for name, variables in inventory.hosts.items()
    }
    return replace(inventory, hosts=hosts, windows=windows)


def _login(account: Account, variables: Mapping[str, Any], host_passwords: frozenset[int]) -> dict[str, Any]:
    user, password = account.login_user or account.account, None
    if variables["bk_host_id"] in host_passwords:
        user, password = account.account, host_password_name(variables["bk_host_id"])
    elif account.has_password:
        password = secret_name(account, "password")
    if password is not None:
        return {
            **dict.fromkeys(_USERS, UserText(user)),
            **dict.fromkeys(_PASSWORDS, secret_lookup(password)),
            "ansible_become": False,
        }
    if account.has_private_key:  # ssh has such
        return {**account_variables(account, []), "ansible_become": False}
    return {"ansible_become": False, "job_windows_problem": _problem(account, variables)}


def _problem(account: Account, variables: Mapping[str, Any]) -> str:
    """Why the script cannot run as the account; "" if the inventory logs in as it."""
    given = variables.get("ansible_user") or variables.get("ansible_ssh_user") or ""
    if _plain(str(given)) == _plain(account.account):
        return ""
    return (
        "no password of the account is known for this Windows host, and the inventory logs in as another user"
    )


def _plain(user: str) -> str:
    """A user without the domain, in which case Windows sees no difference."""
    return user.rpartition("\\")[2].partition("@")[0].lower()


def host_password_name(bk_host_id: int) -> str:
    """What the run's secret socket calls the password that is only good on that host."""
    return f"host-{bk_host_id}-password"


def can_run(language: int) -> bool:
    """True for what a Windows host can run; SQL is a shell's program here."""
    return language in _EXTENSIONS


def script_name(language: int) -> str:
    """The file's name on a Windows host."""
    return f"script.{_EXTENSIONS[language]}"


def script_bytes(task: ScriptTask) -> bytes:
    """The file as Windows' programs read it.

    PowerShell takes a file without a mark of its encoding for one in the machine's code page; cmd loses its way at
    labels in lines that end as Unix has them.
    """
    if task.language == ScriptLanguage.POWERSHELL:
        return task.content.encode("utf-8-sig")
    if task.language == ScriptLanguage.BAT:
        return task.content.replace("\r\n", "\n").replace("\n", "\r\n").encode()
    return task.content.encode()


def arguments(task: ScriptTask, directory: str) -> dict[str, Any]:
    """What the play says of the script on Windows hosts; its file is in `directory`."""
    found: dict[str, Any] = {"windows_script": f"{directory}/{script_name(task.language)}"}
    if task.windows_interpreter:
        found["windows_interpreter"] = UserText(task.windows_interpreter)
    return found
