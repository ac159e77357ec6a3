# SPDX-License-Identifier: GPL-3.0-or-later
"""Secrets of a run: the service answers for them on a Unix socket while the run lasts, and only then.

So a password or a sensitive parameter is in no file, no argument and no environment.
"""

from __future__ import annotations

import json
import os
import socket


class SecretUnavailable(Exception):
    """There is no service to ask, or it has no secret of that name."""


def fetch(name: str) -> str:
    """The secret called `name`. Raises SecretUnavailable."""
    path = os.environ.get("ADAPTER_SECRETS")
    if not path:
        raise SecretUnavailable(
            f"secret {name!r} is kept by the service, not in this artifact; it cannot be used in a run by hand"
        )
    try:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(10)
            connection.connect(path)
            connection.sendall(json.dumps(name).encode() + b"\n")
            with connection.makefile("rb") as reply:
                answer = json.loads(reply.readline() or b"{}")
    except OSError as error:
        raise SecretUnavailable(f"the service does not answer for secret {name!r}: {error}") from error
    if "value" not in answer:
        raise SecretUnavailable(f"the service has no secret {name!r} for this run")
    return str(answer["value"])
