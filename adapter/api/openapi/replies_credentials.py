"""What is answered about credentials (credentials_v3.py)."""

from __future__ import annotations

from collections.abc import Mapping

from adapter.api.openapi.members import Reply, Shape, text, whole
from adapter.api.openapi.replies_execution import InScope


class SavedCredential(Shape):
    """A credential that was made or changed."""

    id = text()
    name = text()


class Credential(InScope):
    """All of a credential but its value."""

    id = text()
    name = text()
    type = text()
    description = text()
    creator = text()
    create_time = whole()
    last_modify_user = text()
    last_modify_time = whole()


REPLIES: Mapping[str, Reply] = {
    "create_credential": SavedCredential,
    "update_credential": SavedCredential,
    "get_credential_detail": Credential,
}
