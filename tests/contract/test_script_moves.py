"""Versions of one script that several move at once: one outcome, on both databases."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial
from random import Random

import pytest
import sqlalchemy as sa
from cryptography.fernet import Fernet

from adapter import errors
from adapter.clock import SystemClock
from adapter.job.model import Scope, ScriptVersion, Server
from adapter.job.plan import PlanScript, PlanStep
from adapter.job.status import StepType, VersionStatus
from adapter.service.catalog_plans import PlanCatalog
from adapter.store import tables
from adapter.store.plans import PlanStore
from adapter.store.scripts import ScriptStore
from adapter.store.secrets import SecretBox

BIZ = Scope("biz", "2")


@pytest.fixture
def scripts(engine: sa.Engine) -> ScriptStore:
    return ScriptStore(engine)


def made(scripts: ScriptStore, number: int) -> list[ScriptVersion]:
    """Drafts of one script."""
    author = {"operator": "ann", "now_ms": 1}
    script_id = scripts.create(BIZ, name="x", language=1, operator="ann", now_ms=1)
    return [
        scripts.create_version(script_id, version=str(item), content="x", **author)  # type: ignore[arg-type]
        for item in range(number)
    ]


def at_once(*moves: Callable[[], object]) -> list[object]:
    """What each gave, or the error it ended with."""
    results: list[object] = [None] * len(moves)
    barrier = threading.Barrier(len(moves))

    def run(number: int) -> None:
        barrier.wait()
        try:
            results[number] = moves[number]()
        except Exception as error:  # noqa: BLE001 it is looked at
            results[number] = error

    threads = [threading.Thread(target=run, args=(number,)) for number in range(len(moves))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def require_consistent(engine: sa.Engine) -> None:
    """At most one version of a script is online, and the script says which; none is without its script."""
    script, version = tables.script, tables.script_version
    with engine.begin() as connection:
        said = {row.id: row.online_version_id for row in connection.execute(sa.select(script))}
        rows = connection.execute(sa.select(version.c.script_id, version.c.id, version.c.status)).all()
    online = {id_: [row.id for row in rows if row.script_id == id_ and row.status == 1] for id_ in said}
    assert {row.script_id for row in rows} <= set(said)
    assert online == {id_: [] if told is None else [told] for id_, told in said.items()}


def test_two_who_publish_at_once_leave_one_online(engine: sa.Engine, scripts: ScriptStore) -> None:
    """Both have published: the second one's is online, the first one's offline."""
    first, second = made(scripts, 2)
    for _ in range(5):
        results = at_once(
            lambda: scripts.publish(first.script_id, first.id, operator="a", now_ms=2),
            lambda: scripts.publish(second.script_id, second.id, operator="b", now_ms=2),
        )
        assert results == [True, True]
        require_consistent(engine)
    statuses = sorted(item.status for item in scripts.versions(first.script_id)[1])
    assert statuses == [VersionStatus.ONLINE, VersionStatus.OFFLINE]


def test_a_deletion_while_it_is_published(engine: sa.Engine, scripts: ScriptStore) -> None:
    """It is gone, whichever was first; who publishes what is gone is told so."""
    versions = made(scripts, 9)
    for version in versions[1:]:
        results = at_once(
            partial(scripts.publish, version.script_id, version.id, operator="a", now_ms=2),
            partial(scripts.delete_version, version.script_id, version.id),
        )
        assert results in ([True, None], [False, None])
        assert scripts.version(version.id) is None
        require_consistent(engine)


def test_two_who_disable_at_once(engine: sa.Engine, scripts: ScriptStore) -> None:
    """One of them does."""
    (version,) = made(scripts, 1)
    scripts.publish(version.script_id, version.id, operator="a", now_ms=2)
    results = at_once(*[lambda: scripts.disable(version.script_id, version.id, operator="a", now_ms=3)] * 3)
    assert sorted(map(bool, results)) == [False, False, True]
    require_consistent(engine)


def test_a_script_that_is_deleted_while_it_gets_a_version(engine: sa.Engine, scripts: ScriptStore) -> None:
    """Either the version went with the script, or there is no script to have one."""
    for _ in range(4):
        (version,) = made(scripts, 1)
        added, deleted = at_once(
            partial(
                scripts.create_version, version.script_id, version="2", content="x", operator="a", now_ms=2
            ),
            partial(scripts.delete, version.script_id),
        )
        assert deleted is None
        assert isinstance(added, (ScriptVersion, errors.ScriptUnknown, errors.ScriptVersionUnknown)), added
        assert scripts.get(version.script_id) is None
        require_consistent(engine)


def test_a_template_that_is_written_meanwhile_is_seen(engine: sa.Engine, scripts: ScriptStore) -> None:
    """A deletion waits for who is writing templates."""
    first, _ = made(scripts, 2)
    named = PlanScript(account_id=1, script_id=first.script_id, script_version_id=first.id)
    step = PlanStep(id=0, name="s", type=StepType.SCRIPT, target=Server(host_ids=(1,)), script=named)
    results: list[object] = []
    deletion = threading.Thread(
        target=lambda: results.extend(at_once(lambda: scripts.delete_version(first.script_id, first.id)))
    )
    with engine.begin() as connection:
        plans = PlanStore(connection, SecretBox(Fernet.generate_key()))
        plans.create_template(BIZ, name="t", steps=(step,), operator="a", now_ms=1)
        deletion.start()
        deletion.join(0.3)
        assert deletion.is_alive()
    deletion.join()
    assert isinstance(results[0], errors.ScriptInUse)


def test_a_plan_that_is_made_meanwhile_is_seen(
    engine: sa.Engine, scripts: ScriptStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its template does not name the script any more, the plan does: its maker has read the template before."""
    plans = PlanStore(engine, SecretBox(Fernet.generate_key()))
    first, _ = made(scripts, 2)
    named = PlanScript(account_id=1, script_id=first.script_id, script_version_id=first.id)
    step = PlanStep(id=0, name="s", type=StepType.SCRIPT, target=Server(host_ids=(1,)), script=named)
    template = plans.create_template(BIZ, name="t", steps=(step,), operator="a", now_ms=1)

    def take_it_out_and_delete_it() -> None:
        plans.update_template(
            template.id, name="t", steps=(), variables=(), description="", operator="a", now_ms=2
        )
        scripts.delete_version(first.script_id, first.id)

    results: list[object] = []
    deletion = threading.Thread(target=lambda: results.extend(at_once(take_it_out_and_delete_it)))

    def while_it_is_made(*_: object) -> None:
        deletion.start()
        deletion.join(0.3)
        assert deletion.is_alive()

    monkeypatch.setattr("adapter.service.plan_making.selection", while_it_is_made)
    plan = PlanCatalog(plans, SystemClock()).create_job_plan(BIZ, user="a", template_id=template.id, name="p")
    deletion.join()
    assert isinstance(results[0], errors.ScriptInUse)
    assert f"by job plan {plan.id} [p]" in results[0].message
    assert scripts.version(first.id) is not None


def test_of_plans_that_take_a_name_at_once_one_does(engine: sa.Engine) -> None:
    """The others are told so; and who had read a template that is gone by then."""
    plans = PlanStore(engine, SecretBox(Fernet.generate_key()))
    template = plans.create_template(BIZ, name="t", steps=(), operator="a", now_ms=1)
    made = at_once(*[partial(plans.create_plan, template, name="p", operator="a", now_ms=1)] * 4)
    assert sorted(type(item).__name__ for item in made) == ["PlanExists"] * 3 + ["int"]
    plans.delete_template(template.id)
    with pytest.raises(errors.TemplateUnknown):
        plans.create_plan(template, name="q", operator="a", now_ms=1)


@pytest.mark.parametrize("seed", [1, 2])
def test_whatever_happens_at_once(engine: sa.Engine, scripts: ScriptStore, seed: int) -> None:
    """Every move, in any order, by four at a time: only errors of JOB's, and what is stored fits together."""
    random = Random(seed)
    versions = made(scripts, 6)
    script_id = versions[0].script_id

    def any_move() -> Callable[[], object]:
        id_ = random.choice(versions).id
        return random.choice(
            [
                lambda: scripts.publish(script_id, id_, operator="a", now_ms=2),
                lambda: scripts.disable(script_id, id_, operator="a", now_ms=2),
                lambda: scripts.take_offline(script_id, id_, operator="a", now_ms=2),
                lambda: scripts.update_version(id_, operator="a", now_ms=2, only_draft=True, content="z"),
                lambda: scripts.delete_version(script_id, id_),
            ]
        )

    for _ in range(6):
        results = at_once(*(any_move() for _ in range(4)))
        wrong = [
            item for item in results if isinstance(item, Exception) and not isinstance(item, errors.JobError)
        ]
        assert wrong == []
        require_consistent(engine)
