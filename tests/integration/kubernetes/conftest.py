"""A cluster of the sandbox, served over HTTP and over HTTPS."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.clients.http.client import Limits
from bot.clients.kubernetes.access import ClusterAccess
from bot.clients.kubernetes.reader import ClusterReader
from bot.domain.clock import SystemClock
from sandbox.edges.serving import Server
from sandbox.kubernetes.cluster import TOKEN, Cluster, serve
from sandbox.kubernetes.pods import Container, Workload, image_id
from tests.certificates import self_signed

HASTY = Limits(total=1, attempts=1)
"""Gives up on a silent server soon, so that the tests end soon."""


@pytest.fixture
def cluster() -> Cluster:
    found = Cluster(most=3)
    image = "ghcr.io/contoso/api:1.4"
    for namespace in ("billing", "shop"):
        found.run(
            *(
                Workload(
                    namespace,
                    "Deployment",
                    f"api-{number}",
                    [Container("api", image, image_id(image, f"{number}"))],
                )
                for number in range(4)
            )
        )
    return found


@pytest.fixture
def server(cluster: Cluster) -> Iterator[Server]:
    served = serve(cluster)
    yield served
    served.stop()


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    return self_signed(tmp_path / "certificate.pem")


@pytest.fixture
def over_tls(cluster: Cluster, certificate: Path) -> Iterator[str]:
    served = serve(cluster, certificate)
    yield f"https://127.0.0.1:{served.port}"
    served.stop()


@pytest.fixture(autouse=True)
def directly(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)


def reader(server: Server, *namespaces: str, token: str = TOKEN, limits: Limits = HASTY) -> ClusterReader:
    access = ClusterAccess(server.url, token)
    return ClusterReader(lambda: access, SystemClock(), namespaces, limits=limits)
