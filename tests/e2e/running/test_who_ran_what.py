"""What runs in two clusters ends the steps of a rebuild; whatever is rolled out there, from when until when a place
had a CVE is what a plain record of every list of pods says."""

import random
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from bot.domain.rollouts.rebuild import RebuildState
from bot.domain.rollouts.steps import StepState
from bot.domain.running.exposure import Asked, ExposedTime, PlaceExposure, PlaceState
from bot.store.pages.running.answering import exposure_of
from bot.store.views.rollouts import RolloutViewsStore
from bot.views.running.exposed import ExposureAnswer, Narrowed
from sandbox.fleets.clusters import CLUSTERS, SERVICES, FleetClusters, running
from sandbox.fleets.fleet import SampleFleet
from sandbox.kubernetes.cluster import Trouble
from sandbox.world import World
from tests.e2e.staging import AheadClock, Stage, settled
from tests.migrated import new_sqlite

CVE = "CVE-2026-21218"
PACK = "Microsoft.NETCore.App.Runtime.linux-x64"
HOUR = timedelta(hours=1)
MOVES = 14
STEPS = [
    {"name": name, "start": "running", "environment": environment, "timeout": "7d"}
    for name, environment in (("canary", "canary"), ("live", "production"))
]
ENVIRONMENTS = dict(zip(CLUSTERS, ("canary", "production"), strict=True))
Place = tuple[str, str]
"""A cluster, and a service in it."""
PLACES: tuple[Place, ...] = tuple((cluster, service) for cluster in CLUSTERS for service in SERVICES)


@dataclass(frozen=True, slots=True)
class Look:
    """What ran in a cluster when its pods were listed."""

    at: datetime
    ran: Mapping[str, str]


@dataclass(slots=True)
class Watched:
    """A fleet whose services go to two clusters one after the other, and the record of who ran what there."""

    stage: Stage
    clusters: FleetClusters
    looks: dict[str, list[Look]] = field(default_factory=lambda: {name: [] for name in CLUSTERS})
    vulnerable: set[str] = field(default_factory=set)
    """The builds on the base before the fix."""

    def shows(self, service: str) -> str:
        """The digest of what the registry shows of a service."""
        return self.stage.fleet.digests[f"{self.stage.world.github.name}/{service}:latest"]

    async def look(self) -> None:
        """One pass some hours later, recorded of each cluster that lets its pods be listed.

        What happens next happens an hour after it: a node tells whole seconds, and would date it before this look.
        """
        self.stage.clock.ahead += 4 * HOUR
        began = self.stage.clock.now()
        problems = (await self.stage.run_pass())["running"].problems
        listed_at = await self._listed_at()
        for name, cluster in self.clusters.clusters.items():
            if cluster.trouble.forbidden:
                assert any(line.startswith(f"what runs in {name} is not read") for line in problems), problems
                continue
            images = {each.name: each.containers[0].image_id for each in cluster.workloads.values()}
            ran = {service: image.rpartition("@")[2] for service, image in images.items()}
            assert began <= listed_at[name] <= self.stage.clock.now()
            self.looks[name].append(Look(listed_at[name], ran))
        self.stage.clock.ahead += HOUR

    async def _listed_at(self) -> dict[str, datetime]:
        """When the pods of each cluster were listed last, as the bot says."""
        sources = (await self._ask(self.stage.clock.now())).sources
        return {each.name: each.covered[-1].until for each in sources}

    async def patch(self) -> None:
        fleet, feeds = self.stage.fleet, self.stage.world.feeds
        self.vulnerable |= {self.shows(service) for service in SERVICES}
        await fleet.publish_runtime("10.0.1")
        await fleet.publish_sdk("10.0.1")
        fleet.announce("10.0.1", security=True, cves=(CVE,))
        affected = {"affected": ">= 10.0.0, < 10.0.1", "patched": "10.0.1"}
        feeds.publish_advisory(CVE, severity="high", package=PACK, **affected)

    async def build(self) -> None:
        """Every pull request of the services is merged, and every run ends."""
        github = self.stage.world.github
        for service in SERVICES:
            for request in await github.pull_requests(service):
                await github.merge(service, request["number"])
        for run in github.runs():
            github.finish_run(run.id)

    async def steps(self) -> dict[str, tuple[RebuildState, list[StepState]]]:
        """How far the rebuild of each service is."""
        rebuilds = await self.stage.rebuilds()
        own = [rebuilds[service] for service in SERVICES]
        steps = await self.stage.bot.stores[RolloutViewsStore].steps_of(own)
        return {
            service: (rebuild.state, [each.state for each in steps.get(rebuild.id, ())])
            for service, rebuild in zip(SERVICES, own, strict=True)
        }

    async def exposed(self) -> set[Place]:
        answer = await self._ask(self.stage.clock.now())
        return {(each.source, each.place.workload) for each in answer.of(PlaceState.EXPOSED)}

    # The law

    async def wrong(self) -> list[str]:
        """Where the answers of now and of the time of each look are against the record."""
        now = await self._ask(self.stage.clock.now())
        assert now.published_at is not None
        told = {(each.source, each.place.workload): each for each in now.places}
        wrong = [line for place in PLACES for line in self._wrong_times(place, told.get(place), now.published_at)]
        for cluster, looks in self.looks.items():
            for look in looks:
                wrong += self._wrong_states(cluster, look, await self._ask(look.at))
        return wrong

    async def _ask(self, at: datetime) -> ExposureAnswer:
        return await exposure_of(self.stage.bot.stores, CVE, Asked(at), Narrowed())

    def _wrong_states(self, cluster: str, look: Look, answer: ExposureAnswer) -> Iterator[str]:
        states = {each.place.workload: each.state for each in answer.places if each.source == cluster}
        assert answer.published_at is not None
        for service in SERVICES:
            build, state = look.ran.get(service), states.get(service)
            if build is None:
                expected: tuple[PlaceState | None, ...] = None, PlaceState.GONE
            elif build in self.vulnerable and answer.published_at <= look.at:
                expected = (PlaceState.EXPOSED,)
            else:
                expected = (PlaceState.NOT_AFFECTED,)
            if state not in expected:
                yield f"{service} in {cluster} at {look.at}: {build} ran, and it is told to be {state}"

    def _wrong_times(self, place: Place, told: PlaceExposure | None, published: datetime) -> Iterator[str]:
        recorded = list(self._recorded_times(place, published))
        times = told.exposed if told is not None else ()
        if len(times) != len(recorded) or not all(map(_agrees, times, recorded)):
            yield f"{place} had it {recorded}, and is told to have had it {times}"

    def _recorded_times(self, place: Place, published: datetime) -> Iterator["RecordedTime"]:
        """Each time through which the place had it, as far as the looks tell."""
        cluster, service = place
        since, before = None, None
        for look in self.looks[cluster]:
            has_it = look.ran.get(service) in self.vulnerable and look.at >= published
            if has_it and since is None:
                earliest = published if before is None else max(published, before.at)
                since = earliest, look.at
            if not has_it and since is not None:
                yield RecordedTime(*since, look.at)
                since = None
            before = look
        if since is not None:
            yield RecordedTime(*since, None)


@dataclass(frozen=True, slots=True)
class RecordedTime:
    """A time that began after the one moment and by the other, and had ended `until` then."""

    earliest: datetime
    latest: datetime
    until: datetime | None


def _agrees(told: ExposedTime, recorded: RecordedTime) -> bool:
    return recorded.earliest <= told.since <= recorded.latest and told.until == recorded.until


@pytest.fixture
async def watched(tmp_path: Path) -> AsyncIterator[Watched]:
    clock = AheadClock()
    async with AsyncExitStack() as exits:
        world = await exits.enter_async_context(World(clock=clock, validate=True))
        fleet = SampleFleet(world)
        await fleet.build("10.0.0")
        clusters = await exits.enter_async_context(running(fleet, clock))
        stage = await settled(
            world,
            tmp_path,
            new_sqlite(tmp_path / "freshness.db"),
            exits,
            fleet=fleet,
            clock=clock,
            policy=[{"settle": "0s", "steps": STEPS}],
            running=clusters.settings(tmp_path, environments=ENVIRONMENTS, stale_after="12h"),
            vulnerabilities={"nuget": {"api": world.feeds.url}},
        )
        yield Watched(stage, clusters)
        assert world.traffic.violations == []


@pytest.mark.long
async def test_each_step_ends_when_its_cluster_runs_the_build_and_exposure_ends_with_it(watched: Watched) -> None:
    await watched.look()
    await watched.patch()
    await watched.look()
    await watched.build()
    await watched.look()
    going = RebuildState.STEPPING
    assert await watched.steps() == dict.fromkeys(SERVICES, (going, [StepState.RUNNING, StepState.PLANNED]))
    assert await watched.exposed() == set(PLACES)
    east, west = CLUSTERS

    watched.clusters.roll_out(east, SERVICES[:1])
    await watched.look()
    assert await watched.steps() == {
        SERVICES[0]: (going, [StepState.SUCCEEDED, StepState.RUNNING]),
        SERVICES[1]: (going, [StepState.RUNNING, StepState.PLANNED]),
    }
    assert await watched.exposed() == set(PLACES) - {(east, SERVICES[0])}

    watched.clusters.roll_out(east)
    await watched.look()
    assert await watched.steps() == dict.fromkeys(SERVICES, (going, [StepState.SUCCEEDED, StepState.RUNNING]))
    assert await watched.exposed() == {(west, service) for service in SERVICES}

    watched.clusters.roll_out(west)
    await watched.look()
    over = RebuildState.SUCCEEDED, [StepState.SUCCEEDED, StepState.SUCCEEDED]
    assert await watched.steps() == dict.fromkeys(SERVICES, over)
    assert await watched.exposed() == set()
    assert await watched.wrong() == []


@pytest.mark.long
@pytest.mark.parametrize("seed", range(2))
async def test_whatever_is_rolled_out_the_times_are_those_of_the_record(watched: Watched, seed: int) -> None:
    await watched.look()
    old = {service: watched.shows(service) for service in SERVICES}
    await watched.patch()
    await watched.look()
    await watched.build()
    await watched.look()
    chosen = random.Random(seed)
    for _ in range(MOVES):
        move(watched.clusters, chosen, old)
        await watched.look()
    for cluster in watched.clusters.clusters.values():
        cluster.trouble = Trouble()
    await watched.look()
    assert await watched.wrong() == []


def move(clusters: FleetClusters, chosen: random.Random, old: Mapping[str, str]) -> None:
    """Something that people do to a service in a cluster, or to the cluster."""
    name, service = chosen.choice(CLUSTERS), chosen.choice(SERVICES)
    cluster = clusters.clusters[name]
    match chosen.choice(("fix", "fix", "old build", "old build", "removal", "restart", "no right", "right")):
        case "fix":
            clusters.roll_out(name, [service])
        case "old build":
            clusters.roll_out(name, [service], old)
        case "removal" if ("shop", "Deployment", service) in cluster.workloads:
            cluster.remove("shop", "Deployment", service)
        case "restart":
            clusters.restart(name)
        case "no right":
            cluster.trouble = Trouble(forbidden=frozenset({"shop"}))
        case "right":
            cluster.trouble = Trouble()
