"""Killed at every write of the happy path and started again, the bot ends in the same state.

A small fleet of one pinned and one floating repository goes from a patch to its end: pull request and run, then
merge and conclusion. The path is walked once to count its writes, then once for each of them.
"""

import asyncio
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from bot.domain.clock import SystemClock
from bot.sandbox.fleet import SampleFleet
from bot.sandbox.postgres import PostgresServer
from bot.sandbox.world import World
from bot.store.database import open_database
from bot.store.queue import Worker
from bot.store.rollouts import RolloutStore
from tests.e2e.killing import Ended, run_pass

AT_ONCE = 3
LATER = timedelta(minutes=5)
"""Enough for a dispatch whose answer was lost to be looked for again, and for rests after failures."""


class TwoRepositories(SampleFleet):
    def repositories(self, version: str) -> Any:
        names = ("payments-api", "catalog-web")
        return {name: files for name, files in super().repositories(version).items() if name in names}


@dataclass(frozen=True, slots=True)
class Outcome:
    """Everything outside that the bot could have done twice or not at all."""

    pull_requests: tuple[tuple[str, str, str], ...]
    dockerfile: str
    runs: tuple[tuple[str, str], ...]
    messages: tuple[str, ...]
    rebuilds: tuple[tuple[str, str], ...]


async def walk(folder: Path, store_url: str, kill_at: int) -> tuple[list[int], Outcome]:
    """The path with a kill at its `kill_at`-th write; the writes of each pass, and what it came to."""
    async with World() as world:
        fleet = TwoRepositories(world)
        await fleet.build("10.0.0")
        config = world.config(folder, store_url)
        points: list[int] = []

        async def one_pass() -> None:
            rest = kill_at - sum(points)
            ended = await asyncio.to_thread(run_pass, config, kill_at=rest if rest > 0 else 0)
            points.append(ended.points)
            if ended.killed:
                await _recover(config)

        await asyncio.to_thread(run_pass, config)
        await fleet.publish_runtime("10.0.1")
        fleet.announce("10.0.1", security=True, cves=("CVE-2026-21218",))
        await one_pass()
        for request in await world.github.pull_requests("payments-api"):
            await world.github.merge("payments-api", request["number"])
        for run in world.github.runs():
            world.github.finish_run(run.id)
        await one_pass()
        return points, await _outcome(world, store_url)


async def _recover(config: Path) -> None:
    """Started again at once, and woken again later, as a service is."""
    for ahead in (timedelta(0), LATER):
        ended: Ended = await asyncio.to_thread(run_pass, config, ahead=ahead)
        assert ended.problems == ()


async def _outcome(world: World, store_url: str) -> Outcome:
    requests = await world.github.pull_requests("payments-api", state="all")
    runs = world.github.runs()
    messages = await world.slack.messages()
    database = await open_database(store_url)
    try:
        rollouts = await RolloutStore(database, Worker("reader"), SystemClock()).rollouts(10)
    finally:
        await database.close()
    return Outcome(
        tuple((request["title"], request["state"], request["head"]["ref"]) for request in requests),
        await world.github.read("payments-api", "Dockerfile"),
        tuple((run.workflow.repository, str(run.conclusion)) for run in runs),
        tuple(_without_place(message["text"]) for message in messages),
        tuple((item.repository, str(item.state)) for rollout in rollouts for item in rollout.rebuilds),
    )


def _without_place(text: str) -> str:
    return text.split("localhost")[0]


def test_on_sqlite_the_end_is_the_same_wherever_it_was_killed(tmp_path: Path) -> None:
    check_every_write(tmp_path, lambda name: f"sqlite:///{tmp_path}/{name}.db")


def test_on_postgresql_the_end_is_the_same_wherever_it_was_killed(tmp_path: Path, postgres: PostgresServer) -> None:
    check_every_write(tmp_path, lambda _: postgres.create_database())


def check_every_write(tmp_path: Path, store_url: Callable[[str], str]) -> None:
    def folder(name: str) -> Path:
        own = tmp_path / name
        own.mkdir()
        return own

    async def all_walks() -> tuple[int, Outcome, dict[int, Outcome]]:
        points, wanted = await walk(folder("whole"), store_url("whole"), 0)
        together = asyncio.Semaphore(AT_ONCE)
        different: dict[int, Outcome] = {}

        async def one(kill_at: int) -> None:
            async with together:
                name = f"killed-{kill_at}"
                _, found = await walk(folder(name), store_url(name), kill_at)
            if _comparable(found) != _comparable(wanted):
                different[kill_at] = found

        await asyncio.gather(*(one(kill_at) for kill_at in range(1, sum(points) + 1)))
        return sum(points), wanted, different

    points, wanted, different = asyncio.run(all_walks())
    _check_happy(wanted)
    assert points > 40
    assert different == {}


def _check_happy(outcome: Outcome) -> None:
    assert len(outcome.pull_requests) == 1
    assert outcome.runs == (("contoso/catalog-web", "success"),)
    assert len(outcome.messages) == 1
    assert {state for _, state in outcome.rebuilds} == {"succeeded"}


def _comparable(outcome: Outcome) -> Outcome:
    """The registry's port differs from world to world."""
    return replace(outcome, dockerfile=re.sub(r"localhost:\d+", "registry", outcome.dockerfile))
