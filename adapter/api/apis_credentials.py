"""The APIs of credentials, as data; they belong to JOB's service job-manage."""

from __future__ import annotations

from collections.abc import Mapping

from adapter.api import credentials_v3
from adapter.api.endpoints import Endpoint, endpoint
from adapter.job.actions import Action

CREDENTIALS: Mapping[str, Endpoint] = {
    "create_credential": endpoint(
        credentials_v3.CreateCredential, credentials_v3.create, credentials_v3.saved, action=Action.MANAGE
    ),
    "update_credential": endpoint(
        credentials_v3.UpdateCredential, credentials_v3.update, credentials_v3.saved, action=Action.MANAGE
    ),
    "get_credential_detail": endpoint(
        credentials_v3.GetCredentialDetail, credentials_v3.get, credentials_v3.detail, action=Action.VIEW
    ),
}
