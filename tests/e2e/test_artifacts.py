"""A step's artifact is an ordinary private data directory: anyone runs it again, anywhere (design D3)."""

from __future__ import annotations

import secrets
import shutil
from pathlib import Path
from typing import Any

import httpx
import pytest

from adapter.config import Settings
from tests.e2e.by_hand import downloaded, run_by_hand
from tests.e2e.jobs import Job, Jobs, Source
from tests.lab import Lab


def copied(job: Job, to: Path) -> Path:
    """The artifact of a job's step as a person would download it."""
    (artifact,) = (job.service.data_dir / "artifacts" / str(job.id)).glob("*/0")
    return Path(shutil.copytree(artifact, to / f"artifact{job.id}"))


def test_a_script_step_is_run_again_by_hand(jobs: Jobs, tmp_path: Path) -> None:
    """Copied elsewhere, twice: the same exit codes and output on the same hosts, a failure as a failure."""
    text = 'echo "said $1 on $(id -un)"; case "$(hostname) $HOME" in *lab102*) exit 5;; esac'
    job = jobs.script(text, 101, 102, param="'{{ x }}'")
    assert {host_id: state[:2] for host_id, state in job.states.items()} == {101: (9, 0), 102: (104, 5)}
    artifact = copied(job, tmp_path)
    for _ in range(2):
        code, results = run_by_hand(artifact)
        assert code == 2
        assert {name: result["job"]["exit_code"] for name, result in results.items()} == {
            "lab101": 0,
            "lab102": 5,
        }
        assert results["lab101"]["stdout"] == job.log(101) == "said {{ x }} on root\n"


def test_a_file_step_is_run_again_by_hand(lab: Lab, jobs: Jobs, tmp_path: Path) -> None:
    """The files are fetched and sent anew, also what has changed meanwhile."""
    if not lab.isolated:
        pytest.skip("source and target need file systems of their own")
    place = f"/srv/a{secrets.token_hex(4)}"
    lab.exec(lab.host(101), f"mkdir -p {place}; echo one > {place}/f")
    job = jobs.files([Source([101], [f"{place}/f"])], f"{place}/[FILESRCIP]", 102).succeeded()
    arrived = f"{place}/0_{lab.host(101).ip}/f"
    assert lab.read(lab.host(102), arrived) == b"one\n"
    lab.exec(lab.host(101), f"echo two > {place}/f")
    code, results = run_by_hand(copied(job, tmp_path))
    assert (code, results["lab102"]["job"]["state"]) == (0, "ok")
    assert lab.read(lab.host(102), arrived) == b"two\n"


def test_what_needs_a_secret_says_so_by_hand(jobs: Jobs, tmp_path: Path) -> None:
    """A sensitive parameter is not in the artifact: the run refuses with the reason, and starts nothing."""
    job = jobs.script("echo it ran", 101, param="hush", is_param_sensitive=1).succeeded()
    code, results = run_by_hand(copied(job, tmp_path))
    assert code == 2
    assert results["lab101"]["job"]["state"] == "refused"
    assert "is kept by the service, not in this artifact" in results["lab101"]["msg"]


def test_a_bundle_is_all_that_a_run_needs(jobs: Jobs, tmp_path: Path) -> None:
    """Nothing of it names the service's machine: the collection comes along, and no result or log is in it."""
    text = 'echo "said $1"; case "$(hostname) $HOME" in *lab102*) exit 5;; esac'
    job = jobs.script(text, 101, 102, param="'{{ x }}'")
    assert job.status == 4
    bundle = downloaded(job, tmp_path, execute_count=0)
    assert {path.name for path in bundle.iterdir()} == {"inventory", "project", "env"}
    content = b"".join(path.read_bytes() for path in bundle.rglob("*") if path.is_file())
    for path in (job.service.data_dir, Settings().playbooks):
        assert str(path).encode() not in content
    code, results = run_by_hand(bundle)
    assert code == 2
    exits = {name: result["job"]["exit_code"] for name, result in results.items()}
    assert exits == {"lab101": 0, "lab102": 5}
    assert results["lab101"]["stdout"] == job.log(101)


def test_a_bundle_of_another_account_keeps_its_secrets(jobs: Jobs, tmp_path: Path) -> None:
    """Its files say where a secret would be asked for; the parameter of a sensitive job is in none."""
    job = jobs.script("true", 101, param="hunter2-in-a-bundle", is_param_sensitive=1).succeeded()
    bundle = downloaded(job, tmp_path)
    assert not [path for path in bundle.rglob("*") if path.is_file() and b"hunter2" in path.read_bytes()]


@pytest.mark.parametrize(
    ("path", "query", "code"),
    [
        ("999999", {}, 1244006),
        ("0", {}, 1241007),
        ("{step}", {"execute_count": 7}, 1241003),
        ("{step}", {"execute_count": -1}, 1241007),
        ("{step}", {"bk_biz_id": 2}, 1244006),
    ],
)
def test_no_bundle(jobs: Jobs, path: str, query: dict[str, Any], code: int) -> None:
    """Of no step, of another business, of an execution that never was: said in the envelope."""
    job = jobs.script("true", 101).succeeded()
    assert job.service.credentials is not None
    reply = httpx.get(
        f"{job.service.url}/api/ext/v1/step_instances/{path.format(step=job.step_id)}/bundle",
        params={"bk_biz_id": job.biz, **query},
        headers=job.service.credentials.in_header(),
        trust_env=False,
    )
    assert reply.json()["code"] == code, reply.text
