"""Keys of hosts: a new one is taken and kept, another one for the same host is refused."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from tests.e2e.conftest import NewService
from tests.e2e.jobs import Jobs
from tests.lab import Lab


def test_a_changed_host_key_is_refused(lab: Lab, fresh_service: NewService, tmp_path: Path) -> None:
    """An inventory that says nothing of host keys: the first run learns the key, an impostor is not talked to."""
    if not lab.isolated:
        pytest.skip("hosts of this kind listen on ports, which known_hosts writes another way")
    known = tmp_path / "known_hosts"
    host = lab.host(101)
    inventory = tmp_path / "hosts.yml"
    variables = {
        "ansible_host": host.ip,
        "ansible_user": "root",
        "bk_host_id": 101,
        "ansible_ssh_private_key_file": str(lab.private_key),
        "ansible_ssh_common_args": f"-o UserKnownHostsFile={known}",
    }
    inventory.write_text(yaml.safe_dump({"biz_1": {"hosts": {"one": variables}}}))
    jobs = Jobs(fresh_service(inventory=inventory))
    assert jobs.script("echo hello", 101).statuses == {101: 9}
    kind, key = known.read_text().split()[1:3]
    assert kind == "ssh-ed25519"
    other = "AAAAC3NzaC1lZDI1NTE5AAAAI" + ("A" if key[25] != "A" else "B") + key[26:]
    known.write_text(f"{host.ip} {kind} {other}\n")
    refused = jobs.script("echo hello", 101)
    assert refused.statuses == {101: 310}, refused.why()
    assert "Host key verification failed" in refused.log(101)
