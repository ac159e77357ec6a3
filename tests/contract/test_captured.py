"""What scripts left of variables is stored with their hosts' results, the same whoever writes it and how often."""

from __future__ import annotations

import itertools

import pytest
import sqlalchemy as sa
from cryptography.fernet import Fernet

from adapter.job.model import Host, HostResult, JobInstance, JobVariable, Scope, ScriptTask, StepInstance
from adapter.job.status import HostStatus
from adapter.job.variables import CapturedValue
from adapter.store import tables
from adapter.store.claims import Claim, ClaimLost
from adapter.store.jobs import JobStore
from adapter.store.secrets import SecretBox

HOSTS = tuple(Host(bk_host_id=id_, bk_cloud_id=0, ip=f"10.0.0.{id_}", name=f"h{id_}") for id_ in (1, 2, 3))


def stored(jobs: JobStore, *variables: JobVariable) -> JobInstance:
    steps = tuple(
        StepInstance(order=order, script=ScriptTask(language=1, content=""), create_time=1)
        for order in range(3)
    )
    job = JobInstance(scope=Scope("biz", "2"), steps=steps, create_time=1)
    return jobs.add(job, [HOSTS] * 3, variables)


def save(
    jobs: JobStore, step: StepInstance, host: Host, *values: tuple[str, str, bool], count: int = 0
) -> None:
    """A host's end with values: name, value, whether it is the host's own."""
    order = HOSTS.index(host)
    captured = [
        CapturedValue(bk_host_id=host.bk_host_id if own else None, name=name, value=value, host_order=order)
        for name, value, own in values
    ]
    result = HostResult(host=host, status=HostStatus.SUCCESS, exit_code=0)
    jobs.save_hosts(step.id, count, [result], captured=captured)


def values(
    jobs: JobStore, job: JobInstance, before: int | None = None
) -> list[tuple[str, str, int | None, str]]:
    return [
        (item.name, item.value, item.bk_host_id, item.label)
        for _, item in jobs.captured(job.id, before=before)
    ]


def test_the_first_of_the_targets_speaks_for_the_job(jobs: JobStore) -> None:
    """Whichever ends first, and if it is told twice."""
    for order in itertools.permutations(HOSTS):
        job = stored(jobs)
        for host in (*order, order[0]):
            save(jobs, job.steps[0], host, ("A", f"of {host.name}", False))
        assert values(jobs, job) == [("A", "of h1", None, "")]


def test_each_host_has_its_own(jobs: JobStore) -> None:
    """The first word of each stays; hosts are told by cloud and address."""
    job = stored(jobs)
    for host in (HOSTS[1], HOSTS[0]):
        save(jobs, job.steps[0], host, ("N", host.name, True))
        save(jobs, job.steps[0], host, ("N", "again", True))
    assert values(jobs, job) == [("N", "h1", 1, "0:10.0.0.1"), ("N", "h2", 2, "0:10.0.0.2")]
    assert jobs.captured(job.id, of_hosts=False) == []


def test_values_come_in_the_order_of_steps_and_executions(jobs: JobStore) -> None:
    """Whenever they were written; a step asks for those before it alone, so repeating it changes nothing."""
    job, other = stored(jobs), stored(jobs)
    save(jobs, other.steps[0], HOSTS[0], ("A", "other", False))
    save(jobs, job.steps[1], HOSTS[0], ("A", "second", False))
    save(jobs, job.steps[0], HOSTS[2], ("A", "repeated", False), count=1)
    save(jobs, job.steps[0], HOSTS[0], ("A", "first", False))
    assert [value for _, value, *_ in values(jobs, job)] == ["first", "repeated", "second"]
    assert [value for _, value, *_ in values(jobs, job, before=1)] == ["first", "repeated"]
    assert values(jobs, job, before=0) == []


def test_a_value_is_stored_with_its_host_s_result_or_not_at_all(jobs: JobStore, engine: sa.Engine) -> None:
    """A worker that has lost the job writes neither."""
    job = stored(jobs)
    with pytest.raises(ClaimLost):
        save(jobs.under(Claim(job.id, 7, "nobody")), job.steps[0], HOSTS[0], ("A", "x", False))
    assert values(jobs, job) == []
    assert jobs.hosts(job.steps[0].id, 0)[0].status is HostStatus.WAITING
    with engine.begin() as connection:
        connection.execute(sa.delete(tables.job_instance))
        assert connection.scalar(sa.select(sa.func.count()).select_from(tables.captured_value)) == 0


def test_ciphers_are_encrypted(jobs: JobStore, engine: sa.Engine) -> None:
    """They are read in clear by whoever runs the step, and by nobody else."""
    kept = (
        JobVariable(name="P", type=4, value="hush"),
        JobVariable(name="A", type=1, value="plain", changeable=True),
    )
    job = stored(jobs, *kept)
    assert jobs.variables(job.id, in_clear=True) == kept
    assert [each.value for each in jobs.variables(job.id)] == ["******", "plain"]
    with engine.begin() as connection:
        rows = connection.execute(sa.select(tables.job_variable)).all()
    assert "hush" not in str(rows)
    with pytest.raises(ValueError, match=r"secret\.key"):
        JobStore(engine, SecretBox(Fernet.generate_key())).variables(job.id, in_clear=True)
