"""The conformance kit: a table of requests and what JOB's contract says of their replies, for any base URL.

It knows nothing of the service's code: what it compares is what comes over HTTP (docs/conformance.md).
"""
