"""From settings to clusters that can be listed."""

import os
from functools import partial

from bot.clients.http.client import Nobody, Observer
from bot.clients.kubernetes.access import ClusterAccess, by_token, in_cluster
from bot.clients.kubernetes.kubeconfig import by_kubeconfig
from bot.clients.kubernetes.reader import ClusterReader
from bot.domain.clock import Clock
from bot.fleet.stage import Part
from bot.settings import Settings
from bot.settings.sections.running import RunningSourceSettings, SourceKind


def cluster_access(source: RunningSourceSettings) -> ClusterAccess:
    """Reads how a cluster is reached. Raises `Failure` for a file that cannot be used."""
    if source.kubeconfig_file is not None:
        return by_kubeconfig(source.kubeconfig_file, source.context)
    if source.server is not None and source.token_file is not None:
        return by_token(source.server, source.token_file, source.ca_file)
    return in_cluster(os.environ)


def clusters_of(settings: Settings, clock: Clock, observer: Observer | None = None) -> dict[str, ClusterReader]:
    """Makes a reader for each source that is asked, by its name; files are read once it lists."""
    return {
        source.name: ClusterReader(
            partial(cluster_access, source), clock, source.namespaces, source.exclude, observer or Nobody()
        )
        for source in settings.running.sources
        if source.kind is SourceKind.KUBERNETES
    }


CLUSTERS = Part(lambda bot: clusters_of(bot.settings, bot.clock, bot.meter))
"""Empty where none is to be asked."""
