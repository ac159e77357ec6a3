"""The APIs of file sources, as data; they belong to JOB's service job-file-gateway."""

from __future__ import annotations

from collections.abc import Mapping

from adapter.api import file_sources_v3
from adapter.api.endpoints import Endpoint, endpoint
from adapter.job.actions import Action

FILE_SOURCES: Mapping[str, Endpoint] = {
    "create_file_source": endpoint(
        file_sources_v3.SaveFileSource, file_sources_v3.create, file_sources_v3.saved, action=Action.MANAGE
    ),
    "update_file_source": endpoint(
        file_sources_v3.SaveFileSource, file_sources_v3.update, file_sources_v3.saved, action=Action.MANAGE
    ),
    "get_file_source_detail": endpoint(
        file_sources_v3.GetFileSourceDetail, file_sources_v3.get, file_sources_v3.detail, action=Action.VIEW
    ),
}
