"""Hosts from BlueKing CMDB on a real service and real hosts: however they are named, and whatever CMDB does."""

from __future__ import annotations

import json
import secrets
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
import yaml

from tests.e2e.conftest import Prepared, no_step_failed
from tests.e2e.jobs import Job, wait_until
from tests.e2e.restarts import ONCE, marking, marks, wait_for_start
from tests.lab import Lab
from tests.support.audits import agrees
from tests.support.cmdb import APP, SECRET, Cmdb, Place, running_cmdb
from tests.support.service import Service, b64

SCRIPT: dict[str, Any] = {"script_content": b64("echo here"), "script_language": 1}
#: Host 103 is of another cloud area; nothing of this is in an inventory.
AREAS = {103: 5}
_WAIT = "until [ -e {flag} ]; do sleep 0.1; done; "
_PLAN = """
scope: {{type: biz, id: "1"}}
templates:
  - name: {name}
    steps:
      - {{id: {first}, name: first, type: 1, target: {{dynamic_group_list: [{{id: web}}]}},
         script: {{language: 1, account: root, content: '{wait}echo one'}}}}
      - {{id: {second}, name: second, type: 1, target: {{topo_node_list: [{{id: 11, node_type: set}}]}},
         script: {{language: 1, account: root, content: 'echo two'}}}}
    plans: [{{id: {plan}, name: {name}}}]
"""


@dataclass
class World:
    """A CMDB that can go away and come back at its address, and a service that asks it."""

    cmdb: Cmdb
    service: Service
    up: ExitStack = field(default_factory=ExitStack)

    def goes(self) -> None:
        """Nobody listens at its port any more."""
        self.up.close()

    def comes(self) -> None:
        """At the same port, with what it knew."""
        self.up.enter_context(running_cmdb(urlsplit(self.cmdb.url).port or 0, self.cmdb))

    def launch(self, target: dict[str, Any], **fields: Any) -> Job:
        """v3's fast_execute_script in business 1."""
        body = {**SCRIPT, "account_alias": "root", "target_server": target, **fields}
        data = self.service.data("fast_execute_script", bk_biz_id=1, **body)
        return Job(self.service, 1, data["job_instance_id"], data["step_instance_id"])

    def refused(self) -> tuple[int, str]:
        """Code and message of such a launch."""
        target = {"dynamic_group_list": [{"id": "web"}]}
        body = {**SCRIPT, "account_alias": "root", "target_server": target}
        told = self.service.call("fast_execute_script", bk_biz_id=1, **body)
        assert told["result"] is False, told
        return told["code"], told["message"]


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the inventory's script writes its environment."""
    return tmp_path_factory.mktemp("seen") / "environment"


@pytest.fixture(scope="module")
def world(
    lab: Lab, prepared: Prepared, seen: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[World]:
    """The lab's hosts in CMDB, and an inventory that says how to log in to them."""
    directory = tmp_path_factory.mktemp("cmdb")
    cmdb = Cmdb()
    _fill(cmdb, lab)
    with ExitStack() as up:
        up.enter_context(running_cmdb(cmdb=cmdb))
        options = ("--cmdb-ttl", "0", "--cmdb-timeout", "2")
        service = Service(
            data_dir=directory / "data",
            inventory=_inventory(directory / "inventory", lab, seen),
            options=options,
            environment={
                "ADAPTER_CMDB_URL": cmdb.url,
                "ADAPTER_CMDB_APP_CODE": APP,
                "ADAPTER_CMDB_APP_SECRET": SECRET,
            },
        )
        try:
            prepared.started(service)
            account = 'scope: {type: biz_set, id: "9"}\naccounts: [{alias: root, account: root}]'
            service.apply(account)
            yield World(cmdb, service, up)
            agrees(service.data_dir, service.inventory, with_hosts=False)
        finally:
            service.stop()
        no_step_failed(service)


def _fill(cmdb: Cmdb, lab: Lab) -> None:
    places = {101: Place(1, 11, 21), 102: Place(1, 11, 22), 103: Place(1, 12, 23)}
    for host in lab.hosts:
        place = places.get(host.bk_host_id, Place(2, 31, 41))
        cmdb.add(host.bk_host_id, host.ip, place, cloud=AREAS.get(host.bk_host_id, 0))
    cmdb.sets[9] = [1, 2]
    cmdb.groups[1, "web"] = lambda: [103, 101]


def _inventory(directory: Path, lab: Lab, seen: Path) -> Path:
    """One host of its own, a pattern for cloud area 5, one for the rest; its groups say nothing true."""
    login = {
        "ansible_user": "root",
        "ansible_ssh_private_key_file": str(lab.private_key),
        "ansible_ssh_common_args": f"-o UserKnownHostsFile={lab.known_hosts}",
    }
    own = {**login, "bk_host_id": 102, "ansible_host": lab.host(102).ip}
    hosts = {"cmdb_default": login, "cmdb_cloud_5": login, "of its own": own}
    groups: dict[str, Any] = {
        "biz_2": {"hosts": {"of its own": {}}},
        "dynamic_group_web": {"hosts": {"of its own": {}}},
    }
    directory.mkdir()
    (directory / "hosts.yml").write_text(yaml.safe_dump({"all": {"hosts": hosts, "children": groups}}))
    script = directory / "script.sh"
    script.write_text(f"#!/bin/sh\nenv > {seen}.new && mv {seen}.new {seen}\necho '{{}}'\n")
    script.chmod(script.stat().st_mode | stat.S_IXUSR)
    return directory


@pytest.fixture(autouse=True)
def _isolated(lab: Lab) -> None:
    if not lab.isolated:
        pytest.skip("hosts of this kind differ in their ports, which CMDB does not know")


def v4(world: World, name: str, **fields: Any) -> httpx.Response:
    """A request of v4's."""
    assert world.service.credentials is not None
    body = {"bk_scope_type": "biz", "bk_scope_id": "1", **fields}
    headers = world.service.credentials.in_header()
    url = f"{world.service.url}/api/v4/{name}"
    return httpx.post(url, json=body, headers=headers, timeout=60, trust_env=False)


def test_hosts_however_they_are_named(world: World, lab: Lab) -> None:
    """By id, address and area, group and node, of a business and of a set; each runs on just those, once."""
    ip = {host.bk_host_id: host.ip for host in lab.hosts}
    wanted: list[tuple[dict[str, Any], set[int]]] = [
        ({"host_id_list": [101, 102]}, {101, 102}),
        ({"ip_list": [{"bk_cloud_id": 5, "ip": ip[103]}, {"bk_cloud_id": 0, "ip": ip[101]}]}, {101, 103}),
        ({"dynamic_group_list": [{"id": "web"}]}, {101, 103}),
        ({"topo_node_list": [{"id": 11, "node_type": "set"}]}, {101, 102}),
        ({"topo_node_list": [{"id": 1, "node_type": "biz"}]}, {101, 102, 103}),
    ]
    jobs = [(world.launch(target), expected) for target, expected in wanted]
    of_set = {"bk_scope_type": "biz_set", "bk_scope_id": "9"}
    nodes = [{"id": 31, "node_type": "set"}, {"id": 21, "node_type": "module"}]
    body = {**SCRIPT, "account_alias": "root", "target_server": {"topo_node_list": nodes}}
    data = world.service.data("fast_execute_script", **of_set, **body)
    fields = {"account": "root", "script_content": b64("echo here"), "script_type": 1}
    v2 = world.service.data(
        "fast_execute_script", "job", bk_biz_id=1, ip_list=[{"bk_cloud_id": 5, "ip": ip[103]}], **fields
    )
    target = {"host_list": [{"bk_cloud_id": 5, "ip": ip[103]}], "dynamic_group_list": [{"id": "web"}]}
    reply = v4(world, "fast_execute_script", **SCRIPT, account_alias="root", execute_target=target)
    assert reply.status_code == 200, reply.text
    for told, expected in ((v2, {103}), (reply.json()["data"], {101, 103})):
        jobs.append((Job(world.service, 1, told["job_instance_id"], told["step_instance_id"]), expected))
    for job, expected in jobs:
        job.succeeded()
        assert set(job.states) == expected
        assert {job.log(host_id) for host_id in expected} == {"here\n"}
        assert {result["bk_cloud_id"] for id_, result in job.hosts.items() if id_ in AREAS} <= {5}
    asked = {**of_set, "job_instance_id": data["job_instance_id"], "return_ip_result": True}
    status = wait_until(
        lambda: (
            told if (told := world.service.data("get_job_instance_status", **asked))["finished"] else None
        ),
        "the business set's job",
    )
    (step,) = status["step_instance_list"]
    states = {result["bk_host_id"]: result["status"] for result in step["step_ip_result_list"]}
    assert states == {101: 9, 104: 9, 105: 9, 106: 9}


def test_files_from_and_to_hosts_of_cmdb(world: World, lab: Lab) -> None:
    """A group as the source, addresses as the target."""
    place = f"/srv/c{secrets.token_hex(4)}"
    for host_id in (101, 103):
        lab.exec(lab.host(host_id), f"mkdir -p {place}; echo from {host_id} > {place}/it")
    data = world.service.data(
        "fast_transfer_file",
        bk_biz_id=1,
        account_alias="root",
        file_target_path=f"{place}/[FILESRCIP]/",
        file_source_list=[
            {
                "file_list": [f"{place}/it"],
                "account": {"alias": "root"},
                "server": {"dynamic_group_list": [{"id": "web"}]},
            }
        ],
        target_server={"ip_list": [{"bk_cloud_id": 0, "ip": lab.host(102).ip}]},
    )
    Job(world.service, 1, data["job_instance_id"], data["step_instance_id"]).succeeded()
    for host_id in (101, 103):
        came = lab.read(lab.host(102), f"{place}/{AREAS.get(host_id, 0)}_{lab.host(host_id).ip}/it")
        assert came.decode() == f"from {host_id}\n"


def test_hosts_without_an_address_or_gone(world: World) -> None:
    """f5: 18 for a host without an address, 2 for one that CMDB has no longer when its step begins; others run."""
    world.cmdb.add(150, None, Place(1, 12, 23))
    job = world.launch({"host_id_list": [102, 150, 103]}, start_task=False)
    gone = world.cmdb.hosts.pop(103)
    try:
        world.service.data("operate_job_instance", bk_biz_id=1, job_instance_id=job.id, operation_code=2)
        assert job.statuses == {102: 9, 150: 18, 103: 2}, job.why()
        assert [step["status"] for step in job.end["step_instance_list"]] == [4]
        assert "no inner address" in job.log(150)
        assert "CMDB has it no longer" in job.log(103)
    finally:
        world.cmdb.hosts[103] = gone
        del world.cmdb.hosts[150]


def test_which_hosts_answer(world: World) -> None:
    """query_agent_info looks at addresses of CMDB's; hosts of other businesses are left out."""
    told = world.service.data("query_agent_info", bk_biz_id=1, host_id_list=[101, 102, 103, 104, 4711])
    agents = {agent["bk_host_id"]: agent["status"] for agent in told["agent_info_list"]}
    assert agents == {101: 1, 102: 1, 103: 1}


def test_what_the_inventorys_script_is_told(world: World, seen: Path) -> None:
    """Nothing of the secret that CMDB is asked with; it needs other variables."""
    text = wait_until(lambda: seen.exists() and seen.read_text(), "the inventory's script")
    assert "PATH=" in text
    assert SECRET not in text
    assert "ADAPTER_" not in text


def test_the_commands_beside_the_service(world: World, tmp_path: Path) -> None:
    """They have the service's variables, so that what they name is CMDB's, and they reach its hosts."""
    (tmp_path / "said.sh").write_text("echo said\n")
    inventory = ("--inventory", str(world.service.inventory))
    script = ("script", "--file", str(tmp_path / "said.sh"), "--account", "root", *inventory)
    printed = world.service.command(*script, "--target", "102,group:web").stdout
    assert printed.count("| said\n") == 3, printed
    refused = world.service.command(*script, "--target", "4711", check=False)
    assert refused.returncode != 0
    assert "'4711' is no host" in refused.stderr
    job = world.launch({"host_id_list": [102, 103]}).succeeded()
    audit = world.service.command("audit", "--job", str(job.id), "--hosts", *inventory, check=False)
    assert audit.returncode == 0, audit.stdout + audit.stderr


def _half_a_page(cmdb: Cmdb) -> Callable[[str, dict[str, Any]], bytes | None]:
    """Lists that have fewer rows than they say."""

    def answer(name: str, body: dict[str, Any]) -> bytes | None:
        if name == "find_host_biz_relations":
            return None
        data = cmdb.answer(name, body)
        half = {"count": data["count"] + 1, "info": data["info"]}
        return json.dumps({"result": True, "code": 0, "message": "", "data": half}).encode()

    return answer


FAULTS: dict[str, tuple[Callable[[World], None], int, str]] = {
    "away": (World.goes, 1211001, "CMDB does not answer; try again later, or ask who runs it"),
    "hangs": (lambda world: setattr(world.cmdb, "delay", 60), 1211001, "no answer within 2 s"),
    "500": (lambda world: setattr(world.cmdb, "status", 500), 1211002, "HTTP 500"),
    "garbage": (lambda world: setattr(world.cmdb, "fault", lambda *_: b"<html>"), 1211002, "no JSON"),
    "half": (
        lambda world: setattr(world.cmdb, "fault", _half_a_page(world.cmdb)),
        1211002,
        "its pages do not fit together",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_between_launch_and_run(world: World, fault: str) -> None:
    """The job runs on what was told at the launch; a launch is refused in time, and queries are answered."""
    happens, code, said = FAULTS[fault]
    job = world.launch({"dynamic_group_list": [{"id": "web"}]}, start_task=False)
    happens(world)
    try:
        began = time.monotonic()
        world.service.data("operate_job_instance", bk_biz_id=1, job_instance_id=job.id, operation_code=2)
        refused = world.refused()
        assert refused[0] == code, refused
        assert said in refused[1], refused
        assert time.monotonic() - began < 10
        reply = v4(world, "fast_execute_script", **SCRIPT, account_alias="root",
                   execute_target={"host_list": [{"bk_host_id": 101}]})  # fmt: skip
        assert (reply.status_code, reply.json()["error"]["details"][0]["code"]) == (500, str(code))
        job.succeeded()
        assert job.statuses == {101: 9, 103: 9}
        assert job.log(103) == "here\n"
    finally:
        world.cmdb.delay, world.cmdb.status, world.cmdb.fault = 0, 200, None
        if fault == "away":
            world.comes()
    world.launch({"host_id_list": [102]}).succeeded()


def test_killed_and_started_while_cmdb_is_down(world: World, lab: Lab) -> None:
    """CMDB goes while the first of two steps runs; the service is killed and comes back without it.

    What was launched goes on to its end, once; launches are refused; all is well when CMDB is back.
    """
    service, flag, name = world.service, f"/tmp/go-{secrets.token_hex(4)}", f"cmdb-{secrets.token_hex(4)}"
    service.apply(_PLAN.format(name=name, first=811, second=812, plan=81, wait=_WAIT.format(flag=flag)))
    plan = service.data("execute_job_plan", bk_biz_id=1, job_plan_id=81)["job_instance_id"]
    marked = world.launch({"host_id_list": [102]}, script_content=b64(marking(name, 1)))
    wait_until(lambda: service.status(1, plan)["step_instance_list"][0]["status"] == 2, "the first step")
    wait_for_start(lab, [lab.host(102)], name)
    world.goes()
    service.kill()
    service.start()
    code, message = world.refused()
    assert (code, message.partition(":")[0]) == (
        1211001,
        "CMDB does not answer; try again later, or ask who runs it",
    )
    for host_id in (101, 103):
        lab.exec(lab.host(host_id), f"touch {flag}")
    ended = service.finished(1, plan)
    assert [step["status"] for step in ended["step_instance_list"]] == [3, 3]
    hosts = [{one["bk_host_id"]: one["status"] for one in step["step_ip_result_list"]}
             for step in ended["step_instance_list"]]  # fmt: skip
    assert hosts == [{101: 9, 103: 9}, {101: 9, 102: 9}]
    marked.succeeded()
    assert marks(lab, lab.host(102), name) == ONCE
    world.comes()
    world.launch({"topo_node_list": [{"id": 12, "node_type": "set"}]}).succeeded()
