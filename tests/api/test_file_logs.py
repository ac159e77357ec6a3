"""How sizes and speeds are written."""

from __future__ import annotations

import pytest

from adapter.api.file_logs import size_text, speed_text


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (None, "--"),
        (0, "0.0 Bytes"),
        (9, "9.0 Bytes"),
        (1023, "1023.0 Bytes"),
        (1024, "1.0 KB"),
        (1234, "1.205 KB"),
        (3 << 20, "3.0 MB"),
        (5 << 40, "5120.0 GB"),
    ],
)
def test_sizes(size: int | None, text: str) -> None:
    """At most three decimals."""
    assert size_text(size) == text


@pytest.mark.parametrize(("speed", "text"), [(None, "--"), (0, "0 KB/s"), (10 << 20, "10240 KB/s")])
def test_speeds(speed: int | None, text: str) -> None:
    """Whole KB/s."""
    assert speed_text(speed) == text
