"""Starts a lab and the service, sends both seed requests, follows them, prints everything, cleans up.

Exit code 0 only if both jobs end as they should and the files have arrived.
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

from tests.lab import Lab, start_lab
from tests.seeds import catalog_files, execute_platform_job, fast_execute_script
from tests.support.service import Credentials, Service

_ESB = "/api/c/compapi/v2"
_HOSTS = 6


def main() -> int:
    """Run the demo; 0 if both seeds did what they should."""
    directory = Path(tempfile.mkdtemp(prefix="adapter-demo-"))
    service = Service(data_dir=directory / "data", inventory=directory)
    ended_well = False
    try:
        with start_lab(_HOSTS) as lab:
            _say(f"lab: {len(lab.hosts)} SSH hosts ({lab.kind}), inventory {lab.inventory}")
            service.inventory = lab.inventory
            service.start()
            _say(f"service: {service.url}, data directory {service.data_dir}")
            try:
                ended_well = _both_seeds(lab, service)
            finally:
                service.stop()
    finally:
        if ended_well:
            kept = directory / "artifacts"
            (service.data_dir / "artifacts").rename(kept)
            shutil.rmtree(service.data_dir)
            _say("cleaned up, but for the artifacts, which ansible-runner's own tools open:")
            for artifact in sorted(kept.glob("*/*/*")):
                _say(f"  {artifact}")
        else:
            _say(f"something is wrong; what there is to look at: {directory}")
    _say("both seed requests ended as they should" if ended_well else "the demo FAILED")
    return 0 if ended_well else 1


def _both_seeds(lab: Lab, service: Service) -> bool:
    credentials = service.new_credentials("esb_test")
    for text in catalog_files(lab):
        service.apply(text)
    place = _place(lab, service)
    for host, name in zip(lab.hosts_of(1), ("alpha", "beta", "gamma"), strict=False):
        lab.exec(host, f"mkdir -p {place} && echo {name} > {place}/{name}.txt")
    return all([_script_seed(service, credentials), _platform_seed(lab, service, credentials, place)])


def _place(lab: Lab, service: Service) -> str:
    """/tmp, as in the seed; hosts without a /tmp of their own get a directory that is cleaned up."""
    return "/tmp" if lab.isolated else str(service.data_dir / "files")


def _script_seed(service: Service, credentials: Credentials) -> bool:
    account = service.data("get_account_list", bk_biz_id=1)["data"][0]["id"]
    version = service.data("get_script_list", bk_biz_id=1)["data"][0]["online_script_version_id"]
    body = fast_execute_script(credentials, account_id=account, script_version_id=version)
    status = _run(service, f"{_ESB}/jobv3/fast_execute_script/", body, credentials, biz=1)
    logs = _print_scripts(service, 1, status)
    return status["job_instance"]["status"] == 3 and all(text.startswith("hello from ") for text in logs)


def _platform_seed(lab: Lab, service: Service, credentials: Credentials, place: str) -> bool:
    version = service.data("get_script_list", bk_biz_id=2)["data"][0]["online_script_version_id"]
    body = execute_platform_job(lab, credentials, script_version_id=version, directory=place)
    status = _run(service, f"{_ESB}/job/execute_platform_job/", body, credentials, biz=2)
    logs = _print_scripts(service, 2, status)
    arrived = lab.exec(lab.hosts_of(2)[0], f"ls -d {place}/0_*/*.txt").stdout
    _say("  files on the first target:")
    for line in str(arrived).split():
        _say(f"    {line}")
    return status["job_instance"]["status"] == 3 and bool(logs) and "alpha.txt" in str(arrived)


def _run(
    service: Service, path: str, body: dict[str, Any], credentials: Credentials, biz: int
) -> dict[str, Any]:
    _say(f"\nPOST {path}")
    shown = body | {"bk_app_secret": "…", "bk_token": "…"}
    _say(f"  {json.dumps(shown)}")
    reply = service.post(path, body)
    _say(f"  -> {json.dumps({key: reply[key] for key in ('result', 'code', 'message', 'data')})}")
    if not reply["result"]:
        raise SystemExit("the request was refused")
    return service.finished(biz, reply["data"]["job_instance_id"])


def _print_scripts(service: Service, biz: int, status: dict[str, Any]) -> list[str]:
    """Every step and host with state, exit code and log; the texts that scripts printed."""
    job = status["job_instance"]
    texts = []
    _say(f"  job {job['job_instance_id']} {job['name']!r}: status {job['status']}, {job['total_time']} ms")
    for step in status["step_instance_list"]:
        _say(f"    step {step['step_instance_id']} {step['name']!r}: status {step['status']}")
        for host in step["step_ip_result_list"]:
            _say(f"      {host['ip']}: status {host['status']}, exit code {host['exit_code']}")
            place = (biz, job["job_instance_id"], step["step_instance_id"], host["bk_host_id"])
            if step["type"] == 1:
                texts.append(service.log_of(*place))
                _say("".join(f"        | {line}\n" for line in texts[-1].splitlines()).rstrip("\n"))
            else:
                for entry in service.file_logs_of(*place):
                    _say(f"        | {entry['log_content']}")
    return texts


def _say(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main())
