"""Times as people read and write them in JOB's requests and replies."""

from __future__ import annotations

from datetime import UTC, date, datetime


def local_time(milliseconds: int) -> str:
    """yyyy-MM-dd HH:mm:ss in the service's time zone."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC).astimezone().strftime("%Y-%m-%d %H:%M:%S")


def midnight(day: date) -> int:
    """When a day begins in the service's time zone, in milliseconds."""
    return int(datetime(day.year, day.month, day.day).astimezone().timestamp() * 1000)
