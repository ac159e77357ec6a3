"""What the audit log is told of a request: who asked from where, for what, of which things (decision 44)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from adapter.api.request import Incoming
from adapter.errors import EsbError, JobError, NotLoggedIn, PermissionDenied
from adapter.job.actions import Action
from adapter.job.audit_log import AuditEntry, objects_of, printable
from adapter.job.commands import Caller
from adapter.job.model import Scope
from adapter.service.authentication import Credentials

#: Why a request is refused that only reads, and is recorded nevertheless.
_REFUSALS = (PermissionDenied, EsbError, NotLoggedIn)


def is_recorded(action: Action, error: JobError) -> bool:
    """True of what was refused: everything that would have changed something, and who may not even look."""
    return action is not Action.VIEW or isinstance(error, _REFUSALS)


def entry_of(
    incoming: Incoming,
    api: str,
    action: Action,
    raw: Mapping[str, Any],
    *,
    now_ms: int,
    asks: Caller | Credentials | None,
    scopes: Sequence[Scope] = (),
) -> AuditEntry:
    """The entry of a request; of credentials that were not believed it says who they said they were."""
    app_code, user, verified_by, token_id = "", "", "", None
    if isinstance(asks, Caller):
        app_code, user, verified_by, token_id = asks.app_code, asks.user, asks.verified_by, asks.token_id
    elif asks is not None:
        app_code, user = asks.app_code or "", asks.system_user or asks.username or ""
    return AuditEntry(
        create_time=now_ms,
        request_id=incoming.id,
        app_code=printable(app_code),
        user=printable(user),
        verified_by=verified_by,
        token_id=token_id,
        peer=printable(incoming.peer)[:64],
        api=printable(api),
        action=str(action),
        scope=scopes[-1].text if scopes else None,
        objects=objects_of(raw),
    )
