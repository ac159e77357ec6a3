"""What is answered about uploads (uploads_v3.py)."""

from __future__ import annotations

from collections.abc import Mapping

from adapter.api.openapi.members import Reply, Shape, one, table, text


class UploadTarget(Shape):
    """Where a file can be uploaded to."""

    upload_url = text()
    path = text()


class UploadUrls(Shape):
    """Where files can be uploaded to."""

    url_map = table(of=one(UploadTarget))


REPLIES: Mapping[str, Reply] = {"generate_local_file_upload_url": UploadUrls}
