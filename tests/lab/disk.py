"""What a lab host has on its disk: overlay layers over the machine's own system directories.

Every host mounts the same layers read-only with a writable one of its own in memory on top. A layer hides
what is below it in two ways that overlayfs defines: a directory marked *opaque* shows nothing from below,
and a *whiteout*, a character device 0/0, is a file that is not there. So hosts share one /usr and cost a
few kilobytes each, and the home directories, source trees and temporary files of this machine are not on
them.
"""

from __future__ import annotations

import os
import re
import shutil
import stat
import subprocess
from pathlib import Path

from tests.lab.model import HOST_PATH
from tests.lab.users import write_users

BASE = "layers/base"
WITHOUT_PYTHON = "layers/without_python"

_HERE = Path(__file__).parent
_SYSTEM = {"bin", "etc", "lib", "lib32", "lib64", "libx32", "sbin", "usr"}
_OWN = {
    "dev": 0o755, "dev/pts": 0o755, "dev/shm": 0o1777, "etc/ssh": 0o755, "home": 0o755, "mnt": 0o755,
    "oldroot": 0o755, "opt": 0o755, "proc": 0o755, "root": 0o700, "run": 0o755, "run/sshd": 0o755,
    "srv": 0o755, "sys": 0o755, "tmp": 0o1777, "var": 0o755, "var/cache": 0o755, "var/lib": 0o755,
    "var/log": 0o755, "var/spool": 0o755, "var/tmp": 0o1777,
}  # fmt: skip
_DEVICES = {
    "null": (1, 3), "zero": (1, 5), "full": (1, 7), "random": (1, 8), "urandom": (1, 9), "tty": (5, 0),
}  # fmt: skip
_LINKS = {
    "dev/fd": "/proc/self/fd", "dev/stdin": "/proc/self/fd/0", "dev/stdout": "/proc/self/fd/1",
    "dev/stderr": "/proc/self/fd/2", "dev/ptmx": "pts/ptmx", "var/run": "/run",
}  # fmt: skip

# Session paths must not come from whoever started the lab; ControlPersist needs many sessions per connection.
_SSHD_CONFIG = f"""\
Port 22
ListenAddress 0.0.0.0
HostKey /etc/ssh/ssh_host_ed25519_key
PidFile /run/sshd.pid
LogLevel ERROR
UsePAM no
UseDNS no
PermitRootLogin prohibit-password
PasswordAuthentication yes
KbdInteractiveAuthentication no
MaxStartups 200
MaxSessions 100
PrintMotd no
PrintLastLog no
AcceptEnv LANG LC_*
SetEnv PATH={HOST_PATH}
Subsystem sftp internal-sftp
"""


def write_layers(directory: Path, *, host_key: Path, public_key: str, ops_password: str, names: str) -> None:
    """Writes the shared layers; `names` are the lines of /etc/hosts."""
    base = directory / BASE
    base.mkdir(parents=True)
    for name, mode in _OWN.items():
        _opaque_directory(base / name, mode)
    for entry in {path.name for path in Path("/").iterdir()} - _SYSTEM - set(_OWN):
        _whiteout(base / entry)
    for name, (major, minor) in _DEVICES.items():
        os.mknod(base / "dev" / name, stat.S_IFCHR, os.makedev(major, minor))
        (base / "dev" / name).chmod(0o666)
    for name, target in _LINKS.items():
        (base / name).symlink_to(target)
    write_users(base, public_key, ops_password)
    (base / "etc/hosts").write_text("127.0.0.1 localhost\n" + names)
    (base / "etc/resolv.conf").write_text("# no name servers: what is not in /etc/hosts fails at once\n")
    (base / "etc/ssh/sshd_config").write_text(_SSHD_CONFIG + _new_options())
    shutil.copy(host_key, base / "etc/ssh/ssh_host_ed25519_key")
    (base / "usr/sbin").mkdir(parents=True)
    shutil.copy(_HERE / "init.sh", base / "usr/sbin/lab-init")
    _write_layer_without_python(directory / WITHOUT_PYTHON)


def _new_options() -> str:
    """Since 9.8 sshd shuts out an address that fails to log in a few times: here that is all of the tests."""
    told = subprocess.run(["ssh", "-V"], capture_output=True, text=True, check=True).stderr
    version = re.search(r"OpenSSH_(\d+)\.(\d+)", told)
    return "PerSourcePenalties no\n" if version and tuple(map(int, version.groups())) >= (9, 8) else ""


def _write_layer_without_python(layer: Path) -> None:
    layer.mkdir()
    for binary in pythons():
        _whiteout(layer / binary.relative_to("/"))


def pythons() -> list[Path]:
    """The Python interpreters that a host would see if nothing hid them."""
    places = [Path("/usr/bin"), Path("/usr/local/bin"), Path("/usr/libexec")]
    return [path for place in places for path in place.glob("*python[23.]*")] + [
        path for place in places for path in place.glob("python")
    ]


def layers(*, python: bool) -> str:
    """The lower layers of one host, topmost first, as its boot script sees them."""
    return ":".join([*([] if python else [f"../{WITHOUT_PYTHON}"]), f"../{BASE}", "/"])


def _opaque_directory(path: Path, mode: int) -> None:
    path.mkdir(parents=True, exist_ok=True)
    path.chmod(mode)
    os.setxattr(path, "trusted.overlay.opaque", b"y")


def _whiteout(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    os.mknod(path, stat.S_IFCHR, os.makedev(0, 0))
