"""What the store of callbacks promises, on a real database."""

from __future__ import annotations

import sqlalchemy as sa
from cryptography.fernet import Fernet

from adapter.job.callbacks import CallbackState, Delivery
from adapter.job.commands import Caller
from adapter.job.model import JobInstance, Scope, ScriptTask, StepInstance
from adapter.job.status import RunStatus
from adapter.store import tables
from adapter.store.callbacks import MAX_DELIVERIES, CallbackStore
from adapter.store.jobs import JobStore
from adapter.store.secrets import SecretBox

JOB = JobInstance(
    scope=Scope("biz", "2"),
    callback_url="http://10.0.0.1/",
    steps=(StepInstance(script=ScriptTask(language=1, content="true"), create_time=1),),
    create_time=1,
)


def delivery(attempt: int) -> Delivery:
    """A POST."""
    return Delivery(
        completion=1,
        attempt=attempt,
        content_type="application/json",
        url="http://10.0.0.1/",
        status=500,
        error=None,
        start_time=attempt,
        duration=7,
    )


def test_a_job_s_log_is_bounded_and_goes_with_the_job(engine: sa.Engine) -> None:
    """The newest stay; another job's are its own."""
    jobs, store = JobStore(engine, SecretBox(Fernet.generate_key())), CallbackStore(engine)
    one, other = (jobs.add(JOB, [()]).id for _ in range(2))
    jobs.finish_job(one, RunStatus.SUCCESS, 1)
    for number in range(MAX_DELIVERIES + 3):
        store.log(one, delivery(number))
    store.log(other, delivery(7))
    assert [told.attempt for told in store.deliveries(one)] == list(range(3, MAX_DELIVERIES + 3))
    assert store.deliveries(other) == (delivery(7),)
    with engine.begin() as connection:
        connection.execute(sa.delete(tables.job_instance).where(tables.job_instance.c.id == one))
    assert (store.deliveries(one), store.of_job(one)) == ((), ())


def test_what_was_delivered_stays_delivered(engine: sa.Engine) -> None:
    """Two that told it at once do not argue."""
    jobs, store = JobStore(engine, SecretBox(Fernet.generate_key())), CallbackStore(engine)
    job = jobs.add(JOB, [()]).id
    assert jobs.finish_job(job, RunStatus.FAILED, 5)
    assert not jobs.finish_job(job, RunStatus.SUCCESS, 6)
    (callback,) = store.of_job(job)
    assert (callback.completion, callback.state, callback.create_time) == (1, CallbackState.WAITING, 5)
    store.set_state(job, 1, CallbackState.DELIVERED)
    store.set_state(job, 1, CallbackState.GIVEN_UP)
    found = store.get(job, 1)
    assert found is not None
    assert found.state is CallbackState.DELIVERED
    assert store.get(job, 2) is None


def test_a_secret_comes_back_in_clear_and_is_stored_encrypted(engine: sa.Engine) -> None:
    """A job without one has none."""
    jobs = JobStore(engine, SecretBox(Fernet.generate_key()))
    caller = Caller(app_code="app", user="admin", callback_secret="a secret of sixteen")
    signed, plain = jobs.add(JOB, [()], caller=caller).id, jobs.add(JOB, [()]).id
    assert jobs.callback_secret(signed) == "a secret of sixteen"
    assert jobs.callback_secret(plain) is None
    assert "sixteen" not in repr(caller)
    with engine.connect() as connection:
        assert "sixteen" not in str(connection.execute(sa.select(tables.job_instance)).all())
