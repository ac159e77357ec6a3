"""What a gateway's X-Bkapi-JWT proves, and what it does not."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from adapter import errors
from adapter.job.commands import Caller
from adapter.service.authentication import Authentication, Credentials
from adapter.service.gateway_jwt import GatewayJwt, GatewayKeyError
from tests.support.gateway import NOW, Gateway, gateway

from .conftest import PLAIN_ANN, FixedClock, World


def verifier(*gateways: Gateway) -> GatewayJwt:
    """One that knows these gateways."""
    keys = {str(number): one.public_key for number, one in enumerate(gateways or (gateway(),))}
    return GatewayJwt(keys, FixedClock())


def identified(world: World, jwt: str, **more: object) -> Caller:
    """Who asks with this token, before a service that knows the gateway."""
    authentication = Authentication(world.stores.apps, FixedClock(), verifier())
    return authentication.identify(Credentials(jwt=jwt, **more))  # type: ignore[arg-type]


@pytest.mark.parametrize("algorithm", ["RS256", "RS384", "RS512"])
def test_a_gateway_names_application_and_user(world: World, algorithm: str) -> None:
    """Nothing else is needed; the application has the scopes that it has here."""
    jwt = gateway().jwt("plain", "ann", algorithm=algorithm)
    assert identified(world, jwt) == PLAIN_ANN


def test_one_of_several_keys(world: World) -> None:
    """ESB and BlueKing's API gateway have one each."""
    other = Gateway()
    assert verifier(other, gateway()).claims(gateway().jwt()).app_code == "esb_test"
    with pytest.raises(errors.NotLoggedIn, match="signed by nobody"):
        verifier(other).claims(gateway().jwt())


def test_a_user_whom_the_gateway_has_not_verified(world: World) -> None:
    """Is like a name alone: believed from an application that may act as any user."""
    jwt = gateway().jwt("trusted", "ann", user_verified=False)
    assert identified(world, jwt).user == "ann"
    with pytest.raises(errors.EsbError, match="may not act for a user by name alone"):
        identified(world, gateway().jwt("plain", "ann", user_verified=False))
    with pytest.raises(errors.EsbError, match="may not act for a user by name alone"):
        identified(world, gateway().jwt("plain", {"username": "ann", "verified": "true"}))


def test_a_system_path_names_another_user(world: World) -> None:
    """If the application may act as any user; elsewhere the header is not even read."""
    jwt = gateway().jwt("trusted", None)
    assert identified(world, jwt, system=True, system_user="tom").user == "tom"
    with pytest.raises(errors.EsbError, match="may not act for a user by name alone"):
        identified(world, gateway().jwt("plain", "ann"), system=True, system_user="tom")
    assert identified(world, gateway().jwt("plain", "ann"), system=True).user == "ann"


def test_the_gateway_comes_before_everything_else(world: World) -> None:
    """What the caller says of itself cannot change what its gateway says."""
    said = {"app_code": "trusted", "app_secret": world.trusted, "username": "root", "access_token": world.ann}
    assert identified(world, gateway().jwt("plain", "tom"), **said).user == "tom"
    with pytest.raises(errors.NotLoggedIn):
        identified(world, gateway().jwt("plain", "tom")[:-9] + "AAAAAAAAA", **said)


@pytest.mark.parametrize(
    ("made", "code", "words"),
    [
        ({"user": None}, 1247002, "names no user"),
        ({"user": {"username": ["ann"]}}, 1247002, "names no user"),
        ({"app": None}, 1247004, "no application"),
        ({"app_verified": False}, 1247004, "verified"),
        ({"app": {"app_code": "trusted", "verified": 1}}, 1247004, "verified"),
        ({"app": {"app_code": 7, "verified": True}}, 1247004, "no application"),
        ({"exp": NOW - 61}, 1247001, "expired"),
        ({"exp": None}, 1247001, "does not say when"),
        ({"exp": "9999999999"}, 1247001, "does not say when"),
        ({"exp": True}, 1247001, "does not say when"),
        ({"nbf": NOW + 61}, 1247001, "not valid yet"),
        ({"algorithm": "none"}, 1247001, "not signed with"),
        ({"algorithm": "HS256"}, 1247001, "not signed with"),
    ],
    ids=str,
)
def test_what_is_not_believed(world: World, made: dict[str, Any], code: int, words: str) -> None:
    """Each with HTTP 401, JOB's code and the reason."""
    with pytest.raises(errors.NotLoggedIn, match=words) as raised:
        identified(world, gateway().jwt(**{"app": "trusted", **made}))
    assert (raised.value.code, raised.value.http_status) == (code, 401)


@pytest.mark.parametrize(
    ("wanted", "made", "words"),
    [
        ({"audience": "bk-job"}, {}, "another audience"),
        ({"audience": "bk-job"}, {"aud": "bk-cmdb"}, "another audience"),
        ({"audience": "bk-job"}, {"aud": ["bk-cmdb", 7]}, "another audience"),
        ({"audience": "bk-job"}, {"aud": {"bk-job": 1}}, "another audience"),
        ({}, {"aud": "bk-cmdb"}, "another audience"),
        ({}, {"aud": ["bk-cmdb", "bk-job"]}, "another audience"),
        ({"issuer": "APIGW"}, {"iss": "apigw"}, "another issuer"),
        ({"issuer": "APIGW"}, {"iss": None}, "another issuer"),
        ({"issuer": "APIGW"}, {"iss": ["APIGW"]}, "another issuer"),
        ({"audience": "bk-job"}, {"aud": "bk-job"}, None),
        ({"audience": "bk-job", "issuer": "APIGW"}, {"aud": ["x", "bk-job"]}, None),
        ({}, {"iss": "anybody", "aud": None}, None),
        ({}, {"aud": []}, None),
    ],
    ids=str,
)
@pytest.mark.parametrize("algorithm", ["RS256", "RS512"])
def test_whom_a_token_is_for_and_from(
    wanted: dict[str, str], made: dict[str, Any], words: str | None, algorithm: str
) -> None:
    """One for another service is refused, also where no audience is configured (RFC 7519, 4.1.3)."""
    believes = GatewayJwt({"k": gateway().public_key}, FixedClock(), **wanted)
    jwt = gateway().jwt(algorithm=algorithm, **made)
    if words is None:
        assert believes.claims(jwt).user == "ann"
        return
    with pytest.raises(errors.NotLoggedIn, match=words) as raised:
        believes.claims(jwt)
    assert (raised.value.code, raised.value.http_status) == (1247001, 401)


@pytest.mark.parametrize(
    ("jwt", "words"),
    [
        ("", "no signed JWT"),
        ("a.b", "no signed JWT"),
        ("a.b.c.d", "no signed JWT"),
        ("a" * 20_000, "no signed JWT"),
        ("é.b.c", "not in base64"),
        ("bnVsbA.bnVsbA.AAAA", "no JSON object"),
        ("W10.e30.AAAA", "no JSON object"),
        (f"{base64.urlsafe_b64encode(b'[' * 11_000).decode()}.e30.AAAA", "no JSON object"),
    ],
    ids=range(8),
)
def test_what_is_no_token(jwt: str, words: str) -> None:
    """Whoever has no key can send anything; it costs nothing."""
    with pytest.raises(errors.NotLoggedIn, match=words):
        verifier().claims(jwt)


def test_a_changed_payload(world: World) -> None:
    """The signature is over it."""
    head, payload, signature = gateway().jwt("plain", "ann").split(".")
    claims = json.loads(base64.urlsafe_b64decode(payload + "=="))
    claims["user"]["username"] = "root"
    forged = base64.urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=").decode()
    with pytest.raises(errors.NotLoggedIn, match="signed by nobody"):
        identified(world, f"{head}.{forged}.{signature}")


def test_the_public_key_is_no_shared_secret(world: World) -> None:
    """The oldest trick: an HMAC made with the public key."""
    head = base64.urlsafe_b64encode(b'{"alg":"HS512"}').rstrip(b"=").decode()
    payload = gateway().jwt("trusted", "root").split(".")[1]
    digest = hmac.new(gateway().public_key, f"{head}.{payload}".encode(), hashlib.sha512).digest()
    signature = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    with pytest.raises(errors.NotLoggedIn, match="not signed with"):
        identified(world, f"{head}.{payload}.{signature}")


def test_an_application_that_is_not_registered_here(world: World) -> None:
    """The gateway says who asks, and not what they may do."""
    with pytest.raises(errors.EsbError, match=r"Invalid APP Code \[bk_app_code=stranger\]"):
        identified(world, gateway().jwt("stranger"))


def test_a_name_that_is_none(world: World) -> None:
    """Also a gateway's."""
    with pytest.raises(errors.EsbError, match="1 to 128 printable characters"):
        identified(world, gateway().jwt("plain", "a b"))


def test_without_a_key_no_jwt_is_believed(world: World) -> None:
    """It is not even looked at if there is something else to go by."""
    jwt = gateway().jwt("plain", "ann")
    with pytest.raises(errors.EsbError, match="ADAPTER_JWT_PUBLIC_KEYS"):
        world.authentication.identify(Credentials(jwt=jwt))
    assert world.authentication.identify(Credentials(jwt=jwt, access_token=world.ann)).user == "ann"


def test_what_is_no_key() -> None:
    """Is said when the service starts."""
    ed25519_key = ed25519.Ed25519PrivateKey.generate().public_key()
    pem = ed25519_key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    for wrong, words in ((b"nonsense", "no public key"), (b"", "no public key"), (pem, "no RSA key")):
        with pytest.raises(GatewayKeyError, match=f"/k.pem has {words}"):
            GatewayJwt({"/k.pem": wrong}, FixedClock())


def test_vouched_names(world: World) -> None:
    """Of a network whose word is believed: still a registered application that may act as any user."""
    vouched = Credentials(app_code="trusted", username="tom", vouched=True)
    assert world.authentication.identify(vouched) == Caller(app_code="trusted", user="tom")
    for app_code, words in (("plain", "may not act"), ("stranger", "Invalid APP Code")):
        with pytest.raises(errors.EsbError, match=words):
            world.authentication.identify(Credentials(app_code=app_code, username="tom", vouched=True))
