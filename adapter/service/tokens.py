"""Withdrawing tokens: what `adapter token withdraw` does. Nothing is cached: the next request is refused."""

from __future__ import annotations

from adapter import errors
from adapter.ports import Clock
from adapter.service.names import shown
from adapter.store.tokens import TokenStore


class Tokens:
    """Tokens that there are."""

    def __init__(self, tokens: TokenStore, clock: Clock) -> None:
        self._tokens = tokens
        self._clock = clock

    def withdraw(self, token_id: str) -> list[str]:
        """Withdraw one; answers its id if it was not withdrawn before. Raises InvalidParameter if there is none."""
        if not self._tokens.has(token_id):
            raise errors.InvalidParameter(
                "id", f"there is no token {shown(token_id)}; `adapter token list` prints them"
            )
        return self._tokens.withdraw(self._clock.now_ms(), token_id=token_id)

    def withdraw_all(self, app_code: str, user: str | None = None) -> list[str]:
        """Withdraw those of an application, or of a user of it; answers the ids of all that were not before."""
        return self._tokens.withdraw(self._clock.now_ms(), app_code=app_code, user=user)
