"""What GitHub lets one account write is not exceeded, whoever works, and what waits for its turn is told."""

from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path

from bot.domain.rollouts.rebuild import RebuildState
from sandbox.world import World
from tests.e2e.staging import Stage, settled

PINNED = ("payments-api", "orders-api")
MORE = "search-worker"


async def opened(stage: Stage) -> list[str]:
    return [name for name in (*PINNED, MORE) if await stage.world.github.pull_requests(name)]


async def test_pull_requests_beyond_the_hours_budget_wait_for_the_next(
    world: World, tmp_path: Path, store_url: str
) -> None:
    world.github.edge.limits.secondary = True
    async with AsyncExitStack() as exits:
        limits = {"content_per_hour": 2, "content_per_minute": 2}
        stage = await settled(world, tmp_path, store_url, exits, limits=limits)
        await stage.fleet.publish_runtime("10.0.1")
        await stage.run_pass()

        assert len(await opened(stage)) == 2
        assert sorted((await stage.states()).values()).count(RebuildState.PLANNED) == 1
        assert len(world.github.runs("catalog-web")) == 1  # a run is no content
        stage.clock.ahead += timedelta(minutes=30)
        await stage.run_pass()
        assert len(await opened(stage)) == 2
        stage.clock.ahead += timedelta(minutes=35)
        await stage.run_pass()
        assert len(await opened(stage)) == 3
        assert world.github.edge.limits.broken == []


async def test_a_share_of_the_reads_is_left_to_others(world: World, tmp_path: Path, store_url: str) -> None:
    """Once only that share of the hour's limit is left, GitHub is asked nothing until the hour is over."""
    async with AsyncExitStack() as exits:
        stage = await settled(world, tmp_path, store_url, exits, limits={"read_reserve": "20%"})
        account = world.github.token
        world.github.edge.limits.graphql = world.github.edge.limits.rate(account, "graphql")["used"] * 2
        await stage.fleet.publish_runtime("10.0.1")
        for _ in range(6):
            await stage.run_pass()

        assert world.traffic.requests("github", "POST", "/graphql") == []
        left = world.github.edge.limits.rate(account, "graphql")
        assert 0 < left["remaining"] <= 0.2 * left["limit"]
        world.github.edge.limits.graphql = 5000
        stage.clock.ahead += timedelta(hours=1, minutes=5)
        await stage.run_pass()
        assert world.traffic.requests("github", "POST", "/graphql") != []
