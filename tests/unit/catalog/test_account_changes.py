"""Accounts are changed and deleted as the contract has it."""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from adapter import errors
from adapter.job.model import Account, Host, JobInstance, ScriptTask, Server, StepInstance
from adapter.job.plan import PlanFile, PlanFileSource, PlanScript, PlanStep
from adapter.job.status import RunStatus, StepType
from adapter.service.catalog import Catalog
from adapter.store.jobs import JobStore
from adapter.store.opening import Stores
from adapter.store.password_key import PasswordKey

from .conftest import BIZ, OTHER

TARGET = Server(host_ids=(1,))


def make(catalog: Catalog, alias: str = "root", **fields: object) -> Account:
    """An account of a system, unless `fields` say otherwise."""
    given: dict[str, object] = {"category": 1, "type": 1, "account": "root", **fields}
    return catalog.create_account(BIZ, user="ann", alias=alias, **given)  # type: ignore[arg-type]


def test_what_is_left_out_is_kept(catalog: Catalog, stores: Stores) -> None:
    """Also an alias and a password that are empty; a description may become empty."""
    made = make(catalog, password="first", description="d")
    update: Callable[..., Account] = catalog.update_account
    changed = update(BIZ, user="bob", id=made.id, alias="web", password="", description=None)
    assert changed == replace(
        made, alias="web", last_modify_user="bob", last_modify_time=changed.last_modify_time
    )
    assert stores.accounts.credential(made.id).password == "first"
    changed = update(BIZ, user="bob", id=made.id, alias="", password="second", description="")
    assert (changed.alias, changed.description) == ("web", "")
    assert stores.accounts.credential(made.id).password == "second"


def test_an_account_of_a_database_changes_its_server(catalog: Catalog, stores: Stores) -> None:
    """Port and system account; a system's account has neither."""
    system, other = make(catalog), make(catalog, "other")
    database = make(
        catalog, "db", category=2, type=9, password="p", db_port=3306, db_system_account_id=system.id
    )
    changed = catalog.update_account(
        BIZ, user="a", id=database.id, db_port=3307, db_system_account_id=other.id
    )
    assert (changed.db_port, changed.db_system_account_id) == (3307, other.id)
    assert catalog.update_account(BIZ, user="a", id=database.id, db_port=0).db_port is None
    assert stores.accounts.credential(database.id).password == "p"
    with pytest.raises(errors.AccountUnknown):
        catalog.update_account(BIZ, user="a", id=database.id, db_system_account_id=database.id)
    with pytest.raises(errors.BadRequest, match="only accounts of databases"):
        catalog.update_account(BIZ, user="a", id=system.id, db_port=1)
    with pytest.raises(errors.BadRequest, match="password"):
        catalog.update_account(BIZ, user="a", id=database.id, password="a\nb")


def test_an_alias_that_is_taken(catalog: Catalog) -> None:
    """1243007, and nothing has changed."""
    make(catalog)
    other = make(catalog, "other", description="d")
    with pytest.raises(errors.AccountExists) as raised:
        catalog.update_account(BIZ, user="a", id=other.id, alias="root", description="new")
    assert raised.value.code == 1243007
    assert catalog.get_account_list(BIZ, alias="other").items == (other,)


@pytest.mark.parametrize(
    "fields", [{"alias": "x" * 256}, {"alias": "a\nb"}, {"password": "x" * 118}, {"description": "\0"}]
)
def test_values_out_of_range(catalog: Catalog, fields: dict[str, str]) -> None:
    """1240003, naming the field."""
    made = make(catalog)
    update: Callable[..., Account] = catalog.update_account
    with pytest.raises(errors.BadRequest, match=f"Invalid {next(iter(fields))}"):
        update(BIZ, user="a", id=made.id, **fields)
    assert catalog.get_account_list(BIZ).items == (made,)


@pytest.mark.parametrize("id_", [0, -1, 2**63, 999])
def test_ids_of_nothing(catalog: Catalog, id_: int) -> None:
    """1244003; so is another scope's."""
    made = make(catalog)
    for scope, unknown in ((BIZ, id_), (OTHER, made.id)):
        with pytest.raises(errors.AccountUnknown):
            catalog.update_account(scope, user="a", id=unknown, alias="x")
        with pytest.raises(errors.AccountUnknown):
            catalog.delete_account(scope, id=unknown)
    assert catalog.get_account_list(BIZ).total == 1


def test_passwords_in_clear_or_encrypted(catalog: Catalog, stores: Stores) -> None:
    """With the key that clients are told; what only looks like one of these is refused."""
    key = PasswordKey(stores.engine, stores.box)
    public = serialization.load_pem_public_key(base64.b64decode(key.public_key()))
    assert isinstance(public, rsa.RSAPublicKey)

    def encrypted(text: str) -> str:
        return base64.b64encode(public.encrypt(text.encode(), padding.PKCS1v15())).decode()

    made = make(catalog, password=encrypted("pä ss"))
    assert stores.accounts.credential(made.id).password == "pä ss"
    catalog.update_account(BIZ, user="a", id=made.id, password=encrypted("other"))
    assert stores.accounts.credential(made.id).password == "other"
    for text in ("A" * 172, encrypted("x")[:-4] + "AAA="):
        with pytest.raises(errors.BadRequest, match="password"):
            catalog.update_account(BIZ, user="a", id=made.id, password=text)
    assert stores.accounts.credential(made.id).password == "other"


def test_an_account_goes(catalog: Catalog) -> None:
    """And its alias is free; an id is not given again."""
    made, other = make(catalog), make(catalog, "10")
    catalog.delete_account(BIZ, id=made.id)
    assert catalog.get_account_list(BIZ).items == (other,)
    with pytest.raises(errors.AccountUnknown):
        catalog.delete_account(BIZ, id=made.id)
    assert make(catalog).id > other.id


def _script(id_: int) -> PlanStep:
    script = PlanScript(account_id=id_, language=1, content="x")
    return PlanStep(id=0, name="s", type=StepType.SCRIPT, target=TARGET, script=script)


def _file(target: int, source: int) -> PlanStep:
    sources = (PlanFileSource(files=("/a",), account_id=source, server=TARGET),)
    file = PlanFile(account_id=target, target_path="/b/", sources=sources)
    return PlanStep(id=0, name="f", type=StepType.FILE, target=TARGET, file=file)


@pytest.mark.parametrize("step", [_script(1), _file(1, 2), _file(2, 1)], ids=["script", "target", "source"])
def test_an_account_in_use_stays(catalog: Catalog, stores: Stores, step: PlanStep) -> None:
    """1243014 with the template, whatever of its steps names it, in whatever scope; one of no step may go."""
    used, _, free = (make(catalog, alias) for alias in ("one", "two", "three"))
    assert (used.id, free.id) == (1, 3)
    stores.plans.create_template(OTHER, name="release", steps=(step,), operator="ann", now_ms=1)
    with pytest.raises(errors.AccountInUse) as raised:
        catalog.delete_account(BIZ, id=used.id)
    assert (raised.value.code, "[release]" in raised.value.message) == (1243014, True)
    catalog.delete_account(BIZ, id=free.id)
    assert catalog.get_account_list(BIZ).total == 2


def test_the_system_account_of_a_database_stays(catalog: Catalog) -> None:
    """Until the database's account is gone."""
    system = make(catalog)
    database = make(catalog, "db", category=2, type=9, db_system_account_id=system.id)
    with pytest.raises(errors.AccountInUse, match=r"\[db\]"):
        catalog.delete_account(BIZ, id=system.id)
    catalog.delete_account(BIZ, id=database.id)
    catalog.delete_account(BIZ, id=system.id)


def test_an_account_of_a_job_that_has_not_ended_stays(catalog: Catalog, stores: Stores) -> None:
    """It is logged in with when the step begins; the account of a text like its id is not meant."""
    used, free = make(catalog), make(catalog, "free")
    jobs = JobStore(stores.engine, stores.box)
    task = ScriptTask(language=1, content=f'"account_id":{free.id},', account_id=used.id)
    host = Host(bk_host_id=1, bk_cloud_id=0, ip="10.0.0.1", name="a")
    job = JobInstance(scope=BIZ, name="j", create_time=1, steps=(StepInstance(script=task, create_time=1),))
    stored = jobs.add(job, [(host,)])
    catalog.delete_account(BIZ, id=free.id)
    with pytest.raises(errors.AccountInUse, match=f"job {stored.id}"):
        catalog.delete_account(BIZ, id=used.id)
    jobs.begin_job(stored.id, 2)
    jobs.finish_job(stored.id, RunStatus.FAILED, 3)
    catalog.delete_account(BIZ, id=used.id)
