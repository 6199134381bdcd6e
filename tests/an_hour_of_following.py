"""1,000 open pull requests and 1,000 runs under way, followed for an hour; what GitHub is asked is counted."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import update

from bot.clients.forges.github.bulk import MOST_IDS, Bulk
from bot.clients.forges.github.connection.graphql import GraphAnswer, graphql_answer
from bot.clients.forges.github.following import Following
from bot.domain.backoff import look_together
from bot.domain.clock import ManualClock
from bot.domain.rollouts.rebuild import Action
from bot.fleet.follow import tick as stage
from bot.reconcile.loop import Loop
from bot.store.engine.database import open_database
from bot.store.rows.rollouts.tables import rebuilds
from tests.integration.store.filling import Stores

START = datetime(2026, 3, 10, 12, 0, 17, tzinfo=UTC)
EVERY = timedelta(minutes=5)
TICK = timedelta(seconds=10)
OPEN = {"url": "", "state": "OPEN", "mergeable": "MERGEABLE", "mergeCommit": None}


class Played:
    """GraphQL's `nodes`: refuses more than 100 ids to a field; everything stays open and under way."""

    def __init__(self) -> None:
        self.requests = 0
        self.looks = 0

    async def query(self, document: str, variables: Mapping[str, Any]) -> GraphAnswer:
        self.requests += 1
        if any(len(ids) > MOST_IDS for ids in variables.values()):
            wrong = {"type": "ARGUMENT_LIMIT", "message": "You may not provide more than 100 node ids"}
            return graphql_answer({"errors": [wrong]}, "github")
        self.looks += sum(map(len, variables.values()))
        return graphql_answer(
            {"data": {name: [_shown(node) for node in ids] for name, ids in variables.items()}}, "github"
        )


def _shown(node: str) -> dict[str, Any]:
    if node.startswith("PR_"):
        return {"id": node, "number": int(node.removeprefix("PR_")), **OPEN}
    return {"id": node, "status": "IN_PROGRESS", "conclusion": None}


async def an_hour_of_following(folder: Path, each: int = 1_000) -> tuple[int, float]:
    """The requests, and how many looks each pull request and run got on average."""
    clock = ManualClock(START)
    database = await open_database(f"sqlite:///{folder}/store.db")
    try:
        stores = Stores.of_worker(database, clock, "first")
        await stores.fill(repositories=2 * each)
        await stores.plan_all()
        await _follow_up(stores)
        played = Played()
        forge: Any = _Forge(Following(Bulk(played)))  # type: ignore[arg-type]
        options, loop = stage.FollowOptions(EVERY), Loop(clock)
        end = clock.now() + timedelta(hours=1)
        while clock.now() < end:
            await stage.tick(stores.follow, forge, forge, options, loop)
            clock.advance(TICK)
        return played.requests, played.looks / (2 * each)
    finally:
        await database.close()


class _Forge:
    def __init__(self, following: Following) -> None:
        self.follow_requests, self.follow_runs = following.requests, following.runs

    async def serving(self, repository: object) -> "_Forge":
        return self


async def _follow_up(stores: Stores) -> None:
    """Every second rebuild is an open pull request, the others are runs, begun in the course of five minutes."""
    async with stores.database.transaction() as connection:
        ids = list((await connection.execute(rebuilds.select())).mappings())
        for number, row in enumerate(ids):
            is_run = number % 2
            at = stores.clock.now() + timedelta(seconds=number % 300)
            await connection.execute(
                update(rebuilds)
                .where(rebuilds.c.id == row["id"])
                .values(
                    action=Action.DISPATCH.value if is_run else Action.PULL_REQUEST.value,
                    state="running" if is_run else "open",
                    node_id=f"CS_{number}" if is_run else f"PR_{number}",
                    run=number if is_run else None,
                    pull_request=None if is_run else number,
                    attempted_at=at,
                    due_at=look_together(at + EVERY, EVERY),
                )
            )
