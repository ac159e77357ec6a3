"""Ids for hosts whose inventory gives none: stable, unique, and safe with several processes."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from structlog.testing import capture_logs

from adapter.store.database import open_database
from adapter.store.identities import FIRST_ID, HostIdentities
from adapter.store.tables import host_identity


@pytest.fixture
def url(each_database: str) -> str:
    """A database with the table."""
    engine = open_database(each_database)
    host_identity.create(engine)
    engine.dispose()
    return each_database


@pytest.fixture
def engine(url: str) -> Iterator[sa.Engine]:
    """The database, opened."""
    engine = open_database(url)
    yield engine
    engine.dispose()


def test_a_name_keeps_its_id(engine: sa.Engine) -> None:
    """Whatever else is asked, in whatever order, by whichever object."""
    first = HostIdentities(engine).ids_for(["a", "b", "a"])
    assert first == {"a": FIRST_ID, "b": FIRST_ID + 1}
    assert HostIdentities(engine).ids_for(["c", "b", "a"]) == first | {"c": FIRST_ID + 2}
    assert HostIdentities(engine).ids_for([]) == {}


def test_taken_ids_are_not_handed_out(engine: sa.Engine) -> None:
    """They are skipped."""
    ids = HostIdentities(engine).ids_for(["a", "b"], [FIRST_ID, FIRST_ID + 2, 5])
    assert ids == {"a": FIRST_ID + 1, "b": FIRST_ID + 3}


def test_a_given_id_wins_and_the_generated_one_moves_with_a_warning(engine: sa.Engine) -> None:
    """Once; then it stays, also when the given id is gone again."""
    identities = HostIdentities(engine)
    identities.ids_for(["a", "b"])
    with capture_logs() as logs:
        moved = identities.ids_for(["a", "b", "c"], [FIRST_ID])
    assert moved == {"a": FIRST_ID + 2, "b": FIRST_ID + 1, "c": FIRST_ID + 3}
    assert [(entry["host"], entry["old"], entry["new"]) for entry in logs] == [("a", FIRST_ID, FIRST_ID + 2)]
    assert identities.ids_for(["a", "b", "c"]) == moved


def test_a_hundred_thousand_names(engine: sa.Engine) -> None:
    """In batches, as no database takes so many parameters at once."""
    names = [f"host-{number}" for number in range(100_000)]
    ids = HostIdentities(engine).ids_for(names)
    assert len(set(ids.values())) == 100_000
    assert HostIdentities(engine).ids_for(names[::-1]) == ids


def test_hostile_names_are_data(engine: sa.Engine) -> None:
    """Quotes, percent signs and colons mean something to some layer each."""
    names = ["'; DROP TABLE host_identity; --", "%s", ":host", "{{ x }}", "ü" * 255]
    assert len(set(HostIdentities(engine).ids_for(names).values())) == 5
    assert set(HostIdentities(engine).ids_for(names)) == set(names)


def test_threads_that_ask_at_once_agree(engine: sa.Engine) -> None:
    """Each with other names first."""
    names = [f"host-{number}" for number in range(300)]
    answers: list[dict[str, int]] = []
    start = threading.Barrier(6)

    def ask(shift: int) -> None:
        start.wait()
        answers.append(HostIdentities(engine).ids_for(names[shift:] + names[:shift]))

    threads = [threading.Thread(target=ask, args=(50 * number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == 6
    assert all(answer == answers[0] for answer in answers)
    assert len(set(answers[0].values())) == 300


def test_processes_that_ask_at_once_agree(url: str, engine: sa.Engine) -> None:
    """Two services start on the same new inventory."""
    program = (
        "import sys\n"
        "from adapter.store.database import open_database\n"
        "from adapter.store.identities import HostIdentities\n"
        "names = [f'host-{n}' for n in range(5000)][::int(sys.argv[2])]\n"
        "sys.stdin.readline()\n"
        "ids = HostIdentities(open_database(sys.argv[1])).ids_for(names)\n"
        "print(sorted(ids.items()))\n"
    )
    children = [
        subprocess.Popen(
            [sys.executable, "-c", program, url, step],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for step in ("1", "-1", "1")
    ]
    for child in children:
        assert child.stdin is not None
        child.stdin.write("\n")
        child.stdin.flush()
    answers = [child.communicate(timeout=120)[0] for child in children]
    assert [child.returncode for child in children] == [0, 0, 0]
    assert answers[0] == answers[1] == answers[2]
    with engine.connect() as connection:
        assert connection.scalar(sa.select(sa.func.count()).select_from(host_identity)) == 5000
