"""What every API answers as `data`, by dialect and name. A test holds each to real replies."""

from __future__ import annotations

from collections.abc import Mapping

from adapter.api.openapi import (
    replies_credentials,
    replies_cron,
    replies_execution,
    replies_file_sources,
    replies_library,
    replies_plans,
    replies_steps,
    replies_uploads,
    replies_v2,
    replies_v4,
)
from adapter.api.openapi.members import Reply

REPLIES: Mapping[str, Mapping[str, Reply]] = {
    "v3": {
        **replies_execution.REPLIES,
        **replies_v4.PLUGIN_REPLIES,
        **replies_steps.REPLIES,
        **replies_library.REPLIES,
        **replies_cron.REPLIES,
        **replies_credentials.REPLIES,
        **replies_file_sources.REPLIES,
        **replies_uploads.REPLIES,
        **replies_plans.V3,
    },
    "v2": {**replies_v2.REPLIES, **replies_cron.REPLIES_V2, **replies_plans.V2},
    "v4": {**replies_v4.REPLIES, **replies_plans.V4},
}
