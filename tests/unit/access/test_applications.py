"""Registering applications and tokens: in the store, and by the command line."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from adapter import errors
from adapter.cli.app import app_group
from adapter.cli.token import token_group
from adapter.job.model import Scope
from adapter.service.authentication import Credentials

from .conftest import BIZ, World


def run_app(data_dir: Path, *arguments: str) -> Result:
    """`adapter app …`."""
    return CliRunner().invoke(app_group, [*arguments, "--data-dir", str(data_dir)])


def run_token(data_dir: Path, *arguments: str) -> Result:
    """`adapter token …`."""
    return CliRunner().invoke(token_group, [*arguments, "--data-dir", str(data_dir)])


def test_secrets_are_stored_as_hashes_only(world: World) -> None:
    """Who reads the database can be nobody."""
    world.stores.close()
    for file in world.data_dir.iterdir():
        data = file.read_bytes()
        for secret in (world.trusted, world.plain, world.ann):
            assert secret.encode() not in data


@pytest.mark.parametrize("code", ["", "a b", "a\0", "ä", "a\n", "x" * 129])
def test_codes_that_are_none_are_refused(world: World, code: str) -> None:
    """They travel in headers."""
    with pytest.raises(errors.InvalidParameter):
        world.applications.create(code)


def test_a_code_is_registered_once(world: World) -> None:
    """The secret that is known stays the secret."""
    with pytest.raises(errors.InvalidParameter, match="already exists"):
        world.applications.create("trusted")
    world.authentication.identify(Credentials(app_code="trusted", app_secret=world.trusted, username="u"))


def test_tokens_need_an_application_and_a_user(world: World) -> None:
    """Neither is guessed."""
    with pytest.raises(errors.InvalidParameter, match="not registered"):
        world.applications.create_token("ghost", "ann")
    with pytest.raises(errors.InvalidParameter, match="user"):
        world.applications.create_token("plain", " ")


def test_rotating_changes_the_secret_and_nothing_else(world: World) -> None:
    """Tokens stay valid; the old secret does not."""
    secret = world.applications.rotate("plain")
    with pytest.raises(errors.EsbError):
        world.authentication.identify(
            Credentials(app_code="plain", app_secret=world.plain, bk_token=world.ann)
        )
    caller = world.authentication.identify(
        Credentials(app_code="plain", app_secret=secret, bk_token=world.ann)
    )
    assert caller.scopes == frozenset({BIZ})
    with pytest.raises(errors.InvalidParameter):
        world.applications.rotate("ghost")


def test_the_commands_print_one_json_object(tmp_path: Path) -> None:
    """On a data directory that does not exist yet; its mode keeps others out."""
    data_dir = tmp_path / "new" / "data"
    result = run_app(data_dir, "create", "x", "--scope", "biz:2", "--scope", "biz_set:9")
    assert (result.exit_code, result.stderr) == (0, "")
    app = json.loads(result.stdout)
    assert set(app) == {"bk_app_code", "bk_app_secret"}
    assert data_dir.stat().st_mode & 0o777 == 0o700
    result = run_token(data_dir, "create", "--app", "x", "--user", "ann")
    assert result.exit_code == 0
    assert set(json.loads(result.stdout)) == {"access_token"}


def test_what_the_commands_printed_opens_the_door(world: World) -> None:
    """Beside a service that has the database open."""
    secret = json.loads(run_app(world.data_dir, "create", "x", "--act-as-any-user").stdout)["bk_app_secret"]
    assert (
        world.authentication.identify(Credentials(app_code="x", app_secret=secret, username="u")).scopes
        is None
    )
    token = json.loads(run_token(world.data_dir, "create", "--app", "plain", "--user", "bob").stdout)
    assert world.authentication.identify(Credentials(access_token=token["access_token"])).user == "bob"


def test_mistakes_are_one_line_on_standard_error(world: World) -> None:
    """And exit code 1; standard output stays empty for the program that reads it."""
    for result, words in (
        (run_app(world.data_dir, "create", "plain"), "--rotate"),
        (run_app(world.data_dir, "create", "ghost", "--rotate"), "not registered"),
        (run_app(world.data_dir, "update", "ghost"), "not registered"),
        (run_token(world.data_dir, "create", "--app", "ghost", "--user", "u"), "not registered"),
        (run_app(world.data_dir / "adapter.db", "create", "x"), "is a file"),
    ):
        assert result.exit_code in (1, 2)
        assert result.stdout == ""
        assert words in result.stderr
        assert "Traceback" not in result.stderr
    assert run_app(world.data_dir, "create", "plain").exit_code == 1
    assert run_app(world.data_dir, "create", "x", "--scope", "2").exit_code == 2


def test_rights_change_without_a_new_secret(world: World) -> None:
    """`adapter app update`; scopes given replace the old ones."""
    result = run_app(world.data_dir, "update", "plain", "--scope", "biz:3", "--act-as-any-user")
    assert json.loads(result.stdout) == {
        "bk_app_code": "plain",
        "scopes": ["biz:3"],
        "actions": None,
        "accounts": None,
        "act_as_any_user": True,
    }
    caller = world.authentication.identify(
        Credentials(app_code="plain", app_secret=world.plain, username="anyone")
    )
    assert caller.scopes == frozenset({Scope("biz", "3")})
    run_app(world.data_dir, "update", "plain", "--no-act-as-any-user")
    with pytest.raises(errors.EsbError):
        world.authentication.identify(
            Credentials(app_code="plain", app_secret=world.plain, username="anyone")
        )


def test_another_process_registers_too(tmp_path: Path) -> None:
    """As a person runs it: nothing on standard output but the object, no warnings."""
    program = "from adapter.cli.app import app_group; app_group()"
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program, "create", "x", "--data-dir", str(tmp_path / "data")],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert json.loads(done.stdout)["bk_app_code"] == "x"
    assert done.stderr == ""
