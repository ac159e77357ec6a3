"""Who can log in to a lab host: root and `job` with the lab's key, `ops` with a password."""

from __future__ import annotations

import ctypes
import ctypes.util
import os
import secrets
import subprocess
from pathlib import Path

JOB_UID = 10001
OPS_UID = 10002
SHELL = "/bin/bash" if Path("/bin/bash").exists() else "/bin/sh"

# `*` is "no password"; with `!` sshd would take the account for locked and refuse its key too.
_SYSTEM_USERS = f"""\
root:x:0:0:root:/root:{SHELL}
daemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin
bin:x:2:2:bin:/bin:/usr/sbin/nologin
sshd:x:102:65534::/run/sshd:/usr/sbin/nologin
nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin
"""
_GROUPS = """\
root:x:0:
daemon:x:1:
bin:x:2:
tty:x:5:
shadow:x:42:
users:x:100:
nogroup:x:65534:
"""


def hash_password(password: str) -> str:
    """A SHA-512 crypt hash, made by the libcrypt that sshd checks it with (Python 3.13 has none)."""
    library = ctypes.CDLL(ctypes.util.find_library("crypt") or "libcrypt.so.1")
    library.crypt.restype = ctypes.c_char_p
    hashed: bytes | None = library.crypt(password.encode(), f"$6${secrets.token_hex(8)}$".encode())
    if not hashed:
        raise OSError("libcrypt has no SHA-512")
    return hashed.decode()


def make_key(path: Path) -> str:
    """A new ed25519 key pair at `path`; returns the public line."""
    command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "lab", "-f", str(path)]
    subprocess.run(command, check=True)
    return path.with_name(path.name + ".pub").read_text()


def write_users(root: Path, public_key: str, ops_password: str) -> None:
    """Writes the account files and the home directories of a host's disk under `root`."""
    etc = root / "etc"
    people = [("job", JOB_UID), ("ops", OPS_UID)]
    users = "".join(f"{name}:x:{uid}:{uid}::/home/{name}:{SHELL}\n" for name, uid in people)
    (etc / "passwd").write_text(_SYSTEM_USERS + users)
    (etc / "group").write_text(_GROUPS + "".join(f"{name}:x:{uid}:\n" for name, uid in people))
    passwords = {"ops": hash_password(ops_password)}
    names = [line.partition(":")[0] for line in (_SYSTEM_USERS + users).splitlines()]
    shadow = "".join(f"{name}:{passwords.get(name, '*')}:19000:0:99999:7:::\n" for name in names)
    (etc / "shadow").write_text(shadow)
    (etc / "shadow").chmod(0o640)
    os.chown(etc / "shadow", 0, 42)

    _write_home(root / "root", 0, public_key)
    _write_home(root / "home" / "job", JOB_UID, public_key)
    _write_home(root / "home" / "ops", OPS_UID, None)


def _write_home(home: Path, uid: int, public_key: str | None) -> None:
    home.mkdir(parents=True, exist_ok=True)
    home.chmod(0o700)
    if public_key:
        (home / ".ssh").mkdir(mode=0o700)
        (home / ".ssh" / "authorized_keys").write_text(public_key)
        (home / ".ssh" / "authorized_keys").chmod(0o600)
    for path in [home, *home.rglob("*")]:
        os.chown(path, uid, uid)
