"""Names of JOB's that are answered "not supported yet" (1241011); docs/compatibility.md says the same."""

from __future__ import annotations

from collections.abc import Mapping

#: By version of the API. All have been built by now; a name that JOB gets and this service has not stands here.
NOT_YET: Mapping[str, frozenset[str]] = {"v2": frozenset(), "v3": frozenset(), "v4": frozenset()}
