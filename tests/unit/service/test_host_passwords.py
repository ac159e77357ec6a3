"""Passwords that a request brings for single Windows hosts."""

from __future__ import annotations

import base64

import pytest
import sqlalchemy as sa
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from adapter import errors
from adapter.job.commands import HostPassword
from adapter.store import tables
from adapter.store.password_key import PasswordKey

from .world import SOURCE, SRC1, SRC2, World, alias, execute_script, on


def encrypted(world: World, password: str) -> str:
    """As a client does it: with what get_account_password_encryption_metadata says."""
    pem = base64.b64decode(world.password_key.public_key())
    key = serialization.load_pem_public_key(pem)
    assert isinstance(key, rsa.RSAPublicKey)
    return base64.b64encode(key.encrypt(password.encode(), padding.PKCS1v15())).decode()


@pytest.fixture
def world(world: World) -> World:
    """With a Windows account, and the row that a data directory has."""
    with world.jobs._engine.begin() as connection:
        connection.execute(sa.insert(tables.installation).values(id=1, key_digest=world.jobs._box.digest))
    world.account(SOURCE, "Administrator", type=2)
    return world


def test_passwords_are_kept_by_host_and_encrypted(world: World) -> None:
    """The id wins over the address; what is for no target is not kept; no table has one in clear."""
    given = (
        HostPassword(bk_cloud_id=0, ip="10.0.0.1", encrypted=encrypted(world, "by address")),
        HostPassword(bk_host_id=1, encrypted=encrypted(world, "pa ss'$\"")),
        HostPassword(bk_cloud_id=0, ip="10.0.0.2", encrypted=encrypted(world, "sécret")),
        HostPassword(bk_host_id=99, encrypted="not even looked at"),
        HostPassword(encrypted="neither"),
    )
    assert all(len(one.encrypted) == 172 for one in given[:3])
    launched = world.launch.execute_script(
        execute_script(account=alias("Administrator"), target=on(SRC1, SRC2), host_passwords=given)
    )
    assert launched.step_instance_id is not None
    assert world.jobs.host_passwords(launched.step_instance_id) == {1: "pa ss'$\"", 2: "sécret"}
    with world.jobs._engine.connect() as connection:
        for table in (tables.host_password, tables.step_instance, tables.installation):
            rows = str(connection.execute(sa.select(table)).all())
            assert "sécret" not in rows
            assert "PRIVATE KEY" not in rows


@pytest.mark.parametrize("text", ["", "x", "AAAA", "%%%", base64.b64encode(b"x" * 128).decode()])
def test_what_cannot_be_decrypted_is_refused(world: World, text: str) -> None:
    """Before anything is stored: the job would only fail on its hosts."""
    given = (HostPassword(bk_host_id=1, encrypted=text or "=" * 4),)
    with pytest.raises(errors.FieldInvalid, match="encrypted_password"):
        world.launch.execute_script(
            execute_script(account=alias("Administrator"), target=on(SRC1), host_passwords=given)
        )
    assert world.count() == 0


def test_other_accounts_have_none(world: World) -> None:
    """JOB does not look at the list then."""
    given = (HostPassword(bk_host_id=1, encrypted="x"),)
    launched = world.launch.execute_script(execute_script(target=on(SRC1), host_passwords=given))
    assert world.jobs.host_passwords(launched.step_instance_id or 0) == {}


def test_an_installation_has_one_key(world: World) -> None:
    """Whoever asks first; other processes get the same."""
    others = [PasswordKey(world.jobs._engine, world.jobs._box) for _ in range(2)]
    assert len({world.password_key.public_key(), *(other.public_key() for other in others)}) == 1
    assert others[0].opened(encrypted(world, "a")) == "a"
