"""Signatures are AWS's: its published example, and what its own library makes of random requests."""

from __future__ import annotations

from random import Random

from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from adapter.job.aws_signature import NO_BODY, Signer, encoded

KEY, SECRET = "AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
AT_MS = 1_369_353_600_000  #: 2013-05-24T00:00:00Z


def test_the_published_example() -> None:
    """Of S3's documentation: "GET Object", with a range."""
    signer = Signer(KEY, SECRET, "us-east-1")
    headers = signer.headers("examplebucket.s3.amazonaws.com", "/test.txt", {"Range": "bytes=0-9"}, AT_MS)
    assert headers == {
        "Range": "bytes=0-9",
        "x-amz-content-sha256": NO_BODY,
        "x-amz-date": "20130524T000000Z",
        "Authorization": "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, "
        "SignedHeaders=host;range;x-amz-content-sha256;x-amz-date, "
        "Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
    }


def test_random_requests_are_signed_as_awss_library_does() -> None:
    """Keys with any sign, hosts with ports, odd regions and secrets."""
    seed = 20_261_129
    print("seed", seed)
    random = Random(seed)
    signs = "aZ09 -_.~+%&=?#:;,@!$'()*/ü中\\\"[]{}|^`<>"
    for _ in range(200):
        path = "/bucket/" + "".join(random.choices(signs, k=random.randint(1, 30))).strip("/")
        host = random.choice(["s3.example.com", "127.0.0.1:9000"])
        secret, region = "".join(random.choices(signs, k=20)), random.choice(["eu-west-3", "x"])
        sent = encoded(path, "/")
        ours = Signer(KEY, secret, region).headers(host, sent, {"x-amz-checksum-mode": "ENABLED"}, AT_MS)
        request = AWSRequest(
            "GET",
            f"http://{host}{sent}",
            headers={name: text for name, text in ours.items() if name != "Authorization"},
        )
        request.context["timestamp"] = ours["x-amz-date"]
        theirs = S3SigV4Auth(Credentials(KEY, secret), "s3", region)
        to_sign = theirs.string_to_sign(request, theirs.canonical_request(request))
        assert ours["Authorization"].endswith(f"Signature={theirs.signature(to_sign, request)}"), path


def test_a_signer_shows_no_secret() -> None:
    """Wherever it is printed."""
    assert KEY not in repr(Signer(KEY, SECRET, "x"))
    assert SECRET not in repr(Signer(KEY, SECRET, "x"))
