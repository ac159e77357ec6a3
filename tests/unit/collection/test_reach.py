"""What ssh says when nobody can have heard a command, and when somebody may have."""

from __future__ import annotations

import importlib
from types import SimpleNamespace
from typing import Any

import pytest

from tests.unit.collection.programs import PROGRAMS

_BEGIN = 'Data could not be sent to remote host "h". Make sure this host can be reached over ssh: '
_LOGIN = "/root/.ssh/rc: 1: cannot create /x: Permission denied\r\n"
_CLOSED = "Connection closed by 10.0.0.1 port 22\r\n"
_RESET = "Connection reset by 10.0.0.1 port 22\r\n"

NEVER_IN = [
    "ssh: connect to host 10.0.0.1 port 22: Connection refused\r\n",
    "ssh: connect to host 10.0.0.1 port 22: Connection timed out\r\n",
    "ssh: Could not resolve hostname nosuch: Name or service not known\r\n",
    "Warning: Permanently added 'h' to the list of known hosts.\r\nroot@h: Permission denied (publickey).\r\n",
    "Host key verification failed.\r\n",
    "Unable to negotiate with 10.0.0.1 port 22: no matching host key type found. Their offer: ssh-rsa\r\n",
    "Received disconnect from 10.0.0.1 port 22:2: Too many authentication failures\r\n"
    "Disconnected from 10.0.0.1 port 22\r\n",
    "kex_exchange_identification: read: Connection reset by peer\r\n" + _RESET,
    "kex_exchange_identification: Connection closed by remote host\r\n" + _CLOSED,
    "channel 0: open failed: connect failed: Connection refused\r\nstdio forwarding failed\r\n"
    "kex_exchange_identification: Connection closed by remote host\r\n"
    "Connection closed by UNKNOWN port 65535\r\n",
    "Connection timed out during banner exchange\r\nConnection to 10.0.0.1 port 22 timed out\r\n",
    _CLOSED,
    _LOGIN + _CLOSED + "debug1: Exit status -1\r\n",
]
MAYBE_IN = [
    "",
    _RESET,
    _LOGIN + "Timeout, server 10.0.0.1 not responding.\r\n",
    "Timeout, server 10.0.0.1 not responding.\r\n",
    "Connection to 10.0.0.1 closed by remote host.\r\n",
    "Shared connection to 10.0.0.1 closed.\r\n",
    "client_loop: send disconnect: Broken pipe\r\n",
    "kex_exchange_identification: read: Connection reset by peer\r\nsomething else\r\n",
    "mux_client_request_session: read from master failed: Broken pipe\r\n"
    "ssh: connect to host 10.0.0.1 port 22: Connection timed out\r\n",
]


@pytest.fixture
def reach(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The collection's module."""
    monkeypatch.syspath_prepend(str(PROGRAMS.parents[4]))
    return importlib.import_module("ansible_collections.adapter.job.plugins.plugin_utils.reach")


@pytest.fixture
def ssh(reach: Any) -> Any:
    """A connection of Ansible's, not set up."""
    return reach.Ssh.__new__(reach.Ssh)


@pytest.mark.parametrize("words", NEVER_IN)
def test_what_never_got_in_was_in_vain(reach: Any, ssh: Any, words: str) -> None:
    """Refused, denied, or never there."""
    assert reach.was_in_vain(ssh, reach.AnsibleConnectionFailure(_BEGIN + words))


@pytest.mark.parametrize("words", MAYBE_IN)
def test_what_may_have_got_in_was_not_in_vain(reach: Any, ssh: Any, words: str) -> None:
    """Also where a login prints what ssh could say, and where ssh says nothing."""
    assert not reach.was_in_vain(ssh, reach.AnsibleConnectionFailure(_BEGIN + words))


def test_what_ansible_says_itself(reach: Any, ssh: Any) -> None:
    """It waits for become before it sends anything; other connections tell whether they are there."""
    assert reach.was_in_vain(ssh, reach.AnsibleAuthenticationFailure("Invalid/incorrect username/password"))
    prompt = "Timeout (12s) waiting for privilege escalation prompt: "
    assert reach.was_in_vain(ssh, reach.AnsibleConnectionFailure(prompt))
    gone = reach.AnsibleConnectionFailure("gone")
    assert reach.was_in_vain(SimpleNamespace(connected=False), gone)
    assert not reach.was_in_vain(SimpleNamespace(connected=True), gone)


def test_retries_are_taken_over(reach: Any) -> None:
    """From Ansible's own connection, set up as a run has it."""
    from ansible.playbook.play_context import PlayContext
    from ansible.plugins.loader import connection_loader

    connection = connection_loader.get("ssh", PlayContext())
    connection.set_options(direct={"reconnection_retries": 3})
    assert reach.take_retries(connection) == 3
    assert connection.get_option("reconnection_retries") == 0
    assert reach.take_retries(SimpleNamespace()) == 0
    assert [reach.pause_before(retry) for retry in (0, 1, 2, 9)] == [0, 1, 3, 30]
