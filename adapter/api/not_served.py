"""Names of JOB's that are answered "not supported yet" (1241011); docs/compatibility.md says the same."""

from __future__ import annotations

from collections.abc import Mapping

#: By version of the API.
NOT_YET: Mapping[str, frozenset[str]] = {
    "v2": frozenset(),
    "v3": frozenset(
        {
            "generate_local_file_upload_url",
        }
    ),
    "v4": frozenset(),
}
