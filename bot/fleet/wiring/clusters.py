"""From settings to clusters that can be listed."""

import os
from dataclasses import replace
from functools import partial
from urllib.parse import urlsplit

from bot.clients.entra import AzureIdentity, credential, entra_token
from bot.clients.http.client import Nobody, Observer
from bot.clients.kubernetes.access import ClusterAccess, by_token, in_cluster
from bot.clients.kubernetes.kubeconfig import by_kubeconfig
from bot.clients.kubernetes.reader import ClusterReader
from bot.domain.clock import Clock
from bot.fleet.stage import Part
from bot.settings import Settings
from bot.settings.sections.running import RunningSourceSettings, SourceKind

AKS = "6dae42f8-4368-4678-94ff-3960e28e3630/.default"
"""What Entra's token is for: the servers of all clusters of Azure Kubernetes Service. Source: Azure/kubelogin."""


def cluster_access(source: RunningSourceSettings) -> ClusterAccess:
    """Reads how a cluster is reached. Raises `Failure` for a file that cannot be used."""
    if source.kubeconfig_file is not None:
        return by_kubeconfig(source.kubeconfig_file, source.context)
    if source.server is not None:
        return by_token(source.server, source.token_file, source.ca_file)
    return in_cluster(os.environ)


async def _entra_token(identity: AzureIdentity, client_id: str | None, where: str) -> str:
    """Entra gives a token for an hour, and a list comes every few minutes; none is kept."""
    return (await entra_token(partial(credential, identity, client_id), AKS, identity, where)).token


def _cluster(source: RunningSourceSettings, clock: Clock, observer: Observer) -> ClusterReader:
    opened = partial(cluster_access, source)
    reader = ClusterReader(opened, clock, source.namespaces, source.exclude, observer)
    if source.azure is None or source.server is None:
        return reader
    where = urlsplit(source.server).netloc
    return replace(reader, signed_in=partial(_entra_token, AzureIdentity(source.azure), source.client_id, where))


def clusters_of(settings: Settings, clock: Clock, observer: Observer | None = None) -> dict[str, ClusterReader]:
    """Makes a reader for each source that is asked, by its name; files are read once it lists."""
    return {
        source.name: _cluster(source, clock, observer or Nobody())
        for source in settings.running.sources
        if source.kind is SourceKind.KUBERNETES
    }


CLUSTERS = Part(lambda bot: clusters_of(bot.settings, bot.clock, bot.meter))
"""Empty where none is to be asked."""
