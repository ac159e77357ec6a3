"""The two requests the project was asked for: only addresses, ids and credentials differ from their JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import NewService
from tests.lab import Lab, LabHost, start_lab
from tests.seeds import catalog_files, execute_platform_job, fast_execute_script, seed
from tests.support.service import Service

ESB = "/api/c/compapi/v2"
#: What may differ from a seed's JSON: addresses, ids and credentials, each at its place.
SCRIPT_CHANGES = {"bk_app_secret", "bk_token", "account_id", "script_version_id"}


@pytest.fixture(scope="module")
def catalog(lab: Lab, service: Service) -> Service:
    """The shared service with what the seeds refer to."""
    for text in catalog_files(lab):
        service.apply(text)
    return service


def ids(service: Service, biz: int) -> tuple[int, int]:
    """Account `root` and the online version of script `hello`."""
    accounts = {item["alias"]: item["id"] for item in service.data("get_account_list", bk_biz_id=biz)["data"]}
    (script,) = service.data("get_script_list", bk_biz_id=biz)["data"]
    return accounts["root"], script["online_script_version_id"]


def post(service: Service, path: str, body: dict[str, Any]) -> dict[str, Any]:
    """The data of a seed request; its credentials are in the body, as in the seed."""
    envelope = service.post(f"{ESB}/{path}/", body)
    assert (envelope["result"], envelope["code"]) == (True, 0), envelope
    data: dict[str, Any] = envelope["data"]
    return data


def shape(value: Any) -> Any:
    """The same structure with every leaf replaced by its type."""
    if isinstance(value, dict):
        return {key: shape(item) for key, item in value.items()}
    return [shape(item) for item in value] if isinstance(value, list) else type(value).__name__


def run_script_seed(service: Service) -> None:
    """fast_execute_script: the stored script runs with the seed's parameter on both hosts."""
    assert service.credentials is not None
    account, version = ids(service, 1)
    body = fast_execute_script(service.credentials, account_id=account, script_version_id=version)
    original = seed("fast_execute_script")
    assert shape(body) == shape(original)
    assert {key for key in body if body[key] != original[key]} <= SCRIPT_CHANGES
    data = post(service, "jobv3/fast_execute_script", body)
    assert set(data) == {"job_instance_id", "job_instance_name", "step_instance_id"}
    status = service.finished(1, data["job_instance_id"])
    assert status["job_instance"]["status"] == 3, service.log()[-2000:]
    (step,) = status["step_instance_list"]
    assert (step["status"], step["type"], step["execute_count"]) == (3, 1, 0)
    hosts = {
        item["bk_host_id"]: (item["status"], item["exit_code"], item["error_code"])
        for item in step["step_ip_result_list"]
    }
    # The group, the module and the list all name these two: each runs once.
    assert hosts == {101: (9, 0, 0), 102: (9, 0, 0)}
    for host_id in hosts:
        log = service.log_of(1, data["job_instance_id"], data["step_instance_id"], host_id)
        assert log.startswith("hello from ")


def prepare_sources(lab: Lab, directory: str = "/tmp") -> None:
    """A file of its own on each source host, and one that the seed's expression does not match."""
    for host, name in zip(
        [*lab.hosts_of(1)[:2], lab.hosts_of(2)[0]], ("alpha", "beta", "gamma"), strict=True
    ):
        lab.exec(host, f"echo {name} > {directory}/{name}.txt; echo no > {directory}/Not9.txt")


def run_platform_seed(lab: Lab, service: Service) -> dict[str, Any]:
    """execute_platform_job up to its end; the status."""
    assert service.credentials is not None
    body = execute_platform_job(lab, service.credentials, script_version_id=ids(service, 2)[1])
    assert shape(body) == shape(seed("execute_platform_job"))
    data = post(service, "job/execute_platform_job", body)
    assert data["job_instance_name"] == "Test"
    status = service.finished(2, data["job_instance_id"])
    assert status["job_instance"]["status"] == 3, json.dumps(status) + service.log()[-2000:]
    return status


def arrived(lab: Lab, host: LabHost) -> dict[str, str]:
    """Path below /tmp to content of what the file step wrote."""
    listed = lab.exec(host, "cd /tmp && for f in 0_*/*; do echo $f $(cat $f); done").stdout
    return dict(line.split(" ", 1) for line in listed.splitlines())


def test_fast_execute_script(catalog: Service) -> None:
    """The first seed: states, exit codes and logs of the hosts that its three kinds of target name."""
    run_script_seed(catalog)


def test_execute_platform_job(lab: Lab, catalog: Service) -> None:
    """The second seed: a script on the second business's hosts, then files from the first one's to them."""
    if not lab.isolated:
        pytest.skip("hosts without file systems of their own cannot be told apart")
    prepare_sources(lab)
    status = run_platform_seed(lab, catalog)
    job_id = status["job_instance"]["job_instance_id"]
    script, files = status["step_instance_list"]
    assert [(step["type"], step["status"]) for step in (script, files)] == [(1, 3), (2, 3)]
    first, second = lab.hosts_of(2)[:2]
    for host in (first, second):
        log = catalog.log_of(2, job_id, script["step_instance_id"], host.bk_host_id)
        assert log == f"hello from {host.name}\n"
    sources = lab.hosts_of(1)[:2]
    # Dynamic group 3 holds a host of each business; as a source only the source business's counts.
    expected = {
        f"0_{sources[0].ip}/alpha.txt": "alpha",
        f"0_{sources[1].ip}/beta.txt": "beta",
    }
    assert arrived(lab, first) == arrived(lab, second) == expected
    entries = catalog.file_logs_of(2, job_id, files["step_instance_id"], second.bk_host_id)
    downloads = {entry["dest_path"]: entry["status"] for entry in entries if entry["mode"] == 1}
    assert downloads == {f"/tmp/{path}": 4 for path in expected}


def test_the_v2_queries_tell_the_same_of_the_second_seed(lab: Lab, catalog: Service) -> None:
    """get_job_instance_log is a list of steps, each with its hosts grouped by status, as bk-sops reads it."""
    assert catalog.credentials is not None
    body = execute_platform_job(lab, catalog.credentials, script_version_id=ids(catalog, 2)[1])
    del body["steps"][1]
    job_id = post(catalog, "job/execute_platform_job", body)["job_instance_id"]
    catalog.finished(2, job_id)
    (step,) = catalog.data("get_job_instance_log", "job", bk_biz_id=2, job_instance_id=job_id)
    assert (step["is_finished"], step["status"]) == (True, 3)
    (group,) = step["step_results"]
    logs = {entry["ip"]: entry["log_content"] for entry in group["ip_logs"]}
    assert set(logs) == {host.ip for host in lab.hosts_of(2)[:2]}
    assert all(text.startswith("hello from ") for text in logs.values())


@pytest.fixture(scope="module")
def simple_lab() -> Iterator[Lab]:
    """The lab of people without root: SSH servers that share one file system."""
    with start_lab(6, kind="asyncssh") as running:
        yield running


def test_the_seeds_run_where_nobody_is_root(
    simple_lab: Lab, fresh_service: NewService, tmp_path: Path
) -> None:
    """Both seeds over SSH servers that need neither root nor anything installed."""
    service = fresh_service(inventory=simple_lab.inventory)
    for text in catalog_files(simple_lab):
        service.apply(text)
    run_script_seed(service)
    source = tmp_path / "sources"
    source.mkdir()
    (source / "shared.txt").write_text("shared\n")
    assert service.credentials is not None
    body = execute_platform_job(simple_lab, service.credentials, script_version_id=ids(service, 2)[1])
    files = body["steps"][1]
    files["file_source"][0]["files"] = [f"{source}/REGEX:[a-z]*.txt"]
    files["file_target_path"] = f"{tmp_path}/[FILESRCIP]/"
    job_id = post(service, "job/execute_platform_job", body)["job_instance_id"]
    status = service.finished(2, job_id)
    assert status["job_instance"]["status"] == 3, json.dumps(status)
    for host in simple_lab.hosts_of(1)[:2]:
        assert (tmp_path / f"0_{host.ip}" / "shared.txt").read_text() == "shared\n"
