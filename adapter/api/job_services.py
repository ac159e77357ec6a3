"""The services that JOB's APIs are of.

JOB's own gateway has the service in its paths (`/api/job/v3/job-execute/NAME`); everywhere else only names count.
"""

from __future__ import annotations

from collections.abc import Mapping

from adapter.api.endpoints import Endpoint

ByService = Mapping[str, Mapping[str, Endpoint]]

EXECUTE, MANAGE, CRONTAB = "job-execute", "job-manage", "job-crontab"
FILES, ANALYSIS = "job-file-gateway", "job-analysis"
SERVICES = (EXECUTE, MANAGE, CRONTAB, FILES, ANALYSIS)
