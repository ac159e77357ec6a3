"""Prints callbacks that are genuine, and answers 200 to them: python3 callback_receiver.py PORT SECRET"""

from __future__ import annotations

import hashlib
import hmac
import json
import sys
import time
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


def is_genuine(secret: bytes, headers: Mapping[str, str], body: bytes) -> bool:
    """True if whoever knows the secret sent this body within the last five minutes."""
    timestamp = headers["X-Callback-Timestamp"]
    signed = hmac.new(secret, timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()
    is_recent = abs(time.time() - int(timestamp)) < 300
    return is_recent and hmac.compare_digest(headers["X-Callback-Signature"], f"sha256={signed}")


class Receiver(BaseHTTPRequestHandler):
    """Takes JSON whatever the Content-Type: the second POST says that it is a form, and is the same text."""

    secret = b""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        headers = dict(self.headers)
        genuine = "X-Callback-Signature" in headers and is_genuine(self.secret, headers, body)
        if genuine:
            print(json.dumps(json.loads(body)), flush=True)
        self.send_response(200 if genuine else 403)
        self.send_header("Content-Length", "0")
        self.end_headers()


if __name__ == "__main__":
    Receiver.secret = sys.argv[2].encode()
    ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Receiver).serve_forever()
