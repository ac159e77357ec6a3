"""Accounts: the API's rules, the lookups of a launch, secrets at rest."""

from __future__ import annotations

from pathlib import Path

import pytest

from adapter import errors
from adapter.job.commands import AccountRef
from adapter.service.catalog import Catalog
from adapter.store.opening import Stores

from .conftest import BIZ, OTHER

HOSTILE = ["o'brien", 'say "hi"', "{{ lookup('pipe', 'id') }}", "数据库", "a%b_c", "; drop table account"]


def test_an_account_keeps_what_it_was_given(catalog: Catalog) -> None:
    """The reply has every field, and says that there is a password without saying which."""
    account = catalog.create_account(
        BIZ, user="ann", account="deploy", category=1, type=1, password="s3cret", description="d"
    )
    assert (account.alias, account.account, account.creator) == ("deploy", "deploy", "ann")
    assert account.has_password
    assert not account.has_private_key
    assert "s3cret" not in repr(account)
    assert catalog.account(BIZ, AccountRef(alias="deploy")) == account


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("account", " "),
        ("account", "a\0b"),
        ("account", "a\nb"),
        ("account", "\ud800"),
        ("account", "-rf"),
        ("account", "x" * 256),
        ("alias", "x" * 256),
        ("password", "x" * 118),
        ("password", "a\0b"),
        ("category", 3),
        ("type", 3),
        ("description", "\0"),
    ],
)
def test_values_out_of_range_are_refused(catalog: Catalog, field: str, value: object) -> None:
    """As bean validation: 1240003, naming the field."""
    arguments: dict[str, object] = {"account": "deploy", "category": 1, "type": 1, field: value}
    with pytest.raises(errors.BadRequest, match=f"Invalid {field}"):
        catalog.create_account(BIZ, user="ann", **arguments)  # type: ignore[arg-type]
    assert catalog.get_account_list(BIZ).total == 0


def test_limits_themselves_are_allowed(catalog: Catalog) -> None:
    """255 characters of alias, 117 of password."""
    account = catalog.create_account(
        BIZ, user="ann", account="a", alias="x" * 255, password="p" * 117, category=2, type=11
    )
    assert account.has_password


def test_an_alias_is_taken_once_per_scope(catalog: Catalog) -> None:
    """Another business may have the same."""
    catalog.create_account(BIZ, user="ann", account="root", category=1, type=1)
    with pytest.raises(errors.AccountExists) as raised:
        catalog.create_account(BIZ, user="ann", account="other", alias="root", category=1, type=1)
    assert raised.value.code == 1243007
    catalog.create_account(OTHER, user="ann", account="root", category=1, type=1)


@pytest.mark.parametrize("name", HOSTILE)
def test_odd_names_are_names(catalog: Catalog, name: str) -> None:
    """They come back as they are, and match only themselves."""
    account = catalog.create_account(BIZ, user="ann", account=name, category=1, type=1)
    catalog.create_account(BIZ, user="ann", account="axbyc", category=1, type=1)
    assert catalog.account(BIZ, AccountRef(alias=name)).account == name
    assert [item.id for item in catalog.get_account_list(BIZ, account=name).items] == [account.id]


def test_the_list_filters_and_pages(catalog: Catalog) -> None:
    """Last changed first; what is out of range is moved into it."""
    for number in range(25):
        catalog.create_account(BIZ, user="ann", account=f"user{number}", category=1 + number % 2, type=1)
    page = catalog.get_account_list(BIZ)
    assert (page.start, page.length, page.total, len(page.items)) == (0, 20, 25, 20)
    assert page.items[0].account == "user24"
    page = catalog.get_account_list(BIZ, start=24, length=5000)
    assert (page.length, [item.account for item in page.items]) == (1000, ["user0"])
    assert catalog.get_account_list(BIZ, start=-1, length=0).length == 20
    assert catalog.get_account_list(BIZ, start=10**30).items == ()
    assert catalog.get_account_list(BIZ, category=2).total == 12
    assert catalog.get_account_list(BIZ, alias="R24").total == 1
    assert catalog.get_account_list(OTHER).total == 0


def test_an_id_is_found_from_any_scope_and_an_alias_within_its_own(catalog: Catalog) -> None:
    """Contract c: account_id is not checked against the business."""
    account = catalog.create_account(BIZ, user="ann", account="root", category=1, type=1)
    assert catalog.account(OTHER, AccountRef(id=account.id, alias="nobody")) == account
    with pytest.raises(errors.AccountUnknown, match=r"\[root\]"):
        catalog.account(OTHER, AccountRef(alias="root"))
    with pytest.raises(errors.MissingParameter):
        catalog.account(BIZ, AccountRef())


@pytest.mark.parametrize("account_id", [0, -1, 999, 2**63, 10**40])
def test_ids_of_nothing_are_unknown(catalog: Catalog, account_id: int) -> None:
    """Also those that no column could hold."""
    with pytest.raises(errors.AccountUnknown, match=f"ID={account_id}"):
        catalog.account(BIZ, AccountRef(id=account_id))


def test_secrets_come_back_only_as_a_credential(stores: Stores, data_dir: Path) -> None:
    """They are in no file of the database in clear, and in no repr."""
    account = stores.accounts.create(
        BIZ,
        operator="ann",
        now_ms=1,
        alias="a",
        account="a",
        login_user="deploy",
        private_key="KEY-MATERIAL-7",
        password="PASSWORD-7",
    )
    credential = stores.accounts.credential(account.id)
    assert (credential.login_user, credential.private_key, credential.password) == (
        "deploy",
        "KEY-MATERIAL-7",
        "PASSWORD-7",
    )
    assert "-7" not in repr(credential)
    stores.close()
    for file in data_dir.iterdir():
        assert b"KEY-MATERIAL-7" not in file.read_bytes()
        assert b"PASSWORD-7" not in file.read_bytes()
    with pytest.raises(errors.AccountUnknown):
        stores.accounts.credential(99)
    stores.close()


# --- databases -------------------------------------------------------------------------------------------


def test_an_account_of_a_database(catalog: Catalog, stores: Stores) -> None:
    """It has a port, the user of the host whom its client runs as, and a password that is encrypted."""
    root = catalog.create_account(BIZ, user="ann", account="root", category=1, type=1)
    made = catalog.create_account(
        BIZ,
        user="ann",
        account="app",
        category=2,
        type=101,
        password="s3cret",
        db_port=5432,
        db_system_account_id=root.id,
    )
    assert (made.db_port, made.db_system_account_id) == (5432, root.id)
    assert stores.accounts.credential(made.id).password == "s3cret"
    assert catalog.get_account_list(BIZ, category=2).items == (made,)


@pytest.mark.parametrize(
    ("field", "value"),
    [("db_port", -1), ("db_port", 65_536), ("password", "a\nb"), ("password", "a\x7fb")],
)
def test_what_no_client_could_be_told(catalog: Catalog, field: str, value: object) -> None:
    """1240003, naming the field."""
    arguments: dict[str, object] = {"account": "app", "category": 2, "type": 9, field: value}
    with pytest.raises(errors.BadRequest, match=f"Invalid {field}"):
        catalog.create_account(BIZ, user="ann", **arguments)  # type: ignore[arg-type]
    assert catalog.get_account_list(BIZ).total == 0


def test_its_system_account_is_one_of_the_scope_s_system_accounts(catalog: Catalog) -> None:
    """Not another business's, not another database's; and a system account has none."""
    foreign = catalog.create_account(OTHER, user="ann", account="root", category=1, type=1)
    database = catalog.create_account(BIZ, user="ann", account="db", category=2, type=9)
    for wrong in (foreign.id, database.id, 4711, -1):
        with pytest.raises(errors.AccountUnknown):
            catalog.create_account(
                BIZ, user="ann", account="app", category=2, type=9, db_system_account_id=wrong
            )
    with pytest.raises(errors.BadRequest, match="db_port"):
        catalog.create_account(BIZ, user="ann", account="app", category=1, type=1, db_port=1)
    assert catalog.get_account_list(BIZ).total == 1
