"""Who is asking: the order of identities, and what is said to strangers."""

from __future__ import annotations

import pytest

from adapter import errors
from adapter.job.commands import Caller
from adapter.job.model import Scope
from adapter.service import access
from adapter.service.authentication import Credentials

from .conftest import BIZ, PLAIN_ANN, World


def refusal(world: World, credentials: Credentials) -> str:
    """What a stranger is told; never a secret."""
    with pytest.raises(errors.EsbError) as raised:
        world.authentication.identify(credentials)
    assert raised.value.code == 1306000
    for secret in (world.trusted, world.plain, world.ann, "wrong-secret"):
        assert secret not in raised.value.message
    return raised.value.message


def test_an_access_token_is_enough(world: World) -> None:
    """It names the application and the user."""
    assert world.authentication.identify(Credentials(access_token=world.ann)) == PLAIN_ANN


def test_an_access_token_wins_over_every_other_identity(world: World) -> None:
    """ESB's order."""
    caller = world.authentication.identify(
        Credentials(
            app_code="plain",
            app_secret=world.plain,
            access_token=world.ann,
            bk_token="x",
            username="root",
        )
    )
    assert caller == PLAIN_ANN


def test_what_is_given_beside_an_access_token_must_fit(world: World) -> None:
    """The application's code and its secret; the code alone is fine."""
    assert world.authentication.identify(Credentials(access_token=world.ann, app_code="plain")) == PLAIN_ANN
    assert "another APP" in refusal(world, Credentials(access_token=world.ann, app_code="trusted"))
    for app_code in ("plain", None):
        message = refusal(
            world, Credentials(access_token=world.ann, app_code=app_code, app_secret="wrong-secret")
        )
        assert message.startswith("APP Secret verification failed")


def test_an_unknown_token_does_not_fall_back_to_a_name(world: World) -> None:
    """Whoever sends a bad token is refused, even if a name would have been believed."""
    for token in ("wrong-secret", "a\0b", "\ud800"):
        for credentials in (
            Credentials(access_token=token, app_code="trusted", app_secret=world.trusted, username="ann"),
            Credentials(bk_token=token, app_code="trusted", app_secret=world.trusted, username="ann"),
        ):
            assert "does not exist" in refusal(world, credentials)


def test_a_bk_token_needs_its_application(world: World) -> None:
    """Code and secret, and the token must be the application's own."""
    assert (
        world.authentication.identify(
            Credentials(app_code="plain", app_secret=world.plain, bk_token=world.ann)
        )
        == PLAIN_ANN
    )
    assert "Invalid APP Code" in refusal(world, Credentials(bk_token=world.ann))
    assert "another APP" in refusal(
        world, Credentials(app_code="trusted", app_secret=world.trusted, bk_token=world.ann)
    )


def test_a_name_is_believed_from_a_trusted_application_only(world: World) -> None:
    """The others need a token, and are told so."""
    caller = world.authentication.identify(
        Credentials(app_code="trusted", app_secret=world.trusted, username="张三")
    )
    assert caller == Caller(app_code="trusted", user="张三", scopes=None)
    message = refusal(world, Credentials(app_code="plain", app_secret=world.plain, username="ann"))
    assert "please provide a valid user identity" in message


@pytest.mark.parametrize("username", ["a b", "a\nb", "a\0b", "x" * 129])
def test_names_that_are_none_are_refused(world: World, username: str) -> None:
    """They would end up in logs and columns."""
    message = refusal(world, Credentials(app_code="trusted", app_secret=world.trusted, username=username))
    assert "printable" in message


def test_nobody_is_refused(world: World) -> None:
    """On every way: no application, unknown application, wrong or missing secret, no user."""
    assert "Invalid APP Code" in refusal(world, Credentials())
    assert "Invalid APP Code" in refusal(world, Credentials(username="ann"))
    message = refusal(world, Credentials(app_code="ghost", app_secret="wrong-secret", username="ann"))
    assert message == (
        "Invalid APP Code [bk_app_code=ghost], please confirm if the APP Code has been registered"
    )
    for secret in ("wrong-secret", None, "", "a\0b", "\ud800", world.plain):
        message = refusal(world, Credentials(app_code="trusted", app_secret=secret, username="ann"))
        assert message.startswith("APP Secret verification failed [bk_app_code=trusted]")
    message = refusal(world, Credentials(app_code="trusted", app_secret=world.trusted))
    assert message.startswith("User authentication failed")


def test_a_hostile_code_is_shown_harmlessly(world: World) -> None:
    """No control characters, and not at any length."""
    message = refusal(world, Credentials(app_code="a\r\n\0" + "x" * 5000, app_secret="s"))
    assert "a???xxx" in message
    assert len(message) < 300


@pytest.mark.parametrize("given", [{"system_user": "ann"}, {"system": True, "username": "ann"}])
def test_system_paths_verify_the_application_alone(world: World, given: dict[str, object]) -> None:
    """The user is whom the header names; a token is no application."""
    caller = world.authentication.identify(
        Credentials(app_code="trusted", app_secret=world.trusted, **given)  # type: ignore[arg-type]
    )
    assert caller.user == "ann"
    for credentials in (
        Credentials(access_token=world.ann, **given),  # type: ignore[arg-type]
        Credentials(app_code="plain", app_secret=world.plain, **given),  # type: ignore[arg-type]
        Credentials(app_code="trusted", app_secret="wrong-secret", **given),  # type: ignore[arg-type]
    ):
        refusal(world, credentials)


def test_the_header_names_the_user_of_a_system_path(world: World) -> None:
    """It wins over bk_username; one of them is needed."""
    caller = world.authentication.identify(
        Credentials(app_code="trusted", app_secret=world.trusted, system_user="bob", username="ann")
    )
    assert caller.user == "bob"
    message = refusal(world, Credentials(app_code="trusted", app_secret=world.trusted, system=True))
    assert "X-Bk-Username" in message


def test_credentials_do_not_show_their_secrets() -> None:
    """They may end up in a traceback."""
    shown = repr(Credentials(app_code="a", app_secret="SECRET", access_token="SECRET", bk_token="SECRET"))
    assert "SECRET" not in shown


def test_a_scope_that_is_not_allowed_is_denied_with_jobs_permission_object(world: World) -> None:
    """Contract b3."""
    access.require_scope(PLAIN_ANN, BIZ)
    access.require_scope(Caller(app_code="trusted", user="u"), Scope("biz_set", "9"))
    with pytest.raises(errors.PermissionDenied) as raised:
        access.require_scope(PLAIN_ANN, Scope("biz_set", "9"))
    assert raised.value.code == 9900403
    permission = raised.value.permission
    assert permission["system_id"] == "bk_job"
    action = permission["actions"][0]
    assert action["id"] == "access_business"
    resource = action["related_resource_types"][0]
    assert (resource["system_id"], resource["type"]) == ("bk_cmdb", "business_set")
    assert resource["instances"] == [
        [{"type": "business_set", "type_name": "Business Set", "id": "9", "name": "biz_set_9"}]
    ]
    with pytest.raises(errors.PermissionDenied) as raised:
        access.require_scope(PLAIN_ANN, Scope("biz", "3"))
    assert raised.value.permission["actions"][0]["related_resource_types"][0]["type"] == "biz"
