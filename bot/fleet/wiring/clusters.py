"""From settings to clusters, and services of Azure, that can be listed."""

import os
from collections.abc import Callable, Mapping
from functools import partial
from urllib.parse import urlsplit

from bot.clients.azure.reader import AzureReader
from bot.clients.entra import AzureIdentity, credential, entra_token
from bot.clients.http.client import Nobody, Observer
from bot.clients.kubernetes.access import ClusterAccess, SignIn, by_token, in_cluster
from bot.clients.kubernetes.kubeconfig import by_kubeconfig
from bot.clients.kubernetes.reader import ClusterReader
from bot.clients.prometheus.reader import PrometheusReader
from bot.domain.clock import Clock
from bot.fleet.stage import Part
from bot.settings import Settings
from bot.settings.sections.running import RESOURCE_MANAGER, RunningSourceSettings, SourceKind

AKS = "6dae42f8-4368-4678-94ff-3960e28e3630/.default"
"""What Entra's token is for: the servers of all clusters of Azure Kubernetes Service. Source: Azure/kubelogin."""


def cluster_access(source: RunningSourceSettings) -> ClusterAccess:
    """Reads how a cluster is reached. Raises `Failure` for a file that cannot be used."""
    if source.kubeconfig_file is not None:
        return by_kubeconfig(source.kubeconfig_file, source.context)
    if source.server is not None:
        return by_token(source.server, source.token_file, source.ca_file)
    return in_cluster(os.environ)


async def _entra_token(identity: AzureIdentity, client_id: str | None, audience: str, where: str) -> str:
    """Entra gives a token for an hour, and a list comes every few minutes; none is kept."""
    return (await entra_token(partial(credential, identity, client_id), audience, identity, where)).token


def _cluster(source: RunningSourceSettings, clock: Clock, observer: Observer) -> ClusterReader:
    opened = partial(cluster_access, source)
    signed_in = _sign_in(source, source.server, AKS)
    return ClusterReader(opened, clock, source.namespaces, source.exclude, observer, signed_in=signed_in)


def _azure(source: RunningSourceSettings, clock: Clock, observer: Observer) -> AzureReader:
    server = source.address or RESOURCE_MANAGER
    opened = partial(by_token, server, source.token_file, source.ca_file)
    signed_in = _sign_in(source, server, f"{server.rstrip('/')}/.default")
    return AzureReader(opened, clock, source.subscriptions, source.exclude, observer, signed_in=signed_in)


def _sign_in(source: RunningSourceSettings, server: str | None, audience: str) -> SignIn | None:
    """Signs in with Entra; None where a file holds the token, or the cluster says how it is reached."""
    if source.azure is None or server is None:
        return None
    identity, where = AzureIdentity(source.azure), urlsplit(server).netloc
    return partial(_entra_token, identity, source.client_id, audience, where)


_KINDS: Mapping[SourceKind, Callable[[RunningSourceSettings, Clock, Observer], ClusterReader | AzureReader]] = {
    SourceKind.KUBERNETES: _cluster,
    SourceKind.AZURE: _azure,
}
"""Those that are asked."""


def clusters_of(
    settings: Settings, clock: Clock, observer: Observer | None = None
) -> dict[str, ClusterReader | AzureReader]:
    """Makes a reader for each source that is asked, by its name; files are read once it lists."""
    return {
        source.name: _KINDS[source.kind](source, clock, observer or Nobody())
        for source in settings.running.sources
        if source.kind in _KINDS
    }


def pasts_of(settings: Settings, clock: Clock, observer: Observer | None = None) -> dict[str, PrometheusReader]:
    """Makes a reader for the past of each source that has one, by its name."""
    return {
        source.name: PrometheusReader(
            partial(by_token, past.prometheus, past.token_file, past.ca_file),
            *(clock, past.labels, source.namespaces, source.exclude, observer or Nobody()),
        )
        for source in settings.running.sources
        if (past := source.past) is not None
    }


CLUSTERS = Part(lambda bot: clusters_of(bot.settings, bot.clock, bot.meter))
"""Empty where none is to be asked."""
PASTS = Part(lambda bot: pasts_of(bot.settings, bot.clock, bot.meter))
"""Empty where no past is to be asked for."""
