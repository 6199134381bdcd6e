"""What `doctor` finds of clusters: whether they can be listed, and how old what is known of them is."""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta

from bot.clients.azure.reader import AzureReader
from bot.clients.kubernetes.reader import ClusterReader
from bot.clients.prometheus.reader import PrometheusReader
from bot.domain.clock import Clock
from bot.domain.failure import Failure
from bot.domain.running.backfill import begin_of
from bot.domain.wording.words import counted, duration
from bot.fleet.wiring.clusters import clusters_of, pasts_of
from bot.settings import Settings
from bot.settings.sections.running import RunningSourceSettings, SourceKind
from bot.store.doctor import DoctorStore
from bot.store.stores import Stores
from bot.views.doctor import Health, HealthCheck

AREA = "running"
_FAILED = "see docs/operate/running.md"


async def cluster_checks(settings: Settings, stores: Stores, clock: Clock) -> list[HealthCheck]:
    """Lists each cluster that is asked, and looks how old the last whole list of each is."""
    if not settings.running.sources:
        return []
    clusters = clusters_of(settings, clock)
    named = {source.name: source.namespaces for source in settings.running.sources}
    checks = await asyncio.gather(*(_rights(name, reader, named[name]) for name, reader in clusters.items()))
    pasts = pasts_of(settings, clock)
    checks += await asyncio.gather(*(_past(name, reader, clock.now()) for name, reader in pasts.items()))
    whole_at = await stores[DoctorStore].whole_lists()
    now = clock.now()
    return [*checks, *(_age(source, whole_at.get(source.name), now) for source in settings.running.sources)]


async def _rights(name: str, reader: ClusterReader | AzureReader, namespaces: Sequence[str]) -> HealthCheck:
    try:
        snapshot = await reader.snapshot()
    except Failure as failure:
        verdict = Health.UNKNOWN if failure.trouble.is_passing else Health.WRONG
        return HealthCheck(AREA, name, verdict, failure.what, failure.advice)
    if not snapshot.is_whole:
        first, *others = snapshot.not_read
        more = f", and {counted(len(others), 'line')} more" if others else ""
        return HealthCheck(AREA, name, Health.WRONG, f"{first}{more}", _FAILED)
    shown = {each.place.namespace for each in snapshot.containers}
    empty = [namespace for namespace in namespaces if namespace not in shown]
    if empty:
        return HealthCheck(AREA, name, Health.NOTE, f"runs nothing in {', '.join(empty)}", "check these names")
    return HealthCheck(AREA, name, Health.FINE, f"lists {counted(len(snapshot.containers), 'container')}")


async def _past(name: str, reader: PrometheusReader, now: datetime) -> HealthCheck:
    """Whether the past can be asked for, by its latest moment."""
    subject, latest = f"{name}: past", begin_of(now, timedelta(0))
    try:
        window = await reader.window(latest, latest)
    except Failure as failure:
        verdict = Health.UNKNOWN if failure.trouble.is_passing else Health.WRONG
        return HealthCheck(AREA, subject, verdict, failure.what, failure.advice)
    if not window.containers:
        what = "keeps no series kube_pod_container_info of it now"
        return HealthCheck(AREA, subject, Health.NOTE, what, "see that it scrapes kube-state-metrics")
    if not window.whole:
        what = "leaves open what some containers run, so its past stays unknown in part"
        return HealthCheck(AREA, subject, Health.NOTE, what, "see that kube-state-metrics tells owners and digests")
    return HealthCheck(AREA, subject, Health.FINE, f"keeps {counted(len(window.containers), 'container')}")


def _age(source: RunningSourceSettings, whole_at: datetime | None, now: datetime) -> HealthCheck:
    """Of a list that was read to its end; what came in part tells no age."""
    is_told = source.kind is SourceKind.PUSH
    way_out = "see that its CronJob runs, and what it logs" if is_told else "run the service, or `once`"
    if whole_at is None:
        return HealthCheck(AREA, source.name, Health.UNKNOWN, "no whole list of it yet", way_out)
    found = f"its last whole list is {duration(now - whole_at)} old"
    if now - whole_at > source.stale_after:
        return HealthCheck(AREA, source.name, Health.WRONG, found, way_out)
    return HealthCheck(AREA, source.name, Health.FINE, found)
