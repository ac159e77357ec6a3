"""Several workers over one PostgreSQL: whatever becomes of one, or of the database, every script runs once."""

from __future__ import annotations

import itertools
import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from adapter.cli import main
from adapter.engine.lease import FENCE, LEASE
from adapter.store.database import open_database
from adapter.store.tables import installation, job_instance
from tests.e2e.jobs import Job, Jobs, wait_until
from tests.e2e.restarts import descendants, is_alive, marking, marks, ran_once, wait_for_start
from tests.e2e.test_callback import Receiver
from tests.lab import Lab, start_lab
from tests.support.last_words import last_words
from tests.support.nodes import Nodes, WorkerNode
from tests.support.postgres import Cluster
from tests.support.service import Credentials

pytestmark = pytest.mark.timeout(400)

#: What the issue asks for is 30.
_TAKEN_OVER_WITHIN = 30
_ENVIRONMENT = {"ANSIBLE_SSH_ARGS": "-o ControlMaster=auto -o ControlPersist=2s -o ConnectTimeout=4"}
_names = (f"shared-{os.getpid()}-{number}" for number in itertools.count())

NewNodes = Callable[..., Nodes]


@pytest.fixture(scope="module")
def crowd() -> Iterator[Lab]:
    """Sixty hosts: 101 to 130 are in business 1, the others in business 2."""
    with start_lab(60) as running:
        yield running


def prepare(url: str, directory: Path) -> Credentials:
    """An application and the account `root` in both businesses."""

    def adapter(*words: str) -> str:
        command = [*words, "--data-dir", str(directory), "--database-url", url]
        done = CliRunner().invoke(main, command, catch_exceptions=False)
        assert done.exit_code == 0, done.output
        return done.stdout

    secret = json.loads(adapter("app", "create", "esb_test", "--act-as-any-user"))["bk_app_secret"]
    token = json.loads(adapter("token", "create", "--app", "esb_test", "--user", "admin"))["access_token"]
    for biz in (1, 2):
        path = directory / "accounts.yml"
        path.write_text(f'scope: {{type: biz, id: "{biz}"}}\naccounts: [{{alias: root, account: root}}]\n')
        adapter("apply", "-f", str(path))
    engine = open_database(url)
    with engine.begin() as connection:
        connection.execute(sa.delete(installation))  # each test's nodes have a key of their own
    engine.dispose()
    return Credentials("esb_test", secret, token)


@pytest.fixture
def new_nodes(crowd: Lab, tmp_path: Path) -> Iterator[NewNodes]:
    """Makes nodes over a database; they are stopped afterwards."""
    made: list[Nodes] = []

    def new(url: str) -> Nodes:
        made.append(
            Nodes(url, tmp_path / "nodes", crowd.inventory, prepare(url, tmp_path / "cli"), _ENVIRONMENT)
        )
        return made[-1]

    (tmp_path / "cli").mkdir()
    yield new
    for nodes in made:
        nodes.stop()


@pytest.fixture
def nodes(postgresql_url: str, new_nodes: NewNodes) -> Iterator[Nodes]:
    """Over a database of their own, which at the end agrees with artifacts and hosts."""
    made = new_nodes(postgresql_url)
    yield made
    made.agree()


def started(crowd: Lab, nodes: Nodes, job: Job, name: str, count: int) -> WorkerNode:
    """The worker that has the job, once its script has started on all hosts."""
    wait_for_start(crowd, crowd.hosts_of(1)[:count], name)
    owner = nodes.has(job.id)
    assert owner is not None, f"the job was over before the test could go on\n{last_words()}"
    return owner


def other_than(nodes: Nodes, owner: WorkerNode) -> WorkerNode:
    """Another worker."""
    return next(node for node in nodes.workers if node is not owner)


def taken_over(nodes: Nodes, job: Job, by: WorkerNode) -> float:
    """Seconds until the other has the job."""
    began = time.monotonic()
    wait_until(lambda: nodes.has(job.id) is by, "the takeover", _TAKEN_OVER_WITHIN)
    return time.monotonic() - began


@pytest.mark.parametrize("warm", [True, False], ids=["warm", "cold"])
def test_a_killed_workers_job_goes_on_elsewhere(crowd: Lab, nodes: Nodes, warm: bool) -> None:
    """Thirty hosts: each script runs once and each log is whole, whichever process died."""
    options = () if warm else ("--no-warm-ansible",)
    api, _, _ = nodes.api(), nodes.worker(*options), nodes.worker(*options)
    hosts, name = crowd.hosts_of(1), next(_names)
    assert len(hosts) == 30
    job = Jobs(api).script(marking(name, 30), *(host.bk_host_id for host in hosts))
    owner = started(crowd, nodes, job, name, 30)
    children = descendants(owner.pid)
    owner.kill()
    seconds = taken_over(nodes, job, other_than(nodes, owner))
    print(f"{seconds:.1f} s from SIGKILL to the next claim")
    assert not [pid for pid in children if is_ansible(pid)], "the guard ends what the worker left"
    ran_once(crowd, job, hosts, name, 30)


def test_a_terminate_is_carried_out_by_whoever_takes_over(crowd: Lab, nodes: Nodes) -> None:
    """Asked for before or after its worker was killed: the scripts end on the hosts, not only in the store."""
    api = nodes.api()
    owner, hosts, name = nodes.worker(), crowd.hosts_of(1)[:3], next(_names)
    jobs = [Jobs(api).script(marking(f"{name}-{number}", 60), *range(101, 104)) for number in range(2)]
    for number, job in enumerate(jobs):
        assert started(crowd, nodes, job, f"{name}-{number}", 3) is owner
    for number, job in enumerate(jobs):
        if number == 1:
            owner.kill()
        api.data("operate_job_instance", bk_biz_id=1, job_instance_id=job.id, operation_code=1)
    nodes.worker()
    for number, job in enumerate(jobs):
        assert job.status == 11, job.why()
        assert set(job.statuses.values()) == {403}
        assert all(marks(crowd, host, f"{name}-{number}") == ["start"] for host in hosts)
    assert not crowd.exec(hosts[0], "pgrep -af '[b]kjob.*/script'").stdout


def is_ansible(pid: int) -> bool:
    """True for a process that runs a play."""
    try:
        return b"ansible-playbook" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False


def test_a_frozen_worker_that_wakes_does_no_harm_and_works_on(crowd: Lab, nodes: Nodes) -> None:
    """Frozen past its lease, with plays that nobody froze; awake again it is a new worker."""
    api = nodes.api()
    frozen, hosts, name = nodes.worker(), crowd.hosts_of(1)[:5], next(_names)
    job = Jobs(api).script(marking(name, 30), *(host.bk_host_id for host in hosts))
    assert started(crowd, nodes, job, name, 5) is frozen
    other = nodes.worker()
    frozen.signal(signal.SIGSTOP)
    taken_over(nodes, job, other)
    assert not [pid for pid in descendants(frozen.pid) if is_ansible(pid)]
    frozen.signal(signal.SIGCONT)
    wait_until(lambda: len(frozen.events("worker_began")) >= 2, "its second life")
    ran_once(crowd, job, hosts, name, 30)
    assert not frozen.events("job_abnormal")
    other.stop()
    Jobs(api).script("true", 101).succeeded()


def test_a_worker_that_wakes_when_all_is_over_changes_nothing(crowd: Lab, nodes: Nodes) -> None:
    """Its step was to end while it was frozen; the job is told of as the other worker saw it."""
    api = nodes.api()
    frozen, hosts, name = nodes.worker(), crowd.hosts_of(1)[:3], next(_names)
    job = Jobs(api).script(marking(name, 12), *(host.bk_host_id for host in hosts))
    assert started(crowd, nodes, job, name, 3) is frozen
    frozen.signal(signal.SIGSTOP)
    other = nodes.worker()
    taken_over(nodes, job, other)
    ran_once(crowd, job, hosts, name, 12)
    before = api.status(1, job.id)
    frozen.signal(signal.SIGCONT)
    wait_until(lambda: len(frozen.events("worker_began")) >= 2, "its second life")
    time.sleep(2)
    assert api.status(1, job.id) == before
    ran_once(crowd, Job(api, 1, job.id, job.step_id), hosts, name, 12)


def test_sigterm_hands_a_job_to_another_worker_at_once(crowd: Lab, nodes: Nodes) -> None:
    """No lease has to run out; the worker ends with 0, and nothing of it is left."""
    api = nodes.api()
    first, hosts, name = nodes.worker("--drain-seconds", "1"), crowd.hosts_of(1)[:3], next(_names)
    job = Jobs(api).script(marking(name, 20), *(host.bk_host_id for host in hosts))
    assert started(crowd, nodes, job, name, 3) is first
    second = nodes.worker()
    children = descendants(first.pid)
    began = time.monotonic()
    assert first.stop() == 0
    assert taken_over(nodes, job, second) < LEASE
    print(f"{time.monotonic() - began:.1f} s from SIGTERM to the next claim, 1 s of it draining")
    wait_until(lambda: not [pid for pid in children if is_alive(pid)], "the end of all that it started")
    ran_once(crowd, job, hosts, name, 20)


def test_sigterm_lets_a_short_job_finish_and_takes_no_other(crowd: Lab, nodes: Nodes) -> None:
    """While one drains, the other works."""
    api = nodes.api()
    first, name = nodes.worker(), next(_names)
    job = Jobs(api).script(marking(name, 10), 101)
    assert started(crowd, nodes, job, name, 1) is first
    first.signal(signal.SIGTERM)
    wait_until(lambda: first.events("draining"), "the draining")
    waits = Jobs(api).script("true", 102)
    assert first.process is not None
    assert first.process.wait(60) == 0
    ran_once(crowd, job, crowd.hosts_of(1)[:1], name, 10)
    assert not api.status(1, waits.id)["finished"]
    nodes.worker()
    waits.succeeded()


def began(worker: WorkerNode) -> set[str]:
    """The workers that a process has been, by their ids."""
    return {str(event["worker"]) for event in worker.events("worker_began")}


def has_begun_again(worker: WorkerNode) -> bool:
    """True for a process that is not the worker any more that it was first."""
    return len(began(worker)) > 1


@pytest.mark.parametrize("seconds", [0, 15], ids=["at-once", "after-15-s"])
def test_a_database_that_restarts_under_running_jobs_loses_nothing(
    crowd: Lab, new_nodes: NewNodes, seconds: float
) -> None:
    """Away for longer than a lease, every worker lets go, and nobody takes another for dead when it is back."""
    with Cluster() as cluster:
        nodes = new_nodes(cluster.new_database())
        api, hosts, name = nodes.api(), crowd.hosts_of(1)[:5], next(_names)
        workers = [nodes.worker(), nodes.worker()]
        jobs = [Jobs(api).script(marking(f"{name}-{host.bk_host_id}", 12), host.bk_host_id) for host in hosts]
        for host in hosts:
            wait_for_start(crowd, [host], f"{name}-{host.bk_host_id}")
        cluster.stop(signal.SIGQUIT)
        time.sleep(seconds)
        cluster.start()
        for job, host in zip(jobs, hosts, strict=True):
            ran_once(crowd, job, [host], f"{name}-{host.bk_host_id}", 12)
        for worker in workers:
            if seconds > FENCE:
                wait_until(partial(has_begun_again, worker), "it to begin again: it let go of everything")
            assert {event["worker"] for event in worker.events("took_over")} <= began(worker)
        nodes.agree()
        nodes.stop()


def test_one_business_does_not_keep_another_from_running(crowd: Lab, nodes: Nodes) -> None:
    """A hundred long jobs of one; the single job of the other begins at once, whatever the order."""
    api = nodes.api()
    for _ in range(2):
        nodes.worker("--max-running-jobs", "4", "--drain-seconds", "0")
    many, single = Jobs(api, 1), Jobs(api, 2)
    for _ in range(100):
        many.script("sleep 100", 101)
    claimed = job_instance.c.worker_id.is_not(None)
    wait_until(lambda: nodes.count(claimed) == 6, "three quarters of eight places")
    time.sleep(2)
    assert nodes.count(claimed) == 6
    host = crowd.hosts_of(2)[0].bk_host_id
    began = time.monotonic()
    single.script("true", host).succeeded()
    print(f"{time.monotonic() - began:.1f} s for the single job of the other business")
    assert nodes.count(claimed) == 6


def test_workers_are_shown_and_strangers_are_refused(crowd: Lab, nodes: Nodes, tmp_path: Path) -> None:
    """`adapter workers`; a node with a key of its own says which file to copy, and leaves no key behind."""
    first = nodes.worker()
    second = nodes.worker("--max-running-jobs", "3")
    assert second.stop() == 0
    command = ["workers", "--data-dir", str(first.data_dir), "--database-url", nodes.url]

    def shown() -> list[list[str]]:
        done = CliRunner().invoke(main, command, catch_exceptions=False)
        return [line.split() for line in done.stdout.splitlines()]

    wait_until(lambda: "ended" in " ".join(shown()[1]), "somebody to look after the second one")
    title, ended, working = shown()
    assert title == ["WORKER", "MACHINE", "PID", "STATE", "JOBS", "LAST", "BEAT"]
    assert ended[2:4] == [str(second.pid), "ended"]
    assert working[2:7] == [str(first.pid), "working", "0", "of", "16"]
    assert int(working[7]) < 20
    stranger = tmp_path / "stranger"
    done = CliRunner().invoke(main, ["workers", "--data-dir", str(stranger), "--database-url", nodes.url])
    assert done.exit_code == 1
    assert (
        f"copy secret.key from the data directory of a node that works to {stranger}/secret.key"
        in done.output
    )
    assert not (stranger / "secret.key").exists()


def test_a_job_of_another_process_begins_promptly(crowd: Lab, nodes: Nodes) -> None:
    """Workers look for jobs four times a second."""
    api = nodes.api()
    nodes.worker()
    Jobs(api).script("true", 101).succeeded()  # the inventory is read, Ansible is warm
    job = Jobs(api).script("true", 101)
    began = time.monotonic()
    wait_until(lambda: api.status(1, job.id)["job_instance"]["status"] != 1, "the job's begin")
    print(f"{time.monotonic() - began:.2f} s from the reply to the job's begin")
    job.succeeded()


def test_a_callback_of_a_killed_worker_is_told_by_another(crowd: Lab, nodes: Nodes) -> None:
    """It died while the receiver was thinking: told again, once."""
    receiver = Receiver()
    receiver.delay = 8
    try:
        api, first = nodes.api(), nodes.worker()
        job = Jobs(api).script("true", 101, callback_url=receiver.url)
        wait_until(lambda: receiver.got, "the callback")
        first.kill()
        receiver.delay = 0
        nodes.worker()
        wait_until(lambda: len(receiver.got) >= 2, "the callback told again", _TAKEN_OVER_WITHIN + 30)
        assert job.status == 3
        assert len(receiver.got) == 2
        assert receiver.got[0] == receiver.got[1]
        assert json.loads(receiver.got[1][2])["job_instance_id"] == job.id
    finally:
        receiver.close()


def test_two_hundred_jobs_at_once_all_run_once(crowd: Lab, nodes: Nodes) -> None:
    """Over two API processes and two workers, submitted from many threads."""
    apis = [nodes.api(), nodes.api()]
    for _ in range(2):
        nodes.worker()
    hosts, name = crowd.hosts_of(1), next(_names)
    with ThreadPoolExecutor(20) as pool:
        began = time.monotonic()
        jobs = list(
            pool.map(
                lambda number: Jobs(apis[number % 2]).script(
                    f'echo {number} >> "$HOME/{name}"; echo {number}', hosts[number % 30].bk_host_id
                ),
                range(200),
            )
        )
        print(f"{time.monotonic() - began:.1f} s to submit 200 jobs")
    unfinished = job_instance.c.status.in_((1, 2))
    wait_until(lambda: nodes.count(unfinished) == 0, "the end of all jobs", 350)
    print(f"{time.monotonic() - began:.1f} s for 200 jobs")
    assert nodes.count(job_instance.c.status == 3) == 200
    ran = [int(number) for host in hosts for number in marks(crowd, host, name)]
    assert sorted(ran) == list(range(200))
    for number in (0, 99, 199):
        assert jobs[number].log(hosts[number % 30].bk_host_id) == f"{number}\n"
