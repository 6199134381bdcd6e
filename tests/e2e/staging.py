"""The whole bot in the sandbox: a fleet on real servers, a store, and passes on request."""

from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import yaml

from bot.domain.rollouts.rebuild import Rebuild, RebuildState
from bot.fleet.stage import Bot, TickOutcome
from bot.fleet.stages import one_pass
from bot.fleet.wiring.opening import open_bot
from bot.settings import load
from bot.store.engine.queue.leases import bring_forward
from bot.store.views.rollouts import RolloutViewsStore
from sandbox.fleets.fleet import SampleFleet
from sandbox.fleets.pipelines import PipelineFleet, azure_devops_in
from sandbox.world import World
from tests.conftest import SHARED


@dataclass(slots=True)
class AheadClock:
    """The machine's clock, moved ahead: waiting is a matter of asking later."""

    ahead: timedelta = timedelta(0)

    def now(self) -> datetime:
        return datetime.now(UTC) + self.ahead


@dataclass(slots=True)
class Stage:
    """A fleet, the bot that looks after it, and what the tests ask of both."""

    fleet: SampleFleet
    bot: Bot
    clock: AheadClock

    @property
    def world(self) -> World:
        return self.fleet.world

    async def run_pass(self) -> dict[str, TickOutcome]:
        """One full pass, as `freshness-bot once` makes it; the traffic log begins anew."""
        self.world.traffic.forget()
        await bring_forward(self.bot.database, self.clock.now())
        return {outcome.stage: outcome for outcome in await one_pass(self.bot)}

    async def rebuilds(self) -> dict[str, Rebuild]:
        """The newest rebuild of each repository, by its bare name."""
        rollouts = await self.bot.stores[RolloutViewsStore].rollouts(50)
        found = [rebuild for rollout in reversed(rollouts) for rebuild in rollout.rebuilds]
        return {rebuild.repository.partition("/")[2]: rebuild for rebuild in found}

    async def states(self) -> dict[str, RebuildState]:
        return {name: rebuild.state for name, rebuild in (await self.rebuilds()).items()}


def write_sections(config: Path, sections: Mapping[str, object]) -> None:
    """Puts sections into the settings, in the place of those that they had; of `github`, settings by their names,
    where None takes one out."""
    known = yaml.safe_load(config.read_text())
    more = {name: list(section) if isinstance(section, tuple) else section for name, section in sections.items()}
    if isinstance(github := more.get("github"), Mapping):
        more["github"] = {key: value for key, value in {**known["github"], **github}.items() if value is not None}
    config.write_text(yaml.safe_dump(known | more))


async def settled(
    world: World,
    folder: Path,
    store_url: str,
    exits: AsyncExitStack,
    *,
    policy: Sequence[dict[str, object]] = (),
    rollout: Mapping[str, object] | None = None,
    fleet: SampleFleet | None = None,
    github: Mapping[str, object] | None = None,
    clock: AheadClock | None = None,
    **sections: object,
) -> Stage:
    """A fleet, the sample one unless another is given, after its first pass; one that is built stays as it is.

    `policy`, `rollout` and `sections` are as in the settings, else all begins at once; `github` replaces settings
    of that name. Summaries are sent only where `schedule` says so, or else tests would depend on their weekday.
    """
    if fleet is None or not fleet.digests:
        fleet = fleet or SampleFleet(world)
        await fleet.build("10.0.0")
    clock = clock or AheadClock()
    config = world.config(folder, store_url)
    more = {"schedule": {"summary": None}, "policy": policy, "rollout": rollout, "github": github, **sections}
    write_sections(config, {name: section for name, section in more.items() if section})
    bot = await exits.enter_async_context(open_bot(load(config), clock))
    stage = Stage(fleet, bot, clock)
    outcomes = await stage.run_pass()
    assert [problem for outcome in outcomes.values() for problem in outcome.problems] == []
    return stage


async def settled_with_azure(
    world: World,
    folder: Path,
    store_url: str,
    exits: AsyncExitStack,
    fleet: PipelineFleet,
    *include: str,
    **sections: Any,
) -> Stage:
    """A fleet as `settled` has it, with the repositories in Azure Repos that are to be read; what is asked and
    answered there is held to the published description, where that is at hand."""
    azure = azure_devops_in(world, folder, *include)
    fleet.service.folder = SHARED / "azure-devops" if SHARED.is_dir() else None
    return await settled(world, folder, store_url, exits, fleet=fleet, azure_devops=azure, **sections)
