"""Where a host's SSH server listens, as Ansible's variables say; None where a look would prove nothing."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from adapter.hosts.hostvars import literal

Endpoint = tuple[str, int]

#: This machine itself: it answers.
HERE: Endpoint = ("", 0)

_SSH = ("ssh", "smart", "paramiko", "paramiko_ssh", "ansible.builtin.ssh", "ansible.builtin.paramiko_ssh")
_LOCAL = ("local", "ansible.builtin.local")
_ARGUMENTS = ("ansible_ssh_args", "ansible_ssh_common_args", "ansible_ssh_extra_args")
#: What may lead a connection elsewhere than to the host's own address and port.
_DETOUR = re.compile(r"proxy|hostname|port\b|(^|\s)-[JFWop]*[JFWp]", re.IGNORECASE)
_CONFIGURED = re.compile(
    r"^\s*(proxyjump|proxycommand|hostname|port|include)\b", re.IGNORECASE | re.MULTILINE
)
_DEFAULT_PORT = 22
_MAX_PORT = 65535


def endpoint(name: str, variables: Mapping[str, Any]) -> Endpoint | None:
    """The address and port of the host `name`; HERE for a local connection."""
    connection = _given(variables, "ansible_connection", "ssh")
    if connection in _LOCAL:
        return HERE
    if connection not in _SSH or any(_leads_elsewhere(variables.get(each)) for each in _ARGUMENTS):
        return None
    address = _given(variables, "ansible_host", _given(variables, "ansible_ssh_host", name))
    port = _port(_given(variables, "ansible_port", _given(variables, "ansible_ssh_port", _DEFAULT_PORT)))
    return (address, port) if isinstance(address, str) and address and port is not None else None


def is_led_elsewhere(environ: Mapping[str, str] = os.environ, files: Iterable[Path] | None = None) -> bool:
    """True if ssh's own configuration may lead some hosts elsewhere: then silence of a host proves nothing."""
    if any(_leads_elsewhere(environ.get(each.upper())) for each in _ARGUMENTS):
        return True
    found = _config_files() if files is None else files
    return any(_CONFIGURED.search(_text(path)) for path in found)


def _given(variables: Mapping[str, Any], name: str, default: Any) -> Any:
    """The value; None for one that only Ansible could tell."""
    return literal(variables[name]) if variables.get(name) is not None else default


def _leads_elsewhere(arguments: Any) -> bool:
    if not arguments:
        return False
    text = literal(arguments)
    return not isinstance(text, str) or _DETOUR.search(text) is not None


def _port(value: Any) -> int | None:
    if isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) < 6:
        value = int(value)
    is_port = isinstance(value, int) and not isinstance(value, bool) and 0 < value <= _MAX_PORT
    return value if is_port else None


def _config_files() -> list[Path]:
    system = Path("/etc/ssh")
    return [
        Path("~/.ssh/config").expanduser(),
        system / "ssh_config",
        *sorted(system.glob("ssh_config.d/*.conf")),
    ]


def _text(path: Path) -> str:
    try:
        lines = path.read_text(errors="replace").splitlines()
    except OSError:
        return ""  # ssh cannot read it either
    # Debian's own file includes a directory, which is looked at by itself.
    return "\n".join(line for line in lines if "/etc/ssh/ssh_config.d/" not in line)
