"""A valid request for every API of file sources, without the scope."""

from __future__ import annotations

from typing import Any

_FILE_SOURCE: dict[str, Any] = {
    "code": "releases",
    "alias": "Releases",
    "type": "HTTP",
    "access_params": {"base_url": "https://files.example.com/releases"},
    "file_prefix": "${UUID}",
}
FILE_SOURCES: dict[str, dict[str, Any]] = {
    "create_file_source": _FILE_SOURCE,
    "update_file_source": _FILE_SOURCE,
    "get_file_source_detail": {"code": "releases"},
}
