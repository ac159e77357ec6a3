"""A valid request for every API of uploads, without the scope."""

from __future__ import annotations

from typing import Any

UPLOADS: dict[str, dict[str, Any]] = {
    "generate_local_file_upload_url": {"file_name_list": ["a.txt", "-rf", "\u65e5\u5fd7.log"]},
}
