"""A valid request for every API of credentials, without the scope."""

from __future__ import annotations

from typing import Any

CREDENTIALS: dict[str, dict[str, Any]] = {
    "create_credential": {
        "name": "artifacts",
        "type": "USERNAME_PASSWORD",
        "description": "reads artifacts",
        "credential_username": "reader",
        "credential_password": "hunter2",
    },
    "update_credential": {
        "id": "0123456789abcdef0123456789abcdef",
        "name": "artifacts",
        "type": "SECRET_KEY",
        "credential_secret_key": "hunter3",
    },
    "get_credential_detail": {"id": "0123456789abcdef0123456789abcdef"},
}
