"""Every API by dialect, service of JOB and name: what it reads, does and answers (contract c, d, i)."""

from __future__ import annotations

from adapter.api.apis_v2 import V2_SERVICES
from adapter.api.apis_v3 import V3_SERVICES
from adapter.api.apis_v4 import V4_SERVICES
from adapter.api.endpoints import Endpoint
from adapter.api.job_services import ByService


def _by_name(services: ByService) -> dict[str, Endpoint]:
    return {name: found for apis in services.values() for name, found in apis.items()}


V2, V3, V4 = _by_name(V2_SERVICES), _by_name(V3_SERVICES), _by_name(V4_SERVICES)

__all__ = ["V2", "V2_SERVICES", "V3", "V3_SERVICES", "V4", "V4_SERVICES"]
