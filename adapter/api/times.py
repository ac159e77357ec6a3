"""Times as people read them in JOB's replies."""

from __future__ import annotations

from datetime import UTC, datetime


def local_time(milliseconds: int) -> str:
    """yyyy-MM-dd HH:mm:ss in the service's time zone."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC).astimezone().strftime("%Y-%m-%d %H:%M:%S")
