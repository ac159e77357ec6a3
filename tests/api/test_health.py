"""/healthz."""

from __future__ import annotations

import dataclasses

from adapter.api.application import create_app
from adapter.config import Settings

from .client import TestClient
from .conftest import World


def test_ready(world: World) -> None:
    """Hosts are loaded and the store answers."""
    response = world.http.get("/healthz")
    assert (response.status_code, response.json()) == (200, {"status": "ok"})


def test_before_the_inventory_is_read(world: World) -> None:
    """A starting service takes no jobs."""
    world.hosts.ready = False
    response = world.http.get("/healthz")
    assert response.status_code == 503
    assert "inventory" in response.json()["reason"]


def test_without_a_store(world: World) -> None:
    """The reason is said, the details are not."""

    def broken() -> None:
        raise OSError("password=hunter2")

    services = dataclasses.replace(world.services, ready=broken)
    response = TestClient(create_app(services, Settings())).get("/healthz")
    assert response.status_code == 503
    assert response.json() == {"status": "unavailable", "reason": "the store does not answer"}
