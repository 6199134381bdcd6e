"""One rollout in waves over repositories on GitHub and in Azure Repos, from a patch to its end, and what it asked.

The bot works as a service does: it looks at what is due, on a clock that is moved on.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from bot.domain.evidence import Strength
from bot.domain.rollouts.rebuild import ENDED, Rebuild, RebuildState
from bot.fleet.stages import one_pass
from bot.store.views.images import ImageViewsStore
from bot.store.views.rollouts import RolloutViewsStore
from sandbox.fleets.pipelines import HOME, azure_devops_in
from sandbox.fleets.two_forges import TwoForges
from sandbox.world import World
from tests.e2e.staging import Stage, settled
from tests.migrated import new_sqlite

FORGES = ("github", "azure")
SOAK = timedelta(hours=1)
LOOK = timedelta(minutes=20)
MOST_LOOKS = 40
ADVISORY = "CVE-2026-21218"
Requests = Mapping[str, int]
"""How many by their forges."""
WaveOf = Callable[[TwoForges, str], str]
"""The wave of a repository."""


@dataclass(slots=True)
class Rollout:
    """What a rollout came to: when the rebuild of each repository was seen to have begun and ended, and how much
    was asked.

    `first_sight` is what the first pass asked, `asked` what each look of the rollout did.
    """

    stage: Stage
    fleet: TwoForges
    wave_of: WaveOf
    first_sight: Requests
    asked: dict[datetime, Requests] = field(default_factory=dict)
    begun_at: dict[str, datetime] = field(default_factory=dict)
    ended_at: dict[str, datetime] = field(default_factory=dict)
    rebuilds: list[Rebuild] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    def of_wave(self, wave: str) -> set[str]:
        return {name for name in self.fleet.names if self.wave_of(self.fleet, name) == wave}

    def builds_of(self, name: str) -> int:
        """Runs of workflows and builds of pipelines, since the fleet was made."""
        number = self.fleet.definitions.get(name)
        if number is not None:
            return sum(row["definition"]["id"] == number for row in self.fleet.service.builds.values())
        return len(self.stage.world.github.runs(name))

    async def requests_of(self, name: str) -> int:
        """Pull requests of whichever state."""
        if (home := self.fleet.homes.get(name)) is not None:
            return sum(row["repository"]["id"] == home.id for row in self.fleet.service.requests.rows.values())
        return len(await self.stage.world.github.pull_requests(name, state="all"))

    async def proved(self) -> set[str]:
        """Whose images are seen to stand on the new base."""
        images = [view.image for view in await self.stage.bot.stores[ImageViewsStore].views()]
        return {
            image.place.repository.rpartition("/")[2]
            for image in images
            if image.strength is Strength.PROVED and image.behind_since is None
        }

    async def look(self) -> None:
        """A pass over what is due."""
        self.stage.world.traffic.forget()
        outcomes = await one_pass(self.stage.bot)
        self.problems += [problem for outcome in outcomes for problem in outcome.problems]
        self.stage.clock.ahead += LOOK

    async def roll_out(self) -> None:
        """A patch is published, and passes and people follow until each rebuild has ended."""
        await self.fleet.publish_runtime("10.0.1")
        self.fleet.announce("10.0.1", security=True, cves=(ADVISORY,))
        for _ in range(MOST_LOOKS):
            await self.look()
            self.asked[self.stage.clock.now()] = counted(self.stage.world)
            await self._note(next(reversed(self.asked)))
            if len(self.ended_at) == len(self.fleet.names):
                return
            await self._people_and_builders()

    def asked_of(self, forge: str, names: Collection[str]) -> int:
        """How much was asked of a forge in the looks from the first that begins one of these repositories to the
        last that ends one."""
        begun, ended = min(self.begun_at[name] for name in names), max(self.ended_at[name] for name in names)
        return sum(asked[forge] for at, asked in self.asked.items() if begun <= at <= ended)

    async def _note(self, now: datetime) -> None:
        rollouts = await self.stage.bot.stores[RolloutViewsStore].rollouts(50)
        self.rebuilds = [rebuild for rollout in rollouts for rebuild in rollout.rebuilds]
        for rebuild in self.rebuilds:
            name = rebuild.repository.rpartition("/")[2]
            if not rebuild.state.awaits_action:
                self.begun_at.setdefault(name, now)
            if rebuild.state in ENDED:
                self.ended_at.setdefault(name, now)

    async def _people_and_builders(self) -> None:
        """All pull requests are merged, and all that builds succeeds."""
        service, github = self.fleet.service, self.stage.world.github
        for rebuild in self.rebuilds:
            if rebuild.state is RebuildState.OPEN and rebuild.repository.startswith(f"{github.name}/shop"):
                await github.merge(rebuild.repository, rebuild.pull_request or 0)
        for number, row in list(service.requests.rows.items()):
            if row["status"] == "active":
                service.requests.complete(number)
        for run in github.runs():
            if run.conclusion is None:
                github.finish_run(run.id)
        for number in list(service.builds):
            service.finish(number)


def by_tenths(fleet: TwoForges, name: str) -> str:
    """A tenth of the fleet goes first, and three more before the rest."""
    tenth = int(name.rpartition("-")[2]) * 10 // fleet.on_each
    return "canary" if tenth < 1 else "early" if tenth < 4 else "rest"


IN_TENTHS: Sequence[Mapping[str, str]] = (
    {"name": "canary", "soak": "1h"},
    {"name": "early", "soak": "1h"},
    {"name": "rest"},
)


async def settled_in(
    world: World,
    folder: Path,
    on_each: int,
    exits: AsyncExitStack,
    waves: Sequence[Mapping[str, str]] = IN_TENTHS,
    wave_of: WaveOf = by_tenths,
) -> Rollout:
    """The fleet after the bot has seen it first."""
    world.github.edge.limits.rest = world.github.edge.limits.graphql = 100_000
    fleet = TwoForges(world, on_each=on_each, platforms=("linux/amd64",))
    await fleet.build()
    stage = await settled(
        *(world, folder, new_sqlite(folder / "freshness.db"), exits),
        fleet=fleet,
        policy=[{**_rule(fleet, name), "wave": wave_of(fleet, name)} for name in fleet.names],
        rollout={"waves": list(waves)},
        azure_devops=azure_devops_in(world, folder, f"{HOME}/*"),
    )
    return Rollout(stage, fleet, wave_of, counted(world))


def _rule(fleet: TwoForges, name: str) -> dict[str, object]:
    if name in fleet.definitions:
        return fleet.rule(name)
    return {"match": {"repositories": [fleet.full_name(name)]}, "settle": "0s"}


def counted(world: World) -> Requests:
    """What was asked since the traffic was forgotten."""
    return {forge: len(world.traffic.requests(service=forge)) for forge in FORGES}
