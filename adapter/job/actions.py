"""What may be allowed or forbidden to a caller (contract d; design D11): four kinds of doing, one for each API."""

from __future__ import annotations

from enum import StrEnum


class Action(StrEnum):
    """What an API lets its caller do. Each API is exactly one of them."""

    VIEW = "view"  #: reads, and changes nothing
    LAUNCH = "launch"  #: starts a job on hosts
    OPERATE = "operate"  #: decides what becomes of a job that was launched
    MANAGE = "manage"  #: writes definitions: scripts, accounts, plans, crons, rules
