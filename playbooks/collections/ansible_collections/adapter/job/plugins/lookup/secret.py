# SPDX-License-Identifier: GPL-3.0-or-later
"""`{{ lookup('adapter.job.secret', NAME) }}`: a secret the service keeps for this run."""

from __future__ import annotations

from typing import Any

from ansible.errors import AnsibleLookupError
from ansible.plugins.lookup import LookupBase
from ansible_collections.adapter.job.plugins.plugin_utils.secret_socket import SecretUnavailable, fetch

DOCUMENTATION = """
name: secret
author: The ansible-job-adapter authors
short_description: A secret the service keeps for this run
description: Asks the service over the Unix socket that $ADAPTER_SECRETS names.
options:
  _terms:
    description: Names of secrets.
    required: true
"""


class LookupModule(LookupBase):  # type: ignore[misc]
    """Fetches each name; what comes back is never rendered as a template."""

    def run(self, terms: list[str], variables: Any = None, **kwargs: Any) -> list[str]:
        """The secrets, in the order of their names."""
        try:
            return [fetch(term) for term in terms]
        except SecretUnavailable as error:
            raise AnsibleLookupError(str(error)) from error
