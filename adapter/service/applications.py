"""The applications that may call and their users' tokens: what `adapter app` and `adapter token` register."""

from __future__ import annotations

import secrets

from adapter import errors
from adapter.job.model import Scope
from adapter.ports import Clock
from adapter.service.names import is_name, shown
from adapter.store.apps import App, AppStore


class Applications:
    """Registers applications and tokens. What is secret is answered once and stored as a hash."""

    def __init__(self, apps: AppStore, clock: Clock) -> None:
        self._apps = apps
        self._clock = clock

    def create(
        self, code: str, *, scopes: frozenset[Scope] | None = None, act_as_any_user: bool = False
    ) -> str:
        """Register an application for `scopes` (None: every one); answers its secret.

        Raises InvalidParameter if the code is taken or is none.
        """
        if not is_name(code) or not code.isascii():
            raise errors.InvalidParameter("bk_app_code", "1 to 128 printable ASCII characters without spaces")
        secret = secrets.token_urlsafe(32)
        created = self._apps.create(
            code=code,
            secret=secret,
            scopes=scopes,
            act_as_any_user=act_as_any_user,
            now_ms=self._clock.now_ms(),
        )
        if not created:
            raise errors.InvalidParameter("bk_app_code", f"APP Code [{code}] already exists")
        return secret

    def rotate(
        self, code: str, *, scopes: frozenset[Scope] | None = None, act_as_any_user: bool | None = None
    ) -> str:
        """Give an application a new secret, and what else is not None; answers the secret.

        Raises InvalidParameter if there is no such application. Tokens stay valid.
        """
        secret = secrets.token_urlsafe(32)
        if not self._apps.update(code, secret=secret, scopes=scopes, act_as_any_user=act_as_any_user):
            raise _unknown(code)
        return secret

    def update(
        self, code: str, *, scopes: frozenset[Scope] | None = None, act_as_any_user: bool | None = None
    ) -> App:
        """Give an application other scopes or rights if they are not None; answers it as it is now.

        Raises InvalidParameter if there is no such application.
        """
        self._apps.update(code, scopes=scopes, act_as_any_user=act_as_any_user)
        app = self._apps.get(code)
        if app is None:
            raise _unknown(code)
        return app

    def create_token(self, app_code: str, user: str) -> str:
        """A new token with which the application is `user`. Raises InvalidParameter."""
        if self._apps.get(app_code) is None:
            raise _unknown(app_code)
        if not is_name(user):
            raise errors.InvalidParameter("user", "1 to 128 printable characters without spaces")
        token = secrets.token_urlsafe(32)
        self._apps.create_token(token=token, app_code=app_code, user=user, now_ms=self._clock.now_ms())
        return token


def _unknown(code: str) -> errors.InvalidParameter:
    return errors.InvalidParameter("bk_app_code", f"APP Code [{shown(code)}] is not registered")
