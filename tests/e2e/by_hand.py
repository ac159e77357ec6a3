"""A step's private data directory in the hands of a person: downloaded, and run with ansible-runner alone."""

from __future__ import annotations

import io
import json
import os
import secrets
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Any

import httpx

from tests.e2e.jobs import Job


def run_by_hand(artifact: Path) -> tuple[int, dict[str, dict[str, Any]]]:
    """`ansible-runner run`: its exit code and the last result of each host."""
    runner = Path(sys.executable).with_name("ansible-runner")
    ident = f"by-hand-{secrets.token_hex(4)}"
    argv = [str(runner), "run", str(artifact), "-p", "step.yml", "--ident", ident, "--quiet"]
    environment = {
        "PATH": f"{runner.parent}:{os.environ['PATH']}",
        "HOME": os.environ["HOME"],
        "ANSIBLE_SSH_ARGS": "-o ControlMaster=no -o ConnectTimeout=4",
    }
    done = subprocess.run(argv, capture_output=True, text=True, env=environment, timeout=90, check=False)
    results: dict[str, dict[str, Any]] = {}
    events = sorted(
        (artifact / "artifacts" / ident / "job_events").glob("*.json"),
        key=lambda path: int(path.name.partition("-")[0]),
    )
    for path in events:
        event = json.loads(path.read_text())
        if event["event"] in ("runner_on_ok", "runner_on_failed", "runner_on_unreachable"):
            results[event["event_data"]["host"]] = event["event_data"]["res"]
    assert results, done.stdout + done.stderr
    return done.returncode, results


def downloaded(job: Job, to: Path, **query: Any) -> Path:
    """The step's bundle, unpacked."""
    assert job.service.credentials is not None
    reply = httpx.get(
        f"{job.service.url}/api/ext/v1/step_instances/{job.step_id}/bundle",
        params={"bk_biz_id": job.biz, **query},
        headers=job.service.credentials.in_header(),
        trust_env=False,
    )
    assert (reply.status_code, reply.headers["Content-Type"]) == (200, "application/gzip"), reply.text
    with tarfile.open(fileobj=io.BytesIO(reply.content)) as tar:
        tar.extractall(to, filter="data")
    (directory,) = to.iterdir()
    assert directory.name == f"step-{job.step_id}.0"
    return directory
