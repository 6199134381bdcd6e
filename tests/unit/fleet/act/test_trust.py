"""Nothing begins on a base that is not signed as required; what is open already is not judged again."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

import pytest

from bot.domain.reference import Base
from bot.domain.rollouts.rebuild import Action, RebuildState, Target
from bot.fleet.act import tick as stage
from tests.unit.fleet.act.world import ASPNET, NOON, WEEKLY, World, change, digest, member, rebuild, refresh

SDK = Base("mcr.microsoft.com", "dotnet/sdk", "10.0")
UNSIGNED = "dotnet/sdk:10.0 is not signed by Microsoft"


@dataclass(slots=True)
class Gate:
    """Doubts some bases; `asked` are the digests that it was asked of, and since when they are shown."""

    doubts: Mapping[Base, str] = field(default_factory=dict)
    asked: list[tuple[Base, str, datetime]] = field(default_factory=list)

    async def doubt(self, base: Base, digest: str, since: datetime) -> str | None:
        self.asked.append((base, digest, since))
        return self.doubts.get(base)


async def tick(world: World, gate: Gate) -> None:
    await stage.tick(
        world.store, world.forge, world.forge, world.registry, refresh, world.options, world.loop, gate
    )


@pytest.mark.parametrize("action", [Action.PULL_REQUEST, Action.DISPATCH])
async def test_a_rebuild_waits_while_one_of_its_bases_is_doubted(world: World, action: Action) -> None:
    targets = (*rebuild().targets, Target(SDK, digest("a"), digest("b"), (2,)))
    world.add(rebuild(action, targets=targets), member(WEEKLY))
    await tick(world, Gate({SDK: UNSIGNED}))
    after = world.store[1]
    assert (after.state, after.reason) == (RebuildState.WAITING, UNSIGNED)
    assert after.due_at == NOON + world.options.follow_every
    assert world.forge.calls == []


async def test_a_digest_is_judged_by_when_its_base_came_to_show_it(world: World) -> None:
    gate, planned_at = Gate(), NOON.replace(hour=11)
    targets = (*rebuild().targets, Target(SDK, digest("a"), digest("b"), (2,)))
    shown = replace(change(), at=NOON.replace(hour=9))
    world.add(rebuild(targets=targets, planned_at=planned_at), None, shown)
    await tick(world, gate)
    assert gate.asked == [(ASPNET, digest("b"), shown.at), (SDK, digest("b"), planned_at)]


async def test_an_open_pull_request_gets_its_new_text_though_the_base_is_doubted_by_now(world: World) -> None:
    world.add(rebuild())
    await tick(world, Gate())
    gate = Gate({ASPNET: UNSIGNED})
    world.store.alter(1, rebuild=replace(world.store[1], facts_version=1), changes=(change(cves=("CVE-2026-1",)),))
    world.clock.advance(world.options.follow_every)
    await tick(world, gate)
    assert (world.store[1].state, world.store[1].text_version, gate.asked) == (RebuildState.OPEN, 1, [])
