"""Crons are launched once at each of their times, on both databases, whoever dies and however many nodes look."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
import sqlalchemy as sa
from cryptography.fernet import Fernet
from sqlalchemy import event

from adapter import errors
from adapter.job.actions import Action
from adapter.job.audit_log import AuditFilter
from adapter.job.commands import Caller, JobFilter, VariableValue
from adapter.job.cron import CronRunState, Firing, MissedPolicy
from adapter.job.model import Server
from adapter.job.plan import GlobalVariable
from adapter.job.status import LaunchMode, RunStatus, TaskType, VariableType
from adapter.store import tables
from adapter.store.audit_log import AuditLogStore
from adapter.store.crons import KEPT_RUNS, AlreadySettled
from adapter.store.database import migrate, open_database
from adapter.store.quota import JobQuota
from adapter.store.secrets import SecretBox
from adapter.store.tables_cron import cron as cron_table
from tests.support.crons import LATE, MINUTE, START, Node
from tests.unit.service.world import SOURCE, SRC1, TARGET, on

LAUNCHED, REFUSED, MISSED = CronRunState.LAUNCHED, CronRunState.REFUSED, CronRunState.MISSED
RUN_ONCE = MissedPolicy.RUN_ONCE
CALLER = Caller(app_code="app", user="ann")


class Killed(BaseException):
    """The process dies."""


@pytest.fixture
def box() -> SecretBox:
    return SecretBox(Fernet.generate_key())


@pytest.fixture
def node(engine: sa.Engine, box: SecretBox) -> Node:
    Node.now[0] = START
    made = Node.on(engine, box)
    made.set_up()
    return made


def jobs_of(engine: sa.Engine) -> int:
    with engine.connect() as connection:
        return connection.execute(sa.select(sa.func.count()).select_from(tables.job_instance)).scalar_one()


def test_a_time_comes(node: Node) -> None:
    """The plan is launched as whoever changed the cron last, under its name, mode 3; lists find it by the cron."""
    plan_id = node.plan_id()
    cron = node.started(plan_id, "nightly", user="bob")
    firing = node.firing()
    assert 0 < firing.look() <= 0.5
    assert node.launched(cron) == []
    Node.now[0] = START + MINUTE - 200
    assert firing.look() == pytest.approx(0.2)
    Node.now[0] = START + MINUTE
    firing.look()
    (job,) = node.launched(cron)
    assert (job.name, job.operator, job.app_code) == ("nightly", "bob", "app")
    assert (job.launch_mode, job.type, job.plan_id) == (LaunchMode.CRON, TaskType.PLAN, plan_id)
    assert (job.callback_url, job.cron_id, job.status) == (None, cron.id, RunStatus.WAITING)
    assert node.woken == 1
    assert node.again(cron).next_fire_time == START + 2 * MINUTE
    wanted = JobFilter(scope=SOURCE, create_time_start=0, create_time_end=2**53, cron_id=cron.id)
    assert [found.id for found in node.jobs.list(wanted)[1]] == [job.id]
    assert node.jobs.list(JobFilter(**{**wanted.__dict__, "cron_id": cron.id + 1})) == (0, ())
    (run,) = node.told(cron)
    assert (run.state, run.fire_time, run.time) == (LAUNCHED, START + MINUTE, START + MINUTE)


def test_one_that_runs_once(node: Node) -> None:
    """To the second; then it is stopped, and its time has passed."""
    cron = node.started(node.plan_id(), execute_time=START // 1000 + 5)
    Node.now[0] = START + 5_000
    node.firing().look()
    assert len(node.launched(cron)) == 1
    assert not node.again(cron).is_started
    with pytest.raises(errors.CronTimePassed):
        node.crons.start(CALLER, SOURCE, cron.id)


def test_its_variables(node: Node, engine: sa.Engine) -> None:
    """The job has them; the cipher in clear for its steps only."""
    kinds = {"text": VariableType.STRING, "key": VariableType.CIPHER, "plain": VariableType.STRING}
    variables = tuple(
        GlobalVariable(id=0, name=name, type=kind, value="plan's", required=True)
        for name, kind in kinds.items()
    )
    given = (VariableValue(name="text", value="cron's"), VariableValue(name="key", value="s3cret"))
    cron = node.started(node.plan_id(variables=variables), variables=given)
    Node.now[0] = START + MINUTE
    node.firing().look()
    (job,) = node.launched(cron)
    clear = {item.name: item.value for item in node.jobs.variables(job.id, in_clear=True)}
    assert clear == {"text": "cron's", "key": "s3cret", "plain": "plan's"}
    assert {item.name: item.value for item in node.jobs.variables(job.id)}["key"] == "******"


def test_times_that_were_missed_are_told_and_skipped(node: Node) -> None:
    """Nobody was there for ten minutes: they are told as one, and the next time is launched."""
    cron = node.started(node.plan_id())
    Node.now[0] = START + 10 * MINUTE + LATE + 1
    node.started(node.plan_id_again(), "other", expression="0 0 1 1 *")
    Node.now[0] = START + 11 * MINUTE - 1
    slow = node.started(node.plan_id_again(), "slow", execute_time=(START + 11 * MINUTE) // 1000)
    Node.now[0] = START + 13 * MINUTE
    node.firing().look()
    missed, launched = node.told(cron)
    assert (missed.state, missed.fire_time, missed.last_fire_time) == (
        MISSED,
        START + MINUTE,
        START + 12 * MINUTE,
    )
    assert (missed.count, missed.job_instance_id) == (12, None)
    assert (launched.state, launched.fire_time) == (LAUNCHED, START + 13 * MINUTE)
    (skipped,) = node.told(slow)
    assert (skipped.state, skipped.count, skipped.fire_time) == (MISSED, 1, START + 11 * MINUTE)
    assert not node.again(slow).is_started
    assert len(node.launched(cron)) == 1
    assert node.launched(slow) == []


def test_or_one_launch_stands_for_all_of_them(node: Node) -> None:
    """With cron_missed=run_once; however late."""
    hourly = node.started(node.plan_id(), expression="0 * * * *")
    once = node.started(node.plan_id_again(), "once", execute_time=START // 1000 + 60)
    Node.now[0] = START + 5 * 60 * MINUTE + 30 * MINUTE
    firing = node.firing(RUN_ONCE)
    firing.look()
    firing.look()
    missed, launched = node.told(hourly)
    assert (missed.state, missed.count, missed.last_fire_time) == (MISSED, 4, START + 4 * 60 * MINUTE)
    assert (launched.state, launched.fire_time) == (LAUNCHED, START + 5 * 60 * MINUTE)
    assert node.again(hourly).next_fire_time == START + 6 * 60 * MINUTE
    assert [run.state for run in node.told(once)] == [LAUNCHED]


@pytest.mark.parametrize("before", ["before_cursor_execute", "commit"])
def test_a_process_may_die_at_any_point(node: Node, engine: sa.Engine, box: SecretBox, before: str) -> None:
    """Before each statement of a launch, and before each commit: the next start launches what was not, once."""
    cron = node.started(node.plan_id())
    deaths = 0
    while True:
        due = node.again(cron).next_fire_time
        assert due is not None
        Node.now[0] = due
        jobs = jobs_of(engine)
        if not died_at(deaths + 1, before, Node.on(engine, box), engine):
            break
        deaths += 1
        is_launched = jobs_of(engine) - jobs
        assert is_launched in (0, 1)
        assert is_launched == (node.again(cron).next_fire_time != due)
        Node.on(engine, box).firing().look()
        assert jobs_of(engine) - jobs == 1
    assert deaths >= (12 if before != "commit" else 5)
    told = node.told(cron)
    assert [run.fire_time for run in told] == [START + n * MINUTE for n in range(1, deaths + 2)]
    assert {run.state for run in told} == {LAUNCHED}


def died_at(point: int, name: str, node: Node, engine: sa.Engine) -> bool:
    """A look that ends at its `point`-th event of that name; False if there were not so many."""
    counted = 0

    def die(*_: object) -> None:
        nonlocal counted
        counted += 1
        if counted == point:
            raise Killed

    event.listen(engine, name, die)
    try:
        node.firing().look()
    except Killed:
        return True
    finally:
        event.remove(engine, name, die)
    return False


def test_a_process_may_die_between_commit_and_word_of_it(
    node: Node, engine: sa.Engine, box: SecretBox
) -> None:
    """The job is there, and nobody launches it again."""
    cron = node.started(node.plan_id())
    Node.now[0] = START + MINUTE
    dying = Node.on(engine, box)

    def die() -> None:
        raise Killed

    dying.launch._wake = die
    with pytest.raises(Killed):
        dying.firing().look()
    node.firing().look()
    assert len(node.launched(cron)) == 1


def test_many_nodes_launch_each_time_once(each_database: str, node: Node, box: SecretBox) -> None:
    """Six of them, each with connections of its own, look at the same moments at ten crons."""
    plan_id = node.plan_id()
    crons = [node.started(plan_id, f"c{number}") for number in range(10)]
    engines = [open_database(each_database) for _ in range(6)]
    nodes = [Node.on(engine, box) for engine in engines]
    failures: list[BaseException] = []
    barrier = threading.Barrier(len(nodes))

    def work(one: Node) -> None:
        firing = one.firing()
        try:
            for _ in range(3):
                barrier.wait(60)
                firing.look()
                if barrier.wait(60) == 0:
                    Node.now[0] += MINUTE
        except BaseException as error:  # noqa: BLE001 told below
            failures.append(error)
            barrier.abort()

    Node.now[0] = START + MINUTE
    threads = [threading.Thread(target=work, args=(one,)) for one in nodes]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for engine in engines:
        engine.dispose()
    assert failures == []
    times = [START + n * MINUTE for n in (1, 2, 3)]
    for cron in crons:
        assert [(run.state, run.fire_time) for run in node.told(cron)] == [(LAUNCHED, at) for at in times]
    assert len({job.id for cron in crons for job in node.launched(cron)}) == 30


def test_a_node_that_is_frozen_keeps_its_cron_only(
    postgresql_url: str, box: SecretBox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the midst of a launch: the others launch what else is due, and that one once it is free."""
    monkeypatch.setattr("adapter.store.crons.LOCK_SECONDS", 1)
    engine = open_database(postgresql_url)
    migrate(engine, tmp_path / "lock")
    Node.now[0] = START
    node = Node.on(engine, box)
    node.set_up()
    plan_id = node.plan_id()
    kept, free = node.started(plan_id, "kept"), node.started(plan_id, "free")
    Node.now[0] = START + MINUTE
    firing = node.firing()
    with engine.connect() as frozen:
        frozen.execute(sa.update(cron_table).where(cron_table.c.id == kept.id).values(name="frozen"))
        firing.look()
        assert (len(node.launched(kept)), len(node.launched(free))) == (0, 1)
    node.steady = 10.0
    firing.look()
    assert (len(node.launched(kept)), len(node.launched(free))) == (1, 1)
    engine.dispose()


def test_a_clock_that_is_put_back_launches_nothing_twice(node: Node) -> None:
    """By an hour, or before the cron was saved: its next time is what it was."""
    cron = node.started(node.plan_id())
    Node.now[0] = START + MINUTE
    node.firing().look()
    for now in (START + MINUTE - 3_600_000, START - 10**9):
        Node.now[0] = now
        node.firing(RUN_ONCE).look()
    Node.now[0] = START + 2 * MINUTE
    node.firing().look()
    assert [run.fire_time for run in node.told(cron)] == [START + MINUTE, START + 2 * MINUTE]


def test_a_change_meanwhile_wins(node: Node) -> None:
    """A launch that was prepared for a cron as it was before leaves no job."""
    cron = node.started(node.plan_id())
    Node.now[0] = START + MINUTE
    node.crons.stop(CALLER, SOURCE, cron.id)
    node.crons.start(CALLER, SOURCE, cron.id)
    changed = node.again(cron)
    assert changed.next_fire_time == START + 2 * MINUTE
    node.crons.start(Caller(app_code="app", user="eve"), SOURCE, cron.id)
    assert node.again(cron).next_fire_time == START + 2 * MINUTE
    Node.now[0] = START + 2 * MINUTE
    stale = node.store.launching(firing_at(changed.id, changed.revision, START + 2 * MINUTE))
    with pytest.raises(AlreadySettled):
        node.launch.execute_cron(CALLER, changed, stale)
    assert node.count() == 0
    node.firing().look()
    assert [job.operator for job in node.launched(cron)] == ["eve"]


def firing_at(cron_id: int, revision: int, due: int) -> Firing:
    return Firing(
        cron_id=cron_id, revision=revision, due=due, fire_time=due, missed=None, next_fire_time=due + MINUTE
    )


def test_what_cannot_be_launched_is_told(node: Node, engine: sa.Engine) -> None:
    """With JOB's code; and the next time is tried again."""
    cron = node.started(node.plan_id())
    account = node.accounts.by_alias(SOURCE, "root")
    assert account is not None
    with engine.begin() as connection:
        connection.execute(sa.delete(tables.account))
    Node.now[0] = START + MINUTE
    node.firing().look()
    (run,) = node.told(cron)
    assert (run.state, run.code, run.job_instance_id) == (REFUSED, 1244003, None)
    assert "does not exist" in run.message
    assert node.again(cron).next_fire_time == START + 2 * MINUTE
    (entry,) = AuditLogStore(engine).of(AuditFilter())
    assert (entry.api, entry.action, entry.scope, dict(entry.objects)) == (
        "launch",
        "launch",
        SOURCE.text,
        {"cron_id": cron.id},
    )
    assert (entry.app_code, entry.user, entry.verified_by, entry.code) == ("app", "ann", "cron", 1244003)
    assert (entry.create_time, entry.end_time) == (START + MINUTE, START + MINUTE)


def test_what_is_refused_is_told_in_both_places_or_in_none(
    node: Node, engine: sa.Engine, box: SecretBox
) -> None:
    """Whoever dies before the commit has told nothing: the next look refuses it again, and tells it once."""
    cron = node.started(node.plan_id())
    node.apps.update("app", actions=frozenset({Action.MANAGE}))
    Node.now[0] = START + MINUTE
    statements: list[str] = []

    def die(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        statements.append(statement)
        if statement.startswith("INSERT INTO audit_log"):
            raise Killed

    event.listen(engine, "before_cursor_execute", die)
    try:
        with pytest.raises(Killed):
            Node.on(engine, box).firing().look()
    finally:
        event.remove(engine, "before_cursor_execute", die)
    assert any(statement.startswith("INSERT INTO cron_run") for statement in statements)
    assert node.told(cron) == []
    node.firing().look()
    assert [run.state for run in node.told(cron)] == [REFUSED]
    assert [entry.code for entry in AuditLogStore(engine).of(AuditFilter())] == [9900403]


@pytest.mark.parametrize("withdrawn", ["scope", "action", "application"])
def test_whom_its_application_may_act_for_no_longer(node: Node, engine: sa.Engine, withdrawn: str) -> None:
    """What it may do now counts, not what it could when the cron was saved."""
    cron = node.started(node.plan_id())
    if withdrawn == "scope":
        node.apps.update("app", scopes=frozenset({TARGET}))
    elif withdrawn == "action":
        node.apps.update("app", actions=frozenset({Action.MANAGE}))
    else:
        with engine.begin() as connection:
            connection.execute(sa.delete(tables.app))
    Node.now[0] = START + MINUTE
    node.firing().look()
    (run,) = node.told(cron)
    assert (run.state, run.code) == (REFUSED, 1306000 if withdrawn == "application" else 9900403)
    assert node.count() == 0


def test_what_will_pass_is_waited_for(node: Node) -> None:
    """A quota: the launch is tried again, not at once, and the time is kept until it is too late."""
    cron = node.started(node.plan_id(), expression="0 * * * *")
    hour = 60 * MINUTE
    node.launch.execute_cron(CALLER, cron, lambda _connection, _job_id: None)
    node.allow(JobQuota(total=1))
    firing = node.firing()
    Node.now[0] = START + hour
    firing.look()
    node.allow(JobQuota())
    assert firing.look() > 0
    assert node.told(cron) == []
    node.steady = 10.0
    firing.look()
    assert [(run.state, run.fire_time) for run in node.told(cron)] == [(LAUNCHED, START + hour)]
    node.allow(JobQuota(total=1))
    for late in (0, LATE + 1):
        Node.now[0] = START + 2 * hour + late
        node.steady += 10.0
        firing.look()
    last = node.told(cron)[-1]
    assert (last.state, last.fire_time) == (MISSED, START + 2 * hour)
    assert "system quota" in last.message


def test_cmdb_that_is_away_is_waited_for(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    """As what will pass: the time is launched when it is there again."""
    cron = node.started(node.plan_id())

    def away(*_: object) -> None:
        raise errors.CmdbUnreachable("no answer")

    monkeypatch.setattr(node.hosts, "resolve", away)
    Node.now[0] = START + MINUTE
    firing = node.firing()
    firing.look()
    assert node.told(cron) == []
    monkeypatch.undo()
    node.steady = 10.0
    firing.look()
    assert [run.state for run in node.told(cron)] == [LAUNCHED]


def test_nothing_is_launched_before_hosts_are_known(node: Node) -> None:
    """A service that has just started reads its inventory first."""
    cron = node.started(node.plan_id())
    Node.now[0] = START + MINUTE
    node.hosts.ready = False
    firing = node.firing()
    firing.look()
    assert node.told(cron) == []
    node.hosts.ready = True
    firing.look()
    assert len(node.launched(cron)) == 1


def test_hosts_that_are_no_more_are_marked_and_the_others_run(node: Node) -> None:
    """Unknown and elsewhere alike; another launch of the same plan would fail as a whole."""
    target = Server(host_ids=(*on(SRC1).host_ids, 3, 4711))
    plan_id = node.plan_id(node.step(target))
    cron = node.started(plan_id)
    Node.now[0] = START + MINUTE
    node.firing().look()
    (job,) = node.launched(cron)
    found = [(one.host.bk_host_id, one.host.is_invalid) for one in node.results(job.steps[0].id)]
    assert found == [(1, False), (3, True), (4711, True)]


def test_a_plan_is_known_by_its_crons(node: Node, engine: sa.Engine) -> None:
    """Whoever wants to delete it asks; the database keeps it as well."""
    used, free = node.plan_id(), node.plan_id_again()
    cron = node.started(used)
    assert [one.id for one in node.store.of_plans([used, free])] == [cron.id]
    assert node.store.of_plans([free]) == node.store.of_plans([]) == ()
    with pytest.raises(sa.exc.IntegrityError), engine.begin() as connection:
        connection.execute(sa.delete(tables.job_plan).where(tables.job_plan.c.id == used))
    node.crons.delete(SOURCE, cron.id)
    with engine.begin() as connection:
        assert (
            connection.execute(sa.delete(tables.job_plan).where(tables.job_plan.c.id == used)).rowcount == 1
        )


def test_what_is_told_is_bounded_and_goes_with_the_cron(node: Node, engine: sa.Engine) -> None:
    """The newest hundred; jobs stay."""
    cron = node.started(node.plan_id())
    other = node.started(node.plan_id_again(), "other", expression="0 1 * * *")
    node.apps.update("app", scopes=frozenset({TARGET}))
    firing = node.firing()
    for number in range(1, KEPT_RUNS + 4):
        Node.now[0] = START + number * MINUTE
        firing.look()
    total, newest = node.store.runs(cron.id, 0, 2)
    assert (total, newest[0].fire_time) == (KEPT_RUNS, START + (KEPT_RUNS + 3) * MINUTE)
    assert len(node.told(other)) == 1
    node.crons.delete(SOURCE, cron.id)
    assert node.store.runs(cron.id, 0, 2) == (0, ())


def test_a_look_costs_the_same_however_many_there_are(node: Node, engine: sa.Engine) -> None:
    """Of 20,000 started crons an index tells which is next, and which are due."""
    node.started(node.plan_id())
    with engine.begin() as connection:
        row = dict(connection.execute(sa.select(cron_table)).one()._mapping)
        del row["id"]
        many = [
            {**row, "name": f"n{number}", "next_fire_time": START + 10**9 + number}
            for number in range(20_000)
        ]
        connection.execute(sa.insert(cron_table), many)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("ANALYZE")
    asked: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, values: object, *_: object) -> None:
        asked.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    moment = node.store.moment()
    due = node.store.due(START + MINUTE, 100)
    event.remove(engine, "before_cursor_execute", note)
    assert moment == (START, START + MINUTE)
    assert [cron.next_fire_time for cron in due] == [START + MINUTE]
    explain = "EXPLAIN QUERY PLAN" if engine.dialect.name == "sqlite" else "EXPLAIN"
    with engine.connect() as connection:
        for wanted in (
            sa.select(sa.func.min(cron_table.c.next_fire_time)),
            sa.select(cron_table.c.id).where(cron_table.c.next_fire_time <= START + MINUTE),
        ):
            text = str(wanted.compile(engine, compile_kwargs={"literal_binds": True}))
            plan = "\n".join(map(str, connection.exec_driver_sql(f"{explain} {text}")))
            assert "ix_cron_next_fire_time" in plan, plan
    assert len(asked) == 2
