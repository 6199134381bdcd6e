"""A Prometheus of the sandbox that has kept what ran in a cluster, served over HTTP."""

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from sandbox.edges.serving import Server
from sandbox.kubernetes.pods import image_id
from sandbox.prometheus.server import Kept, KeptPod, serve

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
IMAGE = "ghcr.io/contoso/shop:1"


def pod(build: str, since: datetime, until: datetime, *, name: str = "shop", namespace: str = "shop") -> KeptPod:
    """A pod of a Deployment."""
    owner, above = ("ReplicaSet", f"{name}-{build}"), ("Deployment", name)
    return KeptPod(
        *(namespace, f"{name}-{build}-x7k2p", name, IMAGE, image_id(IMAGE, build), since, until, owner, above)
    )


@pytest.fixture
def kept() -> Kept:
    return Kept([pod("old", NOON - 6 * HOUR, NOON - 2 * HOUR), pod("new", NOON - 2 * HOUR, NOON + HOUR)])


@pytest.fixture
def server(kept: Kept) -> Iterator[Server]:
    served = serve(kept)
    yield served
    served.stop()


@pytest.fixture(autouse=True)
def directly(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)
