"""What a callback says, to the byte, and its signature."""

from __future__ import annotations

import hashlib
import hmac

import pytest

from adapter.job.callbacks import callback_body, shown_url, signature_headers
from adapter.job.status import RunStatus


def test_the_body_has_the_keys_of_code_and_documentation() -> None:
    """`step_instances` is what JOB sends, `step_instance_list` what its documentation says; compact, as JOB's."""
    assert callback_body(1, RunStatus.FAILED, [(2, RunStatus.SUCCESS), (3, RunStatus.FAILED)]) == (
        '{"job_instance_id":1,"status":4,'
        '"step_instances":[{"step_instance_id":2,"status":3},{"step_instance_id":3,"status":4}],'
        '"step_instance_list":[{"step_instance_id":2,"status":3},{"step_instance_id":3,"status":4}]}'
    )


def test_the_signature_is_over_time_and_body() -> None:
    """A known answer, so that it never changes unseen."""
    digest = hmac.new(b"a secret of sixteen", b'1700000000.{"job_instance_id":1}', hashlib.sha256).hexdigest()
    headers = signature_headers("a secret of sixteen", 1_700_000_000, '{"job_instance_id":1}')
    assert headers == {"X-Callback-Timestamp": "1700000000", "X-Callback-Signature": f"sha256={digest}"}
    assert digest == "fe82d9c45b9b36214352a104118fd9c3366f003c1c40b892e6bf9c527d45f132"


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("http://user:word@host:81/a?token=x#y", "http://host:81/a?…"),
        ("https://[fd00::1]/a", "https://[fd00::1]/a"),
        ("http://host", "http://host"),
        ("http://[::1/", "(not a URL)"),
        ("http://host:99999/", "(not a URL)"),
    ],
)
def test_a_url_is_shown_without_its_secrets(url: str, shown: str) -> None:
    """Neither user nor password nor query."""
    assert shown_url(url) == shown
