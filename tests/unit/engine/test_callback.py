"""One attempt at a callback: what is said, to whom, and what is noted of it."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from adapter.engine.callback import Callbacks
from adapter.job.callbacks import CallbackState, Delivery
from adapter.job.model import JobInstance
from adapter.job.status import RunStatus
from adapter.store import tables
from tests.support.raw_receiver import RawReceiver, status

from .conftest import Bench

SECRET = "a secret of sixteen"
JSON, FORM = "application/json", "application/x-www-form-urlencoded"


@pytest.fixture
def receiver() -> Iterator[RawReceiver]:
    """A receiver that answers 200."""
    made = RawReceiver()
    yield made
    made.close()


def ended(
    bench: Bench, url: str | None, end: RunStatus = RunStatus.SUCCESS, secret: str | None = None
) -> JobInstance:
    """A job that has ended, and has a callback to tell."""
    job = bench.job(callback_url=url, callback_secret=secret)
    bench.jobs.finish_step(job.steps[0].id, end, bench.now)
    assert bench.jobs.finish_job(job.id, end, bench.now)
    return job


def again(bench: Bench, job: JobInstance, end: RunStatus) -> None:
    """The job, retried, ends once more."""
    running = (
        sa.update(tables.job_instance).where(tables.job_instance.c.id == job.id).values(status=2, open=True)
    )
    with bench.engine.begin() as connection:
        connection.execute(running)
    assert bench.jobs.finish_job(job.id, end, bench.now)


def states(callbacks: Callbacks, job: JobInstance) -> list[CallbackState]:
    """Of the job's completions, in order."""
    return [callback.state for callback in callbacks.store.of_job(job.id)]


def deliveries(callbacks: Callbacks, job: JobInstance) -> list[Delivery]:
    """What is in the log."""
    return list(callbacks.store.deliveries(job.id))


def body_of(raw: bytes) -> bytes:
    """What was posted."""
    return raw.partition(b"\r\n\r\n")[2]


def header_of(raw: bytes, name: str) -> str:
    """A header's value, "" if it is not there."""
    lines = raw.partition(b"\r\n\r\n")[0].decode().split("\r\n")[1:]
    return dict(line.split(": ", 1) for line in lines).get(name, "")


def test_a_job_is_told_of_to_the_byte(bench: Bench, receiver: RawReceiver) -> None:
    """Once, as JSON; there is no signature where none was asked for."""
    job = ended(bench, f"http://u:p@127.0.0.1:{receiver.port}/told?token=x")
    callbacks = bench.callbacks()
    assert callbacks.deliver(job.id, 1, 1)
    (raw,) = receiver.got
    steps = f'[{{"step_instance_id":{job.steps[0].id},"status":3}}]'
    body = f'{{"job_instance_id":{job.id},"status":3,"step_instances":{steps},"step_instance_list":{steps}}}'
    assert body_of(raw) == body.encode()
    assert b"X-Callback" not in raw
    assert states(callbacks, job) == [CallbackState.DELIVERED]
    (told,) = deliveries(callbacks, job)
    assert (told.completion, told.attempt, told.content_type, told.status, told.error) == (
        1,
        1,
        JSON,
        200,
        None,
    )
    assert told.url == f"http://127.0.0.1:{receiver.port}/told?…"


@pytest.mark.parametrize("first", [201, 204, 302, 500])
def test_the_same_text_goes_as_a_form_if_the_answer_is_not_200(
    bench: Bench, receiver: RawReceiver, first: int
) -> None:
    """200 exactly; the log has both."""
    receiver.behave(status(first), status(200))
    job = ended(bench, f"http://127.0.0.1:{receiver.port}/")
    callbacks = bench.callbacks()
    assert callbacks.deliver(job.id, 1, 1)
    one, two = receiver.got
    assert (header_of(one, "Content-Type"), header_of(two, "Content-Type")) == (JSON, FORM)
    assert body_of(one) == body_of(two)
    assert [(told.content_type, told.status) for told in deliveries(callbacks, job)] == [
        (JSON, first),
        (FORM, 200),
    ]


def test_a_receiver_can_verify_the_signature(bench: Bench, receiver: RawReceiver) -> None:
    """With what docs/callbacks.md says; each POST has its own, and the secret is nowhere in clear."""
    receiver.behave(status(500))
    job = ended(bench, f"http://127.0.0.1:{receiver.port}/", secret=SECRET)
    assert not bench.callbacks(pauses=(1,)).deliver(job.id, 1, 1)
    assert len(receiver.got) == 2
    for raw in receiver.got:
        timestamp = header_of(raw, "X-Callback-Timestamp")
        assert int(timestamp) == bench.now // 1000
        signed = timestamp.encode() + b"." + body_of(raw)
        expected = "sha256=" + hmac.new(SECRET.encode(), signed, hashlib.sha256).hexdigest()
        assert header_of(raw, "X-Callback-Signature") == expected
        assert SECRET.encode() not in raw
    with bench.engine.connect() as connection:
        assert SECRET not in str(connection.execute(sa.select(tables.job_instance)).all())


def test_what_was_not_taken_is_tried_again_and_given_up_in_the_end(
    bench: Bench, receiver: RawReceiver
) -> None:
    """Every attempt is in the log; once it is delivered nothing more is posted."""
    receiver.behave(status(500))
    job = ended(bench, f"http://127.0.0.1:{receiver.port}/")
    callbacks = bench.callbacks(5, (1, 2))
    assert not callbacks.deliver(job.id, 1, 1)
    assert not callbacks.deliver(job.id, 1, 2)
    assert states(callbacks, job) == [CallbackState.WAITING]
    assert callbacks.deliver(job.id, 1, 3)
    assert states(callbacks, job) == [CallbackState.GIVEN_UP]
    assert [told.attempt for told in deliveries(callbacks, job)] == [1, 1, 2, 2, 3, 3]
    receiver.behave(status(200))
    assert callbacks.deliver(job.id, 1, 3)  # as after a restart in the middle
    assert states(callbacks, job) == [CallbackState.DELIVERED]
    posts = len(receiver.got)
    assert callbacks.deliver(job.id, 1, 3)
    assert len(receiver.got) == posts


def test_a_job_that_ends_again_is_told_again(bench: Bench, receiver: RawReceiver) -> None:
    """Each completion with the states it had then; an older one is not tried again once there is a newer."""
    receiver.behave(status(500), status(500), status(200))
    job = ended(bench, f"http://127.0.0.1:{receiver.port}/", RunStatus.FAILED)
    callbacks = bench.callbacks(5, (1, 1))
    assert not callbacks.deliver(job.id, 1, 1)
    again(bench, job, RunStatus.SUCCESS)
    assert callbacks.owed(job.id) == (1, 2)
    assert callbacks.deliver(job.id, 2, 1)
    assert callbacks.deliver(job.id, 1, 2)
    assert [json.loads(body_of(raw))["status"] for raw in receiver.got] == [4, 4, 3]
    assert states(callbacks, job) == [CallbackState.SUPERSEDED, CallbackState.DELIVERED]
    assert callbacks.owed(job.id) == ()


def test_what_is_told_is_what_was_so_at_the_end(bench: Bench, receiver: RawReceiver) -> None:
    """Though the job has been retried before anyone came to tell it."""
    job = ended(bench, f"http://127.0.0.1:{receiver.port}/", RunStatus.FAILED)
    again(bench, job, RunStatus.SUCCESS)
    assert bench.callbacks().deliver(job.id, 1, 1)
    assert json.loads(body_of(receiver.got[0]))["status"] == 4


def test_an_address_that_is_not_to_be_called_is_refused_for_good(bench: Bench, receiver: RawReceiver) -> None:
    """Once, without a POST, and with a word about it in the log."""
    job = ended(bench, f"http://127.0.0.1:{receiver.port}/")
    callbacks = bench.callbacks(5, (1, 1), "10.0.0.0/8")
    assert callbacks.deliver(job.id, 1, 1)
    assert receiver.got == []
    assert states(callbacks, job) == [CallbackState.REFUSED]
    (told,) = deliveries(callbacks, job)
    assert told.status is None
    assert told.error == "refused: the loopback address 127.0.0.1; ADAPTER_CALLBACK_ALLOW does not name it"


@pytest.mark.parametrize(
    ("end", "is_told"),
    [
        (RunStatus.SUCCESS, True),
        (RunStatus.FAILED, True),
        (RunStatus.ABNORMAL, True),
        (RunStatus.STOPPED, True),
        (RunStatus.ABANDONED, True),
        (RunStatus.CONFIRM_TERMINATED, False),
    ],
)
def test_which_ends_are_told(bench: Bench, end: RunStatus, is_told: bool) -> None:
    """Not the one that a confirmer made (13); such a job is closed at once."""
    job = ended(bench, "http://10.0.0.1/", end)
    assert bench.callbacks().owed(job.id) == ((1,) if is_told else ())
    with bench.engine.connect() as connection:
        assert connection.scalar(sa.select(tables.job_instance.c.open)) is is_told


def test_a_job_that_is_stopped_while_it_ends_is_told_as_stopped(bench: Bench) -> None:
    """Whatever its steps ended with."""
    job = bench.job(callback_url="http://10.0.0.1/")
    assert bench.jobs.request_stop(job.id, 5)
    assert bench.jobs.finish_job(job.id, RunStatus.CONFIRM_TERMINATED, 1)
    (callback,) = bench.callbacks().store.of_job(job.id)
    assert json.loads(callback.body)["status"] == 11


def test_a_job_without_a_url_has_nothing_to_be_told(bench: Bench) -> None:
    """Nor has one that is not there, or has not ended."""
    callbacks = bench.callbacks()
    assert callbacks.deliver(ended(bench, None).id, 1, 1)
    assert callbacks.deliver(bench.job(callback_url="http://127.0.0.1:9/").id, 1, 1)
    assert callbacks.deliver(2**40, 1, 1)
    assert (callbacks.store.of_job(2**70), callbacks.store.deliveries(2**70)) == ((), ())


def test_pauses_follow_attempts(bench: Bench) -> None:
    """After attempt n comes pause n; after the last there is none."""
    callbacks = bench.callbacks(1, (5, 30))
    assert [callbacks.pause_after(attempt) for attempt in (1, 2, 3, 4)] == [5, 30, None, None]
