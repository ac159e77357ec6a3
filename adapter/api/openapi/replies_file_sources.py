"""What is answered about file sources (file_sources_v3.py)."""

from __future__ import annotations

from collections.abc import Mapping

from adapter.api.openapi.members import Reply, Shape, flag, text, whole
from adapter.api.openapi.replies_execution import InScope


class SavedFileSource(Shape):
    """A file source that was made or changed."""

    id = whole()


class FileSourceDetail(InScope):
    """A file source; where it is and how it is asked is not told, as JOB does not."""

    id = whole()
    code = text()
    alias = text()
    status = whole()
    file_source_type_code = text()
    is_public = flag()
    credential_id = text(null=True)
    enable = flag()
    creator = text()
    create_time = whole()
    last_modify_user = text()
    last_modify_time = whole()


REPLIES: Mapping[str, Reply] = {
    "create_file_source": SavedFileSource,
    "update_file_source": SavedFileSource,
    "get_file_source_detail": FileSourceDetail,
}
