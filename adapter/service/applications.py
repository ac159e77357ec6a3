"""The applications that may call and their users' tokens: what `adapter app` and `adapter token` register."""

from __future__ import annotations

import secrets
from typing import Unpack

from adapter import errors
from adapter.ports import Clock
from adapter.service.names import is_name, shown
from adapter.store.apps import App, AppFields, AppStore


class Applications:
    """Registers applications and tokens. What is secret is answered once and stored as a hash."""

    def __init__(self, apps: AppStore, clock: Clock) -> None:
        self._apps = apps
        self._clock = clock

    def create(self, code: str, **fields: Unpack[AppFields]) -> str:
        """Register an application, which without `fields` may do everything; answers its secret.

        Raises InvalidParameter if the code is taken or is none.
        """
        if not is_name(code) or not code.isascii():
            raise errors.InvalidParameter("bk_app_code", "1 to 128 printable ASCII characters without spaces")
        secret = secrets.token_urlsafe(32)
        if not self._apps.create(code=code, secret=secret, now_ms=self._clock.now_ms(), **fields):
            raise errors.InvalidParameter("bk_app_code", f"APP Code [{code}] already exists")
        return secret

    def rotate(self, code: str, *, keep_old_ms: int = 0, **fields: Unpack[AppFields]) -> str:
        """Give an application a new secret, and what else is given; answers the secret.

        The one that it had stays good for `keep_old_ms`; one before that does not. Tokens stay valid.
        Raises InvalidParameter if there is no such application.
        """
        secret = secrets.token_urlsafe(32)
        old_until = self._clock.now_ms() + keep_old_ms if keep_old_ms else None
        if not self._apps.rotate(code, secret=secret, old_until=old_until, **fields):
            raise unknown_app(code)
        return secret

    def update(self, code: str, **fields: Unpack[AppFields]) -> App:
        """Give an application other rights where they are given; answers it as it is now.

        Raises InvalidParameter if there is no such application.
        """
        self._apps.update(code, **fields)
        app = self._apps.get(code)
        if app is None:
            raise unknown_app(code)
        return app

    def create_token(self, app_code: str, user: str, *, lasts_ms: int | None = None) -> str:
        """A new token with which the application is `user`, for ever or that long. Raises InvalidParameter."""
        if self._apps.get(app_code) is None:
            raise unknown_app(app_code)
        if not is_name(user):
            raise errors.InvalidParameter("user", "1 to 128 printable characters without spaces")
        token = secrets.token_urlsafe(32)
        now_ms = self._clock.now_ms()
        self._apps.create_token(
            token=token,
            app_code=app_code,
            user=user,
            now_ms=now_ms,
            expire_time=None if lasts_ms is None else now_ms + lasts_ms,
        )
        return token


def unknown_app(code: str) -> errors.InvalidParameter:
    """What is said of an application that is none."""
    return errors.InvalidParameter("bk_app_code", f"APP Code [{shown(code)}] is not registered")
