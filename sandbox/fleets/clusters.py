"""Two clusters that run what a fleet builds, each until somebody rolls out what the registry shows by then."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType

from bot.domain.clock import Clock
from sandbox.edges.serving import Server
from sandbox.fleets.fleet import SampleFleet
from sandbox.kubernetes.cluster import Cluster, kubeconfig, serve
from sandbox.kubernetes.pods import Container, Workload

CLUSTERS = ("east", "west")
SERVICES = ("payments-api", "catalog-web")


@dataclass(frozen=True, slots=True)
class FleetClusters:
    """API servers by the names of their clusters, which run services of a fleet."""

    fleet: SampleFleet
    clock: Clock
    clusters: dict[str, Cluster]
    servers: dict[str, Server]

    def roll_out(
        self, cluster: str, services: Sequence[str] = SERVICES, builds: Mapping[str, str] | None = None
    ) -> None:
        """New pods of these services take the place of the old ones: of `builds`, by the names of services, or else
        from what the registry shows now."""
        builds = self._newest() if builds is None else builds
        self.clusters[cluster].run(*(self._workload(name, builds[name]) for name in services))

    def restart(self, cluster: str) -> None:
        """All pods are made anew, each of the build that it ran."""
        here = self.clusters[cluster]
        here.run(*(replace(each, started_at=self.clock.now()) for each in here.workloads.values()))

    def _newest(self) -> dict[str, str]:
        return {name: self.fleet.digests[f"{self.fleet.world.github.name}/{name}:latest"] for name in SERVICES}

    def _workload(self, name: str, build: str) -> Workload:
        image = f"{self.fleet.registry}/{self.fleet.world.github.name}/{name}"
        pulled = Container(name, f"{image}:latest", f"{image}@{build}")
        return Workload("shop", "Deployment", name, [pulled], 2, self.clock.now())

    def settings(
        self, folder: Path, environments: Mapping[str, str] = MappingProxyType({}), **each: object
    ) -> dict[str, object]:
        """The section `running` of the bot's settings, with what else `each` source has; kubeconfigs are put into
        the folder. A cluster is production where none of the `environments` is its own."""
        sources = []
        for name, server in self.servers.items():
            path = folder / f"kubeconfig-{name}"
            path.write_text(kubeconfig(server.url))
            environment = environments.get(name, "production")
            source = {"name": name, "environment": environment, "kind": "kubernetes"}
            sources.append({**source, "kubeconfig_file": str(path), **each})
        return {"sources": sources}


@asynccontextmanager
async def running(fleet: SampleFleet, clock: Clock) -> AsyncIterator[FleetClusters]:
    """Both clusters, which run what the registry shows of the services."""
    clusters = {name: Cluster(clock) for name in CLUSTERS}
    servers = {name: serve(cluster) for name, cluster in clusters.items()}
    try:
        run_by = FleetClusters(fleet, clock, clusters, servers)
        for name in CLUSTERS:
            run_by.roll_out(name)
        yield run_by
    finally:
        for server in servers.values():
            server.stop()
