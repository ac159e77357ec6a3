"""File sources over HTTP, kept in a real store."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa

from adapter.config import Settings
from adapter.job.audit_log import AuditFilter
from adapter.job.model import Scope
from adapter.store import tables
from adapter.store.audit_log import AuditLogStore
from adapter.store.file_sources import FileSourceStore
from adapter.store.opening import Stores, open_store
from adapter.store.workers import WorkerStore

from . import bodies
from .conftest import StoppedClock
from .real import Real, build

ONE = Scope("biz", "1")
CREATE = "create_file_source"
UPDATE = "update_file_source"
NO_ID = "0" * 32


@pytest.fixture(scope="module")
def stores(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stores]:
    """A database of these tests' own."""
    opened = open_store(Settings(data_dir=tmp_path_factory.mktemp("file_sources")))
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def real(stores: Stores, tmp_path_factory: pytest.TempPathFactory) -> Real:
    """The application over real use cases."""
    return build(stores, StoppedClock(), Settings(data_dir=tmp_path_factory.mktemp("settings")))


def ask(real: Real, api: str, **fields: Any) -> dict[str, Any]:
    """The reply to a request in business 1."""
    return real.job.v3(api, {**bodies.SCOPE, **fields})


def credential(real: Real, kind: str = "USERNAME_PASSWORD", business: str = "1") -> str:
    """The id of a new credential."""
    parts = ("access_key", "secret_key", "username", "password")
    body = {"name": uuid.uuid4().hex, "type": kind, **{f"credential_{part}": part for part in parts}}
    reply = real.job.v3("create_credential", {"bk_scope_type": "biz", "bk_scope_id": business, **body})
    return str(reply["data"]["id"])


def fresh(**fields: Any) -> dict[str, Any]:
    """A valid request to make one of which there is none yet; None takes a field away."""
    name = f"f{uuid.uuid4().hex[:20]}"
    body = {
        "code": name,
        "alias": name,
        "type": "HTTP",
        "access_params": {"base_url": "https://files.example.com"},
    }
    return {key: value for key, value in {**body, **fields}.items() if value is not None}


def test_the_life_of_a_file_source(real: Real, stores: Stores) -> None:
    """Made, told, changed as a whole; where it is and its credential's value are in no reply."""
    id_ = credential(real)
    body = fresh(
        type="BLUEKING_ARTIFACTORY",
        access_params={"base_url": "https://repo.example.com/api/", "unknown": 1},
        credential_id=id_,
        file_prefix="v1-",
    )
    reply = ask(real, CREATE, **body)
    assert reply["code"] == 0, reply
    assert reply["data"] == {"id": reply["data"]["id"]}
    kept = FileSourceStore(stores.engine).by_code(ONE, body["code"])
    assert (kept.base_url, kept.file_prefix, kept.credential_id) == (
        "https://repo.example.com/api",
        "v1-",
        id_,
    )
    now = StoppedClock().now_ms()
    assert ask(real, "get_file_source_detail", code=body["code"])["data"] == {
        "id": kept.id,
        "bk_scope_type": "biz",
        "bk_scope_id": "1",
        "bk_biz_id": 1,
        "code": body["code"],
        "alias": body["alias"],
        "status": -1,
        "file_source_type_code": "BLUEKING_ARTIFACTORY",
        "is_public": False,
        "credential_id": id_,
        "enable": True,
        "creator": "admin",
        "create_time": now,
        "last_modify_user": "admin",
        "last_modify_time": now,
    }
    changed = fresh(code=body["code"])
    assert ask(real, UPDATE, **changed)["data"] == {"id": kept.id}
    after = FileSourceStore(stores.engine).by_code(ONE, body["code"])
    assert (after.type, after.credential_id, after.file_prefix) == ("HTTP", None, "")
    detail = ask(real, "get_file_source_detail", code=body["code"])["data"]
    assert (detail["alias"], detail["credential_id"]) == (changed["alias"], None)


def test_the_status_is_the_workers(real: Real, stores: Stores) -> None:
    """-1 without a worker (above), 0 with one that takes jobs, 1 when the last one takes no more."""
    body = fresh()
    ask(real, CREATE, **body)
    workers = WorkerStore(stores.engine)
    worker = workers.register("here", 1, 1, 1)
    assert ask(real, "get_file_source_detail", code=body["code"])["data"]["status"] == 0
    workers.drain(worker.id)
    assert ask(real, "get_file_source_detail", code=body["code"])["data"]["status"] == 1
    with stores.engine.begin() as connection:
        connection.execute(sa.delete(tables.worker))
    assert ask(real, "get_file_source_detail", code=body["code"])["data"]["status"] == -1


@pytest.mark.parametrize(
    ("type", "kind"),
    [
        ("BLUEKING_ARTIFACTORY", "USERNAME_PASSWORD"),
        ("S3", "APP_ID_SECRET_KEY"),
        ("HTTP", "USERNAME_PASSWORD"),
    ],
)
def test_types_and_their_credentials(real: Real, type: str, kind: str) -> None:
    """Each takes the one that fits; another is refused, and so is none where one is needed."""
    fitting = credential(real, kind)
    assert ask(real, CREATE, **fresh(type=type, credential_id=fitting))["code"] == 0
    other = credential(real, "PASSWORD")
    reply = ask(real, CREATE, **fresh(type=type, credential_id=other))
    assert (reply["code"], kind in reply["message"]) == (1241005, True)
    without = ask(real, CREATE, **fresh(type=type))
    assert without["code"] == (0 if type == "HTTP" else 1240003)
    assert type == "HTTP" or "credential_id" in without["message"]


@pytest.mark.parametrize(
    ("changes", "code", "word"),
    [
        ({"code": None}, 1240003, "code"),
        ({"code": "1a"}, 1240003, "code"),
        ({"code": "a-b"}, 1240003, "code"),
        ({"code": "a" * 33}, 1240003, "code"),
        ({"alias": None}, 1240003, "alias"),
        ({"alias": "a<b"}, 1240003, "alias"),
        ({"type": None}, 1240003, "type"),
        ({"type": "FTP"}, 1241005, "FTP"),
        ({"access_params": None}, 1240003, "access_params"),
        ({"access_params": {}}, 1240003, "base_url"),
        ({"access_params": {"base_url": "ftp://files"}}, 1240003, "base_url"),
        ({"access_params": {"base_url": "https://u:hunter2@files"}}, 1240003, "base_url"),
        ({"access_params": {"base_url": "https://files?a=b"}}, 1240003, "base_url"),
        ({"access_params": {"base_url": "https://files/" + "x" * 1000}}, 1240003, "base_url"),
        ({"access_params": {"base_url": "https://files", "region": "a b"}}, 1240003, "region"),
        ({"access_params": {"base_url": "http://169.254.169.254/latest"}}, 1260020, "metadata"),
        ({"access_params": {"base_url": "http://localhost:9000"}}, 1260020, "ADAPTER_FILE_SOURCE_ALLOW"),
        ({"file_prefix": "../"}, 1240003, "file_prefix"),
        ({"file_prefix": "a\nb"}, 1240003, "file_prefix"),
        ({"file_prefix": "x" * 101}, 1240003, "file_prefix"),
        ({"credential_id": NO_ID}, 1243048, NO_ID),
    ],
)
def test_refused_file_sources(real: Real, changes: dict[str, Any], code: int, word: str) -> None:
    """The code and what is wrong; nothing is stored, and a change that is refused changes nothing."""
    body = fresh(**changes)
    reply = ask(real, CREATE, **body)
    assert (reply["code"], reply["data"]) == (code, None)
    assert word in reply["message"]
    assert "hunter2" not in reply["message"]
    if "code" in changes:
        return
    assert ask(real, "get_file_source_detail", code=body["code"])["code"] == 1260012
    there = fresh()
    ask(real, CREATE, **there)
    before = ask(real, "get_file_source_detail", code=there["code"])["data"]
    assert ask(real, UPDATE, **{**body, "code": there["code"]})["code"] == code
    assert ask(real, "get_file_source_detail", code=there["code"])["data"] == before


def test_names_are_taken_once(real: Real) -> None:
    """1260015 for the code, 1260004 for the alias."""
    body = fresh()
    assert ask(real, CREATE, **body)["code"] == 0
    assert ask(real, CREATE, **{**fresh(), "code": body["code"]})["code"] == 1260015
    assert ask(real, CREATE, **{**fresh(), "alias": body["alias"]})["code"] == 1260004
    other = fresh()
    ask(real, CREATE, **other)
    assert ask(real, UPDATE, **{**other, "alias": body["alias"]})["code"] == 1260004


def test_another_business_has_its_own(real: Real) -> None:
    """A code and a credential of another business are unknown."""
    body = fresh()
    ask(real, CREATE, **body)
    elsewhere = {"bk_scope_type": "biz", "bk_scope_id": "2"}
    for api in (UPDATE, "get_file_source_detail"):
        reply = real.job.v3(api, {**elsewhere, **body})
        assert (reply["code"], body["code"] in reply["message"]) == (1260012, True)
    theirs = credential(real, business="2")
    assert ask(real, CREATE, **fresh(credential_id=theirs))["code"] == 1243048


def test_a_get_with_json_in_the_query(real: Real) -> None:
    """ESB sends objects as JSON text."""
    body = fresh(access_params='{"base_url": "https://files.example.com"}')
    assert ask(real, CREATE, **body)["code"] == 0


def test_changes_are_in_the_audit_log(real: Real, stores: Stores) -> None:
    """With the code and the id."""
    body = fresh()
    id_ = ask(real, CREATE, **body)["data"]["id"]
    found = AuditLogStore(stores.engine).of(AuditFilter(api=CREATE))
    (entry,) = [one for one in found if one.objects.get("code") == body["code"]]
    assert (entry.action, entry.code, entry.objects["id"]) == ("manage", 0, id_)


def transferred(real: Real, api: str = "fast_transfer_file", **source: Any) -> dict[str, Any]:
    """The reply to a transfer of files of a file source in business 1."""
    given = {"file_type": 3, "file_list": ["project/repo/a"], **source}
    return real.job.v3(api, bodies.v3(api, file_source_list=[given]))


def test_a_transfer_from_a_file_source(real: Real) -> None:
    """By id, which wins, or by code; what it takes is told by both, and no account or host with it."""
    body = fresh()
    id_ = ask(real, CREATE, **body)["data"]["id"]
    for named in (
        {"file_source_id": id_, "file_source_code": "nonsense"},
        {"file_source_code": body["code"]},
    ):
        reply = transferred(real, **named)
        assert reply["code"] == 0, reply
        launched = reply["data"]
        detail = ask(
            real,
            "get_step_instance_detail",
            job_instance_id=launched["job_instance_id"],
            step_instance_id=launched["step_instance_id"],
        )["data"]
        assert detail["file_info"]["file_source_list"] == [
            {
                "file_type": 3,
                "file_list": ["project/repo/a"],
                "account": None,
                "server": None,
                "file_source_id": id_,
                "file_source_code": body["code"],
            }
        ]


def test_what_a_transfer_would_run(real: Real) -> None:
    """plan_only: the play has the files, and nothing of where they are."""
    body = fresh(access_params={"base_url": "https://told-to-nobody.example.com"})
    ask(real, CREATE, **body)
    source = {"file_type": 3, "file_list": ["dir/a.tar"], "file_source_code": body["code"]}
    launch = bodies.v3("fast_transfer_file", file_source_list=[source], plan_only=True)
    (step,) = real.job.v3("fast_transfer_file", launch)["data"]["step_list"]
    assert "dir/a.tar" in step["playbook"]
    assert "told-to-nobody" not in str(step)


def test_the_pipelines_transfer_takes_them_too(real: Real) -> None:
    """bkci_plugin_fast_transfer_file."""
    body = fresh()
    ask(real, CREATE, **body)
    reply = transferred(real, "bkci_plugin_fast_transfer_file", file_source_code=body["code"])
    assert reply["code"] == 0, reply


@pytest.mark.parametrize(
    ("source", "code", "word"),
    [
        ({"file_source_id": 10**9}, 1260001, "1000000000"),
        ({"file_source_code": "nothing"}, 1260012, "nothing"),
        ({"file_list": ["project/repo/dir/"]}, 1241005, "a directory"),
        ({"file_list": ["project/repo/a", "../etc"]}, 1241005, ".."),
        ({"file_list": ["project/a"]}, 1241005, "at least 3 parts"),
        ({"file_list": ["project/repo/a\nb"]}, 1241005, "line breaks"),
        ({"file_list": ["///"]}, 1241005, "file_source.file_list"),
        ({"file_list": []}, 1241004, "file_source.file_list"),
    ],
)
def test_refused_transfers(real: Real, source: dict[str, Any], code: int, word: str) -> None:
    """The code, the value; no job is made."""
    body = fresh(
        type="BLUEKING_ARTIFACTORY", access_params={"base_url": "https://a"}, credential_id=credential(real)
    )
    ask(real, CREATE, **body)
    named = source if "file_list" not in source else {"file_source_code": body["code"], **source}
    woken = len(real.woken)
    reply = transferred(real, **named)
    assert (reply["code"], reply["data"]) == (code, None)
    assert word in reply["message"]
    assert len(real.woken) == woken


def test_a_file_source_of_another_business(real: Real) -> None:
    """Is said to be that by its id, and is unknown by its code."""
    body = fresh()
    elsewhere = {"bk_scope_type": "biz", "bk_scope_id": "2"}
    id_ = real.job.v3(CREATE, {**elsewhere, **body})["data"]["id"]
    assert transferred(real, file_source_id=id_)["code"] == 1260017
    assert transferred(real, file_source_code=body["code"])["code"] == 1260012
