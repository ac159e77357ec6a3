"""A service that is killed at any moment brings every job to its true end when it is started again."""

from __future__ import annotations

import itertools
import os
import random
import signal
import time
from collections.abc import Callable, Iterator

import pytest

from tests.e2e.conftest import NewService
from tests.e2e.jobs import Job, Jobs, Source, wait_until
from tests.e2e.restarts import (
    ONCE,
    ansible_of,
    kill_with_children,
    marking,
    marks,
    no_ansible_left,
    ran_once,
    wait_for_end,
    wait_for_start,
    whole_log,
)
from tests.lab import Lab
from tests.support.audits import agrees
from tests.support.service import Service

#: Random kills in one run of the loop, and its seed: more and other ones through the environment.
KILLS = int(os.environ.get("TEST_KILLS", "4"))
SEED = int(os.environ.get("TEST_KILLS_SEED", "0")) or random.SystemRandom().randrange(1, 10**6)

_PLAN = """
scope: {type: biz, id: "1"}
templates:
  - name: two
    steps:
      - {id: 1, name: first, type: 1, target: {host_id_list: [101]},
         script: {language: 1, account: root, content: 'echo first >> "$HOME/steps"'}}
      - {id: 2, name: second, type: 1, target: {host_id_list: [101]},
         script: {language: 1, account: root, content: 'sleep 1; echo second >> "$HOME/steps"'}}
    plans: [{id: 71, name: two}]
"""

Kill = Callable[[Service], None]
_names = (f"durable-{os.getpid()}-{number}" for number in itertools.count())


@pytest.fixture(scope="module")
def killable(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A service of this module's own; each test starts it again. After all of them nothing disagrees."""
    service = Service(data_dir=tmp_path_factory.mktemp("killable") / "data", inventory=lab.inventory)
    service.start()
    service.new_credentials("esb_test")
    service.apply('scope: {type: biz, id: "1"}\naccounts: [{alias: root, account: root}]\n')
    service.apply(_PLAN)
    yield service
    try:
        agrees(service.data_dir, lab.inventory)
    finally:
        service.stop()
    no_ansible_left(service)


@pytest.fixture
def jobs(killable: Service) -> Jobs:
    """Starts jobs on the service that is killed, which runs."""
    assert killable.process is not None
    if killable.process.poll() is not None:
        killable.start()
    return Jobs(killable)


def killed(service: Service) -> None:
    """Only the service: its ansible-playbook goes on."""
    service.kill()


BOTH_WAYS = pytest.mark.parametrize("kill", [killed, kill_with_children], ids=["service", "with-ansible"])


def test_a_job_whose_service_dies_right_after_the_reply_runs(lab: Lab, killable: Service, jobs: Jobs) -> None:
    """What was acknowledged is in the store: the next start runs it, once."""
    hosts, name = lab.hosts_of(1), next(_names)
    job = jobs.script(marking(name, 0.4), 101, 102, 103)
    killable.kill()
    killable.start()
    ran_once(lab, job, hosts, name, 0.4)


@BOTH_WAYS
def test_a_script_under_way_is_followed_to_its_end(
    lab: Lab, killable: Service, jobs: Jobs, kill: Kill
) -> None:
    """The script goes on on its hosts without the service, and is neither lost nor run again."""
    hosts, name = lab.hosts_of(1), next(_names)
    job = jobs.script(marking(name, 6), 101, 102, 103)
    wait_for_start(lab, hosts, name)
    kill(killable)
    killable.start()
    ran_once(lab, job, hosts, name, 6)


def test_an_ansible_that_is_killed_again_and_again_gives_up_no_host(
    lab: Lab, killable: Service, jobs: Jobs
) -> None:
    """Five times in a row, before any host has answered: the sixth one takes what the scripts have done."""
    hosts, name = lab.hosts_of(1), next(_names)
    job = jobs.script(marking(name, 3), 101, 102, 103)
    wait_for_start(lab, hosts, name)
    for _ in range(5):
        wait_until(lambda: ansible_of(killable), "ansible-playbook")
        killed = set(ansible_of(killable))
        for pid in killed:
            os.kill(pid, signal.SIGKILL)
        wait_until(lambda killed=killed: not killed & set(ansible_of(killable)), "its end")
    ran_once(lab, job, hosts, name, 3)


def test_a_script_that_ended_while_the_service_was_down_is_collected(
    lab: Lab, killable: Service, jobs: Jobs
) -> None:
    """Result and log wait on the host until somebody asks."""
    (host,), name = lab.hosts_of(1)[:1], next(_names)
    job = jobs.script(marking(name, 4), 101)
    wait_for_start(lab, [host], name)
    kill_with_children(killable)
    wait_for_end(lab, [host], name)
    killable.start()
    ran_once(lab, job, [host], name, 4)


@BOTH_WAYS
def test_the_next_step_runs_after_a_death_between_steps(
    lab: Lab, killable: Service, jobs: Jobs, kill: Kill
) -> None:
    """A step that ended does not run again, the one after it does run."""
    host = lab.host(101)
    lab.exec(host, f"rm -f {host.home or '/root'}/steps")
    started = killable.data("execute_job_plan", bk_biz_id=1, job_plan_id=71)["job_instance_id"]

    def first_ended() -> bool:
        return bool(killable.status(1, started)["step_instance_list"][0]["status"] == 3)

    wait_until(first_ended, "the end of the first step")
    kill(killable)
    killable.start()
    end = killable.finished(1, started)
    assert [step["status"] for step in end["step_instance_list"]] == [3, 3]
    assert end["job_instance"]["status"] == 3
    assert marks(lab, host, "steps") == ["first", "second"]


@BOTH_WAYS
def test_a_transfer_under_way_is_completed(lab: Lab, killable: Service, jobs: Jobs, kill: Kill) -> None:
    """The target ends with the source's bytes and nothing of the staging."""
    source, target, name = lab.host(101), lab.host(102), next(_names)
    home = target.home or "/root"
    big = f"{source.home or '/root'}/{name}.bin"
    lab.exec(source, f"head -c 5000000 /dev/urandom > {big}")
    job = jobs.files([Source([101], [big])], f"{home}/{name}/", 102, download_speed_limit=1)

    def has_begun() -> bool:
        return "job-" in lab.exec(target, f"ls -A {home}/{name}").stdout

    wait_until(has_begun, "the transfer")
    kill(killable)
    killable.start()
    job.succeeded()
    assert lab.read(target, f"{home}/{name}/{name}.bin") == lab.read(source, big)
    assert lab.exec(target, f"ls -A {home}/{name}").stdout.split() == [f"{name}.bin"]


@BOTH_WAYS
def test_a_terminate_under_way_is_carried_out(lab: Lab, killable: Service, jobs: Jobs, kill: Kill) -> None:
    """Once terminate was acknowledged the job ends terminated, whoever dies."""
    hosts, name = lab.hosts_of(1), next(_names)
    job = jobs.script(marking(name, 60), 101, 102, 103)
    wait_for_start(lab, hosts, name)
    killable.data("operate_job_instance", bk_biz_id=1, job_instance_id=job.id, operation_code=1)
    kill(killable)
    killable.start()
    assert job.status == 11
    assert set(job.statuses.values()) == {403}
    assert all(marks(lab, host, name) == ["start"] for host in hosts)


def test_random_kills_lose_nothing_and_run_nothing_twice(lab: Lab, killable: Service, jobs: Jobs) -> None:
    """Killed again and again at random moments (TEST_KILLS, TEST_KILLS_SEED), all jobs end as they should."""
    print(f"seed {SEED}, {KILLS} kills")
    chance = random.Random(SEED)
    hosts = lab.hosts_of(1)
    running: list[tuple[Job, str]] = []
    for number in range(KILLS):
        if number % 2 == 0:
            name = next(_names)
            running.append((jobs.script(marking(name, 3), 101, 102, 103), name))
        time.sleep(chance.uniform(0, 3))
        chance.choice([killed, kill_with_children])(killable)
        killable.start()
    for job, name in running:
        assert job.status == 3, f"seed {SEED}: {job.why()}"
        for host in hosts:
            assert marks(lab, host, name) == ONCE, f"seed {SEED}, job {job.id}, {host.name}"
            assert job.log(host.bk_host_id) == whole_log(3), f"seed {SEED}, job {job.id}, {host.name}"


def test_a_worker_that_comes_later_runs_what_the_api_took(lab: Lab, fresh_service: NewService) -> None:
    """`serve --no-worker` only stores jobs; a process with a worker on the same data directory runs them."""
    api, name = fresh_service("--no-worker"), next(_names)
    job = Jobs(api).script(marking(name, 0.4), 101)
    time.sleep(2)
    assert api.status(1, job.id)["job_instance"]["status"] == 1
    worker = Service(data_dir=api.data_dir, inventory=api.inventory).start()
    try:
        ran_once(lab, job, [lab.host(101)], name, 0.4)
    finally:
        assert worker.stop() == 0
