# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a host can have been told something by an exchange that broke.

What may have been told may have been done. Only where it is certain that nobody was there to hear it is it said to
have been in vain: a connection that breaks in a way that this does not know may have broken at any moment.
"""

from __future__ import annotations

import re
from typing import Any

from ansible.errors import AnsibleAuthenticationFailure, AnsibleConnectionFailure
from ansible.plugins.connection.ssh import Connection as Ssh

_RETRIES = "reconnection_retries"
#: ssh's last words when it did not get as far as running a command. "Connection reset by" is none of them: ssh
#: says that of a session too, and of one that was not yet it says more in the line before.
_NEVER_IN = re.compile(
    r"""(?:^|:\ )(?:
        ssh:\ (?:connect\ to\ host|Could\ not\ resolve)\ .*
      | \S+@\S+:\ Permission\ denied\ \(.*
      | Received\ disconnect\ from\ .*:\ Too\ many\ authentication\ failures(?:\nDisconnected\ from\ .*)?
      | Host\ key\ verification\ failed\.
      | Unable\ to\ negotiate\ with\ .*
      | Connection\ closed\ by\ .*\ port\ \d+
      | .*too\ long\ for\ Unix\ domain\ socket
      | .*bad\ configuration\ options
      | Bad\ owner\ or\ permissions\ on\ .*
      | (?:kex|ssh)_exchange_identification:\ .*?(?:\nConnection\ reset\ by\ .*)?
      | Connection\ timed\ out\ during\ banner\ exchange(?:\nConnection\ to\ .*\ timed\ out)?
    )\Z""",
    re.VERBOSE | re.MULTILINE,
)
#: A kept connection that ended in the middle of handing a command over: ssh makes one of its own then, and speaks
#: of that last.
_HALF_IN = "read from master failed"
_ESCALATION = "waiting for privilege escalation prompt"


def was_in_vain(connection: Any, error: AnsibleConnectionFailure) -> bool:
    """True if no command was run on the host by the exchange that ended so."""
    if isinstance(error, AnsibleAuthenticationFailure):
        return True
    if not isinstance(connection, Ssh):
        return not connection.connected
    lines = [line.rstrip() for line in str(error).splitlines()]
    text = "\n".join(line for line in lines if line and not line.startswith("debug"))
    return _ESCALATION in text or (_HALF_IN not in text and _NEVER_IN.search(text) is not None)


def take_retries(connection: Any) -> int:
    """How often Ansible would try a connection again. It does so no more: it tells only how the last one failed."""
    if not isinstance(connection, Ssh) or not connection.has_option(_RETRIES):
        return 0
    retries = int(connection.get_option(_RETRIES))
    connection.set_option(_RETRIES, 0)
    return retries


def pause_before(retry: int) -> float:
    """Seconds, as Ansible has it."""
    return float(min(2**retry - 1, 30))
