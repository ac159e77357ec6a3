"""What users of applications may do: what `adapter permission` and `adapter apply` register."""

from __future__ import annotations

from collections.abc import Iterable

from adapter import errors
from adapter.job.model import Scope
from adapter.service.applications import unknown_app
from adapter.service.names import is_name
from adapter.store.apps import AppStore
from adapter.store.permissions import PermissionStore, UserPermission


class Permissions:
    """Registers permissions of users. They narrow what the application may, never widen it."""

    def __init__(self, apps: AppStore, permissions: PermissionStore) -> None:
        self._apps = apps
        self._permissions = permissions

    def set(self, wanted: Iterable[UserPermission]) -> None:
        """Register each in place of what the user had in that business. Raises InvalidParameter."""
        for one in wanted:
            if self._apps.get(one.app_code) is None:
                raise unknown_app(one.app_code)
            if not is_name(one.user):
                raise errors.InvalidParameter("user", "1 to 128 printable characters without spaces, or *")
            self._permissions.set(one)

    def remove(self, app_code: str, user: str, scopes: Iterable[Scope | None]) -> None:
        """Forget what the user has there. Raises InvalidParameter if there is nothing."""
        for scope in scopes:
            if not self._permissions.remove(app_code, user, scope):
                place = "all businesses" if scope is None else scope.text
                raise errors.InvalidParameter(
                    "user", f"[{user}] of APP [{app_code}] has no permission of their own for {place}"
                )
