"""A cluster that takes tokens of Entra: the bot signs in as the service account of its pod, and as its machine."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.clients.entra import AzureIdentity
from bot.domain.clock import SystemClock
from bot.domain.failure import Failure, Trouble
from bot.fleet.wiring.clusters import AKS, clusters_of
from bot.settings import Settings
from sandbox.edges.serving import Server
from sandbox.kubernetes.cluster import Cluster
from tests.integration.registry.azure import ASSERTION, EXPIRED_ASSERTION, Azure, claims_of


@pytest.fixture
def azure(certificate: Path) -> Iterator[Azure]:
    with Azure(certificate).serving() as served:
        yield served


@pytest.fixture(autouse=True)
def assertion(azure: Azure, certificate: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    file = tmp_path / "assertion"
    file.write_text(ASSERTION)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))
    monkeypatch.setenv("AZURE_AUTHORITY_HOST", azure.url)
    monkeypatch.setenv("AZURE_TENANT_ID", "00000000-0000-0000-0000-000000000001")
    monkeypatch.setenv("AZURE_CLIENT_ID", "the-bot")
    monkeypatch.setenv("AZURE_FEDERATED_TOKEN_FILE", str(file))
    monkeypatch.setenv("AZURE_POD_IDENTITY_AUTHORITY_HOST", azure.url)
    return file


@pytest.fixture
def cluster(cluster: Cluster) -> Cluster:
    cluster.takes = lambda token: "." in token and claims_of(token)["aud"] == AKS.removesuffix("/.default")
    return cluster


def settings(server: Server, identity: AzureIdentity) -> Settings:
    source = {"name": "aks", "environment": "production", "kind": "kubernetes", "server": server.url}
    return Settings.model_validate({"running": {"sources": [source | {"azure": str(identity)}]}})


@pytest.mark.parametrize("identity", AzureIdentity)
async def test_who_the_bot_is_in_azure_lets_it_list(
    server: Server, identity: AzureIdentity, monkeypatch: pytest.MonkeyPatch
) -> None:
    if identity is AzureIdentity.MANAGED:
        monkeypatch.delenv("AZURE_FEDERATED_TOKEN_FILE")
    snapshot = await clusters_of(settings(server, identity), SystemClock())["aks"].snapshot()
    assert (len(snapshot.containers), snapshot.is_whole) == (8, True)


async def test_whom_entra_does_not_know_is_told_why(server: Server, assertion: Path, cluster: Cluster) -> None:
    assertion.write_text(EXPIRED_ASSERTION)
    with pytest.raises(Failure, match="Entra gives no token for the workload identity of this bot") as caught:
        await clusters_of(settings(server, AzureIdentity.WORKLOAD), SystemClock())["aks"].snapshot()
    assert caught.value.trouble is Trouble.DENIED
    assert cluster.asked == []
