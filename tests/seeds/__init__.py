"""The two requests the project was asked for, verbatim, and the same with a lab's addresses, ids, credentials."""

from __future__ import annotations

import getpass
import json
from pathlib import Path
from typing import Any

from tests.lab import Lab
from tests.support.service import Credentials

_HERE = Path(__file__).parent


def seed(name: str) -> dict[str, Any]:
    """The seed's JSON as it was given: `fast_execute_script` or `execute_platform_job`."""
    value: dict[str, Any] = json.loads((_HERE / f"{name}.json").read_text())
    return value


def catalog_files(lab: Lab) -> list[str]:
    """YAML for `adapter apply`, one text a business, so that what the seeds refer to exists."""
    origin, target = lab.hosts_of(1)[0], lab.hosts_of(2)[0]
    user = "root" if lab.isolated else getpass.getuser()  # a lab without namespaces has only this user
    script = """
  - {name: hello, language: 1, versions: [{version: "1.0", content: "echo $1 from $(hostname)", online: true}]}
"""
    source_file = f"""
scope: {{type: biz, id: "1"}}
accounts: [{{alias: root, account: {user}, category: 1, type: 1}}]
scripts: {script}
"""
    step = f"target: {{host_id_list: [{target.bk_host_id}]}}"
    stored = f"{{files: [/etc/hostname], account: root, server: {{host_id_list: [{origin.bk_host_id}]}}}}"
    target_file = f"""
scope: {{type: biz, id: "2"}}
accounts: [{{alias: root, account: {user}, category: 1, type: 1}}]
scripts: {script}
templates:
  - name: Test
    steps:
      - {{id: 1, name: say, type: 1, script: {{language: 1, content: "echo stored", account: root}}, {step}}}
      - {{id: 2, name: push, type: 2, file: {{target_path: /tmp/stored/, account: root, sources: [{stored}]}},
         {step}}}
    plans: [{{id: 1, name: Test}}]
"""
    return [source_file, target_file]


def fast_execute_script(
    credentials: Credentials, *, account_id: int, script_version_id: int
) -> dict[str, Any]:
    """The first seed; its group, hosts 101 and 102 and module 1000 are the lab's own."""
    body = seed("fast_execute_script")
    body |= credentials.in_body()
    body |= {"account_id": account_id, "script_version_id": script_version_id}
    return body


def execute_platform_job(
    lab: Lab, credentials: Credentials, *, script_version_id: int, directory: str = "/tmp"
) -> dict[str, Any]:
    """The second seed for this lab: 10.0.0.1 and 10.0.0.2 become hosts of the business they are used in.

    `directory` takes the place of /tmp where hosts share the machine's.
    """
    body = seed("execute_platform_job")
    body |= credentials.in_body()
    sources = [{"bk_cloud_id": 0, "ip": host.ip} for host in lab.hosts_of(1)[:2]]
    targets = [{"bk_cloud_id": 0, "ip": host.ip} for host in lab.hosts_of(2)[:2]]
    script, files = body["steps"]
    script |= {"ip_list": targets, "script_id": script_version_id}
    files["ip_list"] = targets
    files["file_source"][0]["ip_list"] = sources
    files["file_target_path"] = files["file_target_path"].replace("/tmp", directory, 1)
    paths = files["file_source"][0]["files"]
    files["file_source"][0]["files"] = [path.replace("/tmp", directory, 1) for path in paths]
    return body
