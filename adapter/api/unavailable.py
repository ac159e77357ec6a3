"""What a caller is told when the database cannot do its part: enough to know whom to ask, and no address."""

from __future__ import annotations

import sqlalchemy as sa

from adapter.messages import Phrase, say

_WORDS = {
    "disk is full": "The disk of the service's database is full: nothing can be stored until there is room again",
    "database is locked": "The service's database is locked by another process; try again later",
}


def why_unavailable(error: Exception) -> Phrase | None:
    """In words, None if it is not the database."""
    if isinstance(error, sa.exc.TimeoutError):
        return say("The service's database is busy; try again later")
    if not isinstance(error, sa.exc.OperationalError):
        return None
    known = [reason for words, reason in _WORDS.items() if words in str(error.orig)]
    return say(known[0] if known else "The service's database does not answer; try again later")
