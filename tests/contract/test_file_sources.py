"""File sources in the store: codes and aliases are taken once, also by two at once, on both databases."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest
import sqlalchemy as sa

from adapter import errors
from adapter.job.file_source import FileSourceDefinition, FileSourceType
from adapter.job.model import Scope
from adapter.store.file_sources import FileSourceStore

ONE = FileSourceDefinition(
    scope=Scope("biz", "2"),
    code="one",
    alias="One",
    type=FileSourceType.HTTP,
    base_url="https://files",
    file_prefix="${UUID}",
    last_modify_user="ann",
    last_modify_time=5,
)


@pytest.fixture
def store(engine: sa.Engine) -> FileSourceStore:
    return FileSourceStore(engine)


def test_what_is_stored_comes_back(store: FileSourceStore) -> None:
    """All of it; who made it stays when another changes it."""
    made = store.create(ONE)
    assert made == replace(ONE, id=made.id, creator="ann", create_time=5)
    assert store.get(made.id) == store.by_code(ONE.scope, "one") == made
    changed = store.update(
        replace(
            ONE, alias="Two", type=FileSourceType.S3, region="eu", last_modify_user="bob", last_modify_time=6
        )
    )
    assert (changed.id, changed.alias, changed.type, changed.region) == (made.id, "Two", "S3", "eu")
    assert (changed.creator, changed.create_time, changed.last_modify_user) == ("ann", 5, "bob")


def test_what_is_not_there(store: FileSourceStore) -> None:
    """Codes belong to a scope; an odd code is unknown, not an error of the database."""
    made = store.create(ONE)
    assert store.get(made.id + 1) is None
    for scope, code in ((Scope("biz", "3"), "one"), (ONE.scope, "two"), (ONE.scope, "a\0b")):
        with pytest.raises(errors.FileSourceCodeUnknown):
            store.by_code(scope, code)
    with pytest.raises(errors.FileSourceCodeUnknown):
        store.update(replace(ONE, code="two", alias="other"))


def test_names_are_taken_once(store: FileSourceStore) -> None:
    """Code and alias, in a scope; another scope may have the same."""
    store.create(ONE)
    with pytest.raises(errors.FileSourceCodeExists):
        store.create(replace(ONE, alias="Other"))
    with pytest.raises(errors.FileSourceAliasExists):
        store.create(replace(ONE, code="other"))
    store.create(replace(ONE, scope=Scope("biz", "3")))
    store.create(replace(ONE, code="two", alias="Two"))
    with pytest.raises(errors.FileSourceAliasExists):
        store.update(replace(ONE, code="two"))
    assert store.by_code(ONE.scope, "two").alias == "Two"


def test_which_one_a_step_names(store: FileSourceStore) -> None:
    """The id wins over the code; one of another business is said to be that."""
    one, theirs = store.create(ONE), store.create(replace(ONE, scope=Scope("biz", "3")))
    assert store.named(ONE.scope, one.id, "nonsense") == store.named(ONE.scope, None, "one") == one
    with pytest.raises(errors.FileSourceOfAnotherScope):
        store.named(ONE.scope, theirs.id, "one")
    with pytest.raises(errors.FileSourceUnknown):
        store.named(ONE.scope, theirs.id + 1, None)
    with pytest.raises(errors.FileSourceCodeUnknown):
        store.named(ONE.scope, None, "two")


def test_of_two_at_once_one_is_stored(store: FileSourceStore) -> None:
    """The other is told that the code is taken."""
    results: list[object] = []
    barrier = threading.Barrier(2)

    def create() -> None:
        barrier.wait()
        try:
            results.append(store.create(ONE))
        except errors.JobError as error:
            results.append(error.code)

    threads = [threading.Thread(target=create) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(type(result).__name__ for result in results) == ["FileSourceDefinition", "int"]
    assert 1260015 in results
