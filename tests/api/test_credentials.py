"""Credentials over HTTP, kept in a real store: their values come in, and never out."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from adapter.config import Settings
from adapter.job.model import Scope
from adapter.store.credentials import CredentialStore
from adapter.store.opening import Stores, open_store

from . import bodies
from .conftest import StoppedClock
from .real import Real, build

ONE = Scope("biz", "1")
PARTS = {
    "APP_ID_SECRET_KEY": ["access_key", "secret_key"],
    "PASSWORD": ["password"],
    "USERNAME_PASSWORD": ["username", "password"],
    "SECRET_KEY": ["secret_key"],
}
EVERYTHING = {
    f"credential_{part}": f"v-{part}" for part in ("access_key", "secret_key", "username", "password")
}


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data directory of these tests."""
    return tmp_path_factory.mktemp("credentials")


@pytest.fixture(scope="module")
def stores(directory: Path) -> Iterator[Stores]:
    """A database of these tests' own."""
    opened = open_store(Settings(data_dir=directory))
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def real(stores: Stores, tmp_path_factory: pytest.TempPathFactory) -> Real:
    """The application over real use cases."""
    return build(stores, StoppedClock(), Settings(data_dir=tmp_path_factory.mktemp("settings")))


def ask(real: Real, api: str, **fields: Any) -> dict[str, Any]:
    """The reply to a request in business 1."""
    return real.job.v3(api, {**bodies.SCOPE, **fields})


def made(real: Real, **fields: Any) -> str:
    """The id of a new credential."""
    reply = ask(real, "create_credential", **{"name": uuid.uuid4().hex, **fields})
    assert reply["code"] == 0, reply
    return str(reply["data"]["id"])


def value(stores: Stores, id_: str) -> dict[str, str]:
    """What is kept, in clear."""
    return CredentialStore(stores.engine, stores.box).value(ONE, id_)


def test_the_life_of_a_credential(real: Real, stores: Stores) -> None:
    """Made, told without its value, changed in part and in whole; who made it stays."""
    name = uuid.uuid4().hex
    fields = {
        "type": "USERNAME_PASSWORD",
        "credential_username": "reader",
        "credential_password": " hunter2 ",
    }
    reply = ask(real, "create_credential", name=name, description="reads", **fields)
    id_ = reply["data"]["id"]
    assert reply["data"] == {"id": id_, "name": name}
    assert type(id_) is str
    assert value(stores, id_) == {"username": "reader", "password": " hunter2 "}
    found = ask(real, "get_credential_detail", id=id_)["data"]
    now = StoppedClock().now_ms()
    assert found == {
        "id": id_,
        "bk_scope_type": "biz",
        "bk_scope_id": "1",
        "bk_biz_id": 1,
        "name": name,
        "type": "USERNAME_PASSWORD",
        "description": "reads",
        "creator": "admin",
        "create_time": now,
        "last_modify_user": "admin",
        "last_modify_time": now,
    }
    changed = {"name": name + "2", "type": "USERNAME_PASSWORD", "credential_password": "hunter3"}
    assert ask(real, "update_credential", id=id_, **changed)["data"] == {"id": id_, "name": name + "2"}
    assert value(stores, id_) == {"username": "reader", "password": "hunter3"}
    found = ask(real, "get_credential_detail", id=id_)["data"]
    assert (found["name"], found["description"]) == (name + "2", "reads")
    other = {"name": name, "type": "SECRET_KEY", "description": "", "credential_secret_key": "k"}
    assert ask(real, "update_credential", id=id_, **other)["code"] == 0
    assert value(stores, id_) == {"secret_key": "k"}
    found = ask(real, "get_credential_detail", id=id_)["data"]
    assert (found["type"], found["description"]) == ("SECRET_KEY", "")


@pytest.mark.parametrize("kind", PARTS)
def test_types(real: Real, stores: Stores, kind: str) -> None:
    """Each keeps its own parts of what is given, and needs every one of them."""
    id_ = made(real, type=kind, **EVERYTHING)
    assert value(stores, id_) == {part: f"v-{part}" for part in PARTS[kind]}
    for part in PARTS[kind]:
        name = uuid.uuid4().hex
        given = {**EVERYTHING, f"credential_{part}": ""}
        reply = ask(real, "create_credential", name=name, type=kind, **given)
        assert (reply["code"], f"credential_{part}" in reply["message"]) == (1241004, True)
        assert made(real, name=name, type=kind, **EVERYTHING)  # nothing had been stored


def test_the_name_that_the_documentation_has(real: Real) -> None:
    """ACCESS_KEY_SECRET_KEY is APP_ID_SECRET_KEY, which is answered."""
    id_ = made(real, type="ACCESS_KEY_SECRET_KEY", **EVERYTHING)
    assert ask(real, "get_credential_detail", id=id_)["data"]["type"] == "APP_ID_SECRET_KEY"


def test_a_new_type_needs_all_its_parts(real: Real, stores: Stores) -> None:
    """A password of one type is not taken for that of another; the refused change changes nothing."""
    id_ = made(real, type="PASSWORD", credential_password="hunter2")
    reply = ask(
        real, "update_credential", id=id_, name="x", type="USERNAME_PASSWORD", credential_username="u"
    )
    assert (reply["code"], "credential_password" in reply["message"]) == (1241004, True)
    assert value(stores, id_) == {"password": "hunter2"}


@pytest.mark.parametrize(
    ("changes", "code", "word"),
    [
        ({"name": None}, 1240003, "name"),
        ({"name": " "}, 1240003, "name"),
        ({"name": "x" * 256}, 1240003, "name"),
        ({"name": "a\nb"}, 1240003, "name"),
        ({"type": None}, 1240003, "type"),
        ({"type": "KERBEROS"}, 1241005, "KERBEROS"),
        ({"description": "x" * 1001}, 1240003, "description"),
        ({"description": "a\0"}, 1240003, "description"),
        ({"credential_password": "x" * 4097}, 1240003, "credential_password"),
        ({"credential_password": "hunter2\0"}, 1240003, "credential_password"),
        ({"credential_password": ["hunter2"]}, 1240003, "credential_password"),
    ],
)
def test_refused_credentials(real: Real, changes: dict[str, Any], code: int, word: str) -> None:
    """The code, the field, and not the value."""
    reply = real.job.v3("create_credential", bodies.v3("create_credential", **changes))
    assert (reply["code"], reply["data"]) == (code, None)
    assert word in reply["message"]
    assert "hunter2" not in reply["message"]


def test_a_name_is_taken_once(real: Real) -> None:
    """In a business, for new ones and for changes; another business may have it, too."""
    name = uuid.uuid4().hex
    fields = {"type": "PASSWORD", "credential_password": "hunter2"}
    made(real, name=name, **fields)
    again = ask(real, "create_credential", name=name, **fields)
    assert (again["code"], name in again["message"], "hunter2" in again["message"]) == (1243060, True, False)
    other = made(real, **fields)
    assert ask(real, "update_credential", id=other, name=name, **fields)["code"] == 1243060
    elsewhere = {"bk_scope_type": "biz", "bk_scope_id": "2", "name": name, **fields}
    assert real.job.v3("create_credential", elsewhere)["code"] == 0


def test_unknown_credentials(real: Real, stores: Stores) -> None:
    """Neither told nor changed: an id that is none, and one of another business."""
    id_ = made(real, type="PASSWORD", credential_password="hunter2")
    change = {"name": "mine", "type": "PASSWORD", "credential_password": "hunter3"}
    for scope_id, wanted in (("1", "nothing"), ("2", id_)):
        body = {"bk_scope_type": "biz", "bk_scope_id": scope_id, "id": wanted}
        assert real.job.v3("get_credential_detail", body)["code"] == 1243048
        assert real.job.v3("update_credential", {**body, **change})["code"] == 1243048
    assert value(stores, id_) == {"password": "hunter2"}


def test_values_are_nowhere(real: Real, directory: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """A marker in every part is in no reply, no line of the log and no file of the data directory."""
    marker = uuid.uuid4().hex
    given = {name: f"{marker}-{name}" for name in EVERYTHING}
    told = []
    for kind in PARTS:
        id_ = made(real, type=kind, **given)
        told.append(ask(real, "get_credential_detail", id=id_))
        told.append(ask(real, "update_credential", id=id_, name=id_, type=kind, **given))
        told.append(ask(real, "update_credential", id=id_, name=id_, type="no", **given))
        told.append(ask(real, "create_credential", name=id_, type=kind, **given))
    assert marker not in str(told)
    assert marker not in "".join(capfd.readouterr())
    files = [path for path in directory.rglob("*") if path.is_file()]
    assert directory / "adapter.db" in files
    assert not [path for path in files if marker.encode() in path.read_bytes()]
