"""One attempt at a callback: what is said, to whom, and what is noted of it."""

from __future__ import annotations

import sqlalchemy as sa

from adapter.engine.callback import Callbacks, callback_body
from adapter.job.status import RunStatus
from adapter.store import tables

from .conftest import Bench


def noted(bench: Bench, job_id: int) -> str | None:
    """What an operator finds beside the job."""
    column = tables.job_instance.c.callback_state
    with bench.engine.begin() as connection:
        return connection.scalar(sa.select(column).where(tables.job_instance.c.id == job_id))


def test_the_body_has_the_keys_of_code_and_documentation(bench: Bench) -> None:
    """`step_instances` is what JOB sends, `step_instance_list` what its documentation says."""
    job = bench.job("one", "two")
    bench.jobs.finish_step(job.steps[0].id, RunStatus.FAILED, 1)
    bench.jobs.finish_job(job.id, RunStatus.FAILED, 1)
    first, second = (step.id for step in job.steps)
    steps = [{"step_instance_id": first, "status": 4}, {"step_instance_id": second, "status": 1}]
    assert callback_body(bench.again(job)) == {
        "job_instance_id": job.id,
        "status": 4,
        "step_instances": steps,
        "step_instance_list": steps,
    }


def test_a_job_without_a_url_has_nothing_to_be_told(bench: Bench) -> None:
    """Nor has one that is not there."""
    callbacks = Callbacks(jobs=bench.jobs, timeout=1, pauses=())
    assert callbacks.deliver(bench.job().id, 1)
    assert callbacks.deliver(2**40, 1)


def test_urls_that_lead_nowhere_are_failed_attempts(bench: Bench) -> None:
    """Whatever is wrong with a URL, nothing is raised, and both answers are noted."""
    callbacks = Callbacks(jobs=bench.jobs, timeout=1, pauses=())
    for url in (
        "http://127.0.0.1:9/",
        "http://no-such-host.invalid/",
        "http://[::1/",
        "ftp://127.0.0.1/",
        "http://a b/",
        "http://" + "x" * 300 + "/",
        "http://127.0.0.1:99999/",
    ):
        job = bench.job(callback_url=url)
        assert not callbacks.deliver(job.id, 3), url
        state = noted(bench, job.id)
        assert state is not None
        assert state.startswith("attempt 3 failed: "), url
        assert state.count("; ") >= 1, url


def test_pauses_follow_attempts() -> None:
    """After attempt n comes pause n; after the last there is none."""
    callbacks = Callbacks(jobs=None, timeout=1, pauses=(5, 30))  # type: ignore[arg-type]
    assert [callbacks.pause_after(attempt) for attempt in (1, 2, 3, 4)] == [5, 30, None, None]
