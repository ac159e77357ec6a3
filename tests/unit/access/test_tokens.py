"""Tokens that are over, and application secrets that are changed."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner, Result

from adapter import errors
from adapter.cli.token import token_group
from adapter.service.authentication import Authentication, Credentials
from adapter.store.tokens import TokenStore

from .conftest import World
from .test_applications import run_app, run_token

HOUR = 3_600_000
NOW = 1_700_000_000_000


class At:
    """A clock that a test sets."""

    def __init__(self, now_ms: int) -> None:
        self.ms = now_ms

    def now_ms(self) -> int:
        """As set."""
        return self.ms


def refused(authentication: Authentication, credentials: Credentials) -> str:
    """What is said."""
    with pytest.raises(errors.EsbError) as raised:
        authentication.identify(credentials)
    return raised.value.message


def test_a_token_expires_to_the_millisecond(world: World) -> None:
    """And its error says so, with what to do."""
    token = world.applications.create_token("plain", "tom", lasts_ms=HOUR)
    clock = At(NOW + HOUR - 1)
    authentication = Authentication(world.stores.apps, clock)
    assert authentication.identify(Credentials(access_token=token)).user == "tom"
    clock.ms += 1
    for credentials in (
        Credentials(access_token=token),
        Credentials(app_code="plain", app_secret=world.plain, bk_token=token),
    ):
        assert "has expired, please create another with `adapter token create`" in refused(
            authentication, credentials
        )


def test_a_token_without_an_end_has_none(world: World) -> None:
    """As all tokens of earlier releases."""
    assert (
        Authentication(world.stores.apps, At(2**52)).identify(Credentials(access_token=world.ann)).user
        == "ann"
    )


def test_a_withdrawn_token_is_refused_at_once(world: World) -> None:
    """By its id, as the list prints it; the others stay good."""
    other = world.applications.create_token("plain", "tom")
    (ann,) = (one for one in TokenStore(world.stores.engine).of("plain", "ann"))
    assert world.authentication.identify(Credentials(access_token=world.ann)).token_id == ann.id
    assert json.loads(run_token(world.data_dir, "withdraw", ann.id).stdout) == {"withdrawn": [ann.id]}
    assert f"TOKEN [{ann.id}] has been withdrawn" in refused(
        world.authentication, Credentials(access_token=world.ann)
    )
    assert world.authentication.identify(Credentials(access_token=other)).user == "tom"
    assert json.loads(run_token(world.data_dir, "withdraw", ann.id).stdout) == {"withdrawn": []}


def test_only_who_has_the_secret_is_told_that_a_token_is_over(world: World) -> None:
    """A wrong secret beside it is all that a stranger hears of."""
    TokenStore(world.stores.engine).withdraw(NOW, app_code="plain")
    for credentials in (
        Credentials(app_code="plain", app_secret="wrong", access_token=world.ann),
        Credentials(app_code="plain", app_secret="wrong", bk_token=world.ann),
    ):
        assert "Secret verification failed" in refused(world.authentication, credentials)


def test_all_tokens_of_a_user_or_an_application(world: World) -> None:
    """Are withdrawn together."""
    world.applications.create_token("plain", "ann")
    world.applications.create_token("plain", "tom")
    assert (
        len(
            json.loads(run_token(world.data_dir, "withdraw", "--app", "plain", "--user", "ann").stdout)[
                "withdrawn"
            ]
        )
        == 2
    )
    assert len(json.loads(run_token(world.data_dir, "withdraw", "--app", "plain").stdout)["withdrawn"]) == 1


def test_the_list_has_states_and_no_token(world: World) -> None:
    """Expired, withdrawn, valid, for ever: and nothing that anybody could call with."""
    world.applications.create_token("plain", "old", lasts_ms=1)
    run_token(world.data_dir, "withdraw", "--app", "plain", "--user", "ann")
    run_token(world.data_dir, "create", "--app", "trusted", "--user", "eve", "--expires", "30d")
    run_token(world.data_dir, "create", "--app", "trusted", "--user", "pam", "--expires", "never")
    result = run_token(world.data_dir, "list")
    found = {line["user"]: line for line in map(json.loads, result.stdout.splitlines())}
    assert {user: line["state"] for user, line in found.items()} == {
        "ann": "withdrawn",
        "old": "expired",
        "eve": "valid",
        "pam": "valid",
    }
    assert found["pam"]["expire_time"] is None
    assert found["ann"]["create_time"] == "2023-11-14T22:13:20+00:00"
    assert world.ann not in result.stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["create", "--app", "plain", "--user", "ann", "--expires", "soon"], "no length of time"),
        (["create", "--app", "plain", "--user", "ann", "--expires", "0d"], "no length of time"),
        (["withdraw", "nobody's"], "there is no token nobody's"),
        (["withdraw"], "give a token's id"),
        (["withdraw", "x", "--app", "plain"], "give a token's id"),
        (["withdraw", "--user", "ann"], "give a token's id"),
    ],
)
def test_what_is_refused(world: World, arguments: list[str], words: str) -> None:
    """With what is wrong, and nothing changes."""
    before = TokenStore(world.stores.engine).of()
    result: Result = CliRunner().invoke(token_group, [*arguments, "--data-dir", str(world.data_dir)])
    assert result.exit_code != 0
    assert words in result.output
    assert TokenStore(world.stores.engine).of() == before


def test_a_new_token_of_the_command_expires_by_itself(world: World) -> None:
    """After 180 days, if nothing else is said."""
    run_token(world.data_dir, "create", "--app", "plain", "--user", "new")
    (new,) = TokenStore(world.stores.engine).of("plain", "new")
    assert new.create_time is not None
    assert new.expire_time == new.create_time + 180 * 24 * HOUR


def test_the_old_secret_may_stay_good_for_a_while(world: World) -> None:
    """So that a secret is changed without a moment in which neither works."""
    made = run_app(world.data_dir, "create", "plain", "--rotate", "--keep-old", "1h")
    secret = json.loads(made.stdout)["bk_app_secret"]
    later = TokenStore(world.stores.engine).of("plain", "ann")[0]
    assert later.withdraw_time is None
    app = world.stores.apps.get("plain")
    assert app is not None
    clock = At(app.old_secret_expire_time - 1)
    authentication = Authentication(world.stores.apps, clock)
    both = [
        Credentials(app_code="plain", app_secret=known, bk_token=world.ann) for known in (secret, world.plain)
    ]
    for credentials in both:
        assert authentication.identify(credentials).user == "ann"
    clock.ms += 1
    assert authentication.identify(both[0]).user == "ann"
    assert "Secret verification failed" in refused(authentication, both[1])


def test_only_the_last_secret_stays(world: World) -> None:
    """Changing it again ends the one before, and changing it at once ends both."""
    second = world.applications.rotate("plain", keep_old_ms=HOUR)
    third = world.applications.rotate("plain", keep_old_ms=HOUR)

    def is_good(secret: str) -> bool:
        try:
            world.authentication.identify(
                Credentials(app_code="plain", app_secret=secret, bk_token=world.ann)
            )
        except errors.EsbError:
            return False
        return True

    assert [is_good(secret) for secret in (world.plain, second, third)] == [False, True, True]
    fourth = world.applications.rotate("plain")
    assert [is_good(secret) for secret in (second, third, fourth)] == [False, False, True]
    kept = run_app(world.data_dir, "create", "new", "--keep-old", "1h")
    assert "--keep-old is for --rotate" in kept.output
