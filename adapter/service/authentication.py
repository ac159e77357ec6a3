"""Who is asking (design D11): nothing is done for an unknown caller. What it may do is in service.access."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field

from adapter import errors
from adapter.job.commands import Caller
from adapter.job.permissions import Limits, Permission
from adapter.messages import say
from adapter.ports import Clock
from adapter.service.gateway_jwt import GatewayClaims, GatewayJwt
from adapter.service.names import is_name, shown
from adapter.store.apps import App, AppStore, Token
from adapter.store.secrets import hash_secret, matches
from adapter.store.transactions import is_storable

_NOBODY = hash_secret(secrets.token_hex(32))  # what the secret of an unknown application is compared with

_ANOTHERS = "The specified user TOKEN belongs to another APP, not to [bk_app_code={code}]"


@dataclass(frozen=True, kw_only=True)
class Credentials:
    """What a request says of itself; empty texts are the same as None."""

    app_code: str | None = None
    app_secret: str | None = field(default=None, repr=False)
    access_token: str | None = field(default=None, repr=False)  #: also bk_access_token
    bk_token: str | None = field(default=None, repr=False)
    username: str | None = None  #: bk_username, username
    system: bool = False  #: a path of the gateway below /system/, verified by application only
    system_user: str | None = None  #: there: the header X-Bk-Username
    jwt: str | None = field(default=None, repr=False)  #: X-Bkapi-JWT: what a gateway says
    vouched: bool = False  #: application and user are named by a network whose word is believed


class Authentication:
    """Tells callers from strangers by what `adapter app create` and `adapter token create` registered."""

    def __init__(self, apps: AppStore, clock: Clock, gateway: GatewayJwt | None = None) -> None:
        self._apps = apps
        self._clock = clock
        self._gateway = gateway

    def identify(self, credentials: Credentials) -> Caller:
        """The caller, in ESB's order: access_token, bk_token, bk_username (contract b1).

        An access_token names application and user by itself. A user name alone is believed only from an
        application that may act as any user. A gateway's JWT, if there is a key to verify it with, comes
        before all of these. Whoever vouches: the application must be registered here, and has its scopes.

        Raises EsbError or NotLoggedIn saying what is wrong and what to do.
        """
        if credentials.vouched:
            return self._registered(credentials.app_code or "", credentials.username or "", "network")
        if credentials.jwt and self._gateway is not None:
            return self._by_jwt(credentials, self._gateway.claims(credentials.jwt))
        if credentials.jwt and not _says_anything(credentials):
            raise errors.EsbError(
                say(
                    "X-Bkapi-JWT is not believed here: the service needs the gateway's public key "
                    "(ADAPTER_JWT_PUBLIC_KEYS); or send X-Bkapi-Authorization"
                )
            )
        if credentials.system or credentials.system_user:
            return self._system(credentials)
        if credentials.access_token:
            return self._by_access_token(credentials, credentials.access_token)
        if credentials.bk_token:
            return self._by_bk_token(credentials, credentials.bk_token)
        app = self._verified(credentials, credentials.username)
        if not credentials.username:
            raise errors.EsbError(
                say(
                    "User authentication failed, please provide a valid user identity, "
                    "such as bk_token, bk_username"
                )
            )
        return _acting(app, credentials.username, "app_secret")

    def acting_for(self, app_code: str, user: str) -> Caller:
        """Whom a cron is launched as: its last modifier, with what the application may do now. Raises EsbError."""
        app = self._apps.get(app_code, user)
        if app is None:
            raise _unknown_app(app_code)
        return _caller(app, user, "cron")

    def _system(self, credentials: Credentials) -> Caller:
        user = credentials.system_user or credentials.username
        app = self._verified(credentials, user)
        if not user:
            raise errors.EsbError(
                say(
                    "User authentication failed, system paths need the user's name in the header X-Bk-Username"
                )
            )
        return _acting(app, user, "app_secret")

    def _by_jwt(self, credentials: Credentials, claims: GatewayClaims) -> Caller:
        """The user of the JWT, or on a system path the one that the application names."""
        if credentials.system_user:
            return self._registered(claims.app_code, credentials.system_user, "jwt_app")
        if claims.user is None:
            raise errors.UserMissing(say("X-Bkapi-JWT names no user; on system paths X-Bk-Username may"))
        if not claims.is_user_verified:
            return self._registered(claims.app_code, claims.user, "jwt_app")
        app = self._apps.get(claims.app_code, claims.user)
        if app is None:
            raise _unknown_app(claims.app_code)
        if not is_name(claims.user):
            raise _no_name()
        return _caller(app, claims.user, "jwt")

    def _by_access_token(self, credentials: Credentials, access_token: str) -> Caller:
        token = self._token(access_token)
        if credentials.app_code and credentials.app_code != token.app.code:
            raise errors.EsbError(say(_ANOTHERS, code=shown(credentials.app_code)))
        if credentials.app_secret and not self._is_secret(token.app, credentials.app_secret):
            raise _wrong_secret(token.app.code)
        return self._of_token(token, "access_token")

    def _by_bk_token(self, credentials: Credentials, bk_token: str) -> Caller:
        """One look-up for nearly every call: the token's row has its application's too."""
        found = self._apps.find_token(bk_token)
        if found is not None and found.app.code == credentials.app_code:
            if not self._is_secret(found.app, credentials.app_secret or ""):
                raise _wrong_secret(found.app.code)
            return self._of_token(found, "bk_token")
        app = self._verified(credentials, None)
        token = self._token(bk_token)
        if token.app.code != app.code:
            raise errors.EsbError(say(_ANOTHERS, code=app.code))
        return self._of_token(token, "bk_token")

    def _token(self, text: str) -> Token:
        token = self._apps.find_token(text)
        if token is None:
            raise errors.EsbError(
                say(
                    "The specified user TOKEN (access_token or bk_token) does not exist, "
                    "please create one with `adapter token create`"
                )
            )
        return token

    def _of_token(self, token: Token, verified_by: str) -> Caller:
        """The caller, once what is beside the token fits: a token that is over is told to its holder alone."""
        if token.withdraw_time is not None:
            raise errors.EsbError(
                say(
                    "The specified user TOKEN [{id}] has been withdrawn, "
                    "please create another with `adapter token create`",
                    id=token.id,
                )
            )
        if token.expire_time is not None and self._clock.now_ms() >= token.expire_time:
            raise errors.EsbError(
                say(
                    "The specified user TOKEN [{id}] has expired, "
                    "please create another with `adapter token create`",
                    id=token.id,
                )
            )
        return _caller(token.app, token.user, verified_by, token.id)

    def _registered(self, code: str, user: str, verified_by: str) -> Caller:
        """The user that an application names, whose own word is vouched for."""
        app = self._apps.get(code, user)
        if app is None:
            raise _unknown_app(code)
        return _acting(app, user, verified_by)

    def _verified(self, credentials: Credentials, user: str | None) -> App:
        """The application, with what that user of it may do."""
        code = credentials.app_code or ""
        app = self._apps.get(code, user or "")
        is_known = self._is_secret(
            app, credentials.app_secret or ""
        )  # before the branches: same work for each
        if not code:
            raise errors.EsbError(
                say("Invalid APP Code, please provide bk_app_code and bk_app_secret, or an access_token")
            )
        if app is None:
            raise _unknown_app(code)
        if not is_known:
            raise _wrong_secret(code)
        return app

    def _is_secret(self, app: App | None, secret: str) -> bool:
        """Takes the same time whether the application exists or not, and whichever of its secrets it is."""
        given = secret if is_storable(secret) else ""
        is_new = matches(given, app.hashed_secret if app else _NOBODY)
        is_old = matches(given, app.old_hashed_secret if app and app.old_hashed_secret else _NOBODY)
        if app is None:
            return False
        return is_new or (is_old and self._clock.now_ms() < app.old_secret_expire_time)


def _says_anything(credentials: Credentials) -> bool:
    """True if there is anything but a JWT to go by."""
    found = (
        credentials.app_code,
        credentials.app_secret,
        credentials.access_token,
        credentials.bk_token,
        credentials.username,
    )
    return any(found)


def _unknown_app(code: str) -> errors.EsbError:
    return errors.EsbError(
        say(
            "Invalid APP Code [bk_app_code={code}], please confirm if the APP Code has been registered",
            code=shown(code),
        )
    )


def _no_name() -> errors.EsbError:
    return errors.EsbError(
        say("User authentication failed, the user name must be 1 to 128 printable characters without spaces")
    )


def _wrong_secret(code: str) -> errors.EsbError:
    return errors.EsbError(
        say(
            "APP Secret verification failed [bk_app_code={code}], please check bk_app_secret; "
            "`adapter app create {code} --rotate` gives the APP a new one",
            code=code,
        )
    )


def _acting(app: App, user: str, verified_by: str) -> Caller:
    if not app.act_as_any_user:
        raise errors.EsbError(
            say(
                "User authentication failed, APP [bk_app_code={code}] may not act for a user by name alone; "
                "please provide a valid user identity, such as access_token, bk_token, "
                "or allow it with `adapter app update --act-as-any-user`",
                code=app.code,
            )
        )
    if not is_name(user):
        raise _no_name()
    return _caller(app, user, verified_by)


def _caller(app: App, user: str, verified_by: str, token_id: str | None = None) -> Caller:
    limits = limits_of(app)
    return Caller(
        app_code=app.code,
        user=user,
        scopes=limits.scopes,
        limits=limits,
        verified_by=verified_by,
        token_id=token_id,
    )


def limits_of(app: App) -> Limits:
    """What an application may, and the user that it was looked up for."""
    levels = () if app.may == Permission() else ((app.may,),)
    return Limits((*levels, app.users) if app.users else levels)
