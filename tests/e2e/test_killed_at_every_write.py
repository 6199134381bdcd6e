"""Killed at every write of the happy path and started again, the bot ends in the same state.

A small fleet of one pinned and one floating repository goes from a patch to its end: pull request and run, then
merge and conclusion. The path is walked once to count its writes, then once for each of them.
"""

import asyncio
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.domain.clock import SystemClock
from bot.store.engine.database import open_database
from bot.store.engine.queue import Worker
from bot.store.views import ViewsStore
from sandbox.fleet import SampleFleet
from sandbox.postgres import PostgresServer
from sandbox.world import World
from tests.e2e.killing import Ended, run_pass

AT_ONCE = 2
SHARES = 4
"""So that both workers have something to do until the end."""
WOKEN_AFTER = (timedelta(0), timedelta(minutes=70), timedelta(minutes=80))
"""At once, and later: a dispatch whose answer was lost is looked for within an hour before it is sent again."""


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


def one_feed(config: Path) -> Path:
    """Every feed is kept in the same way; one of them stands for all."""
    settings = yaml.safe_load(config.read_text())
    settings["feeds"] = {
        name: feed if name == "dotnet_releases" else False for name, feed in settings["feeds"].items()
    }
    config.write_text(yaml.safe_dump(settings))
    return config


async def walk(
    folder: Path, store_url: str, kill_at: int, patches: int = 1
) -> tuple[list[tuple[str, ...]], Outcome]:
    """The path with a kill at its `kill_at`-th write; the writes of each pass, and what it came to.

    Of several patches only the last is subject to the kill: it meets what those before it have left open.
    """
    async with World() as world:
        fleet = TwoRepositories(world)
        await fleet.build("10.0.0")
        config = one_feed(world.config(folder, store_url))
        points: list[tuple[str, ...]] = []

        async def one_pass() -> None:
            rest = kill_at - sum(map(len, points))
            ended = await asyncio.to_thread(run_pass, config, kill_at=rest if rest > 0 else 0)
            points.append(("",) * kill_at if ended.killed else ended.points)
            if ended.killed:
                await _recover(config)

        await asyncio.to_thread(run_pass, config)
        for patch in range(1, patches + 1):
            await fleet.publish_runtime(f"10.0.{patch}")
            fleet.announce(f"10.0.{patch}", security=True, cves=(f"CVE-2026-2121{patch}",))
            await (one_pass() if patch == patches else asyncio.to_thread(run_pass, config))
        for request in await world.github.pull_requests("payments-api"):
            await world.github.merge("payments-api", request["number"])
        for run in world.github.runs():
            world.github.finish_run(run.id)
        await one_pass()
        return points, await _outcome(world, store_url)


async def _recover(config: Path) -> None:
    """Started again at once, and woken again later, as a service is."""
    for ahead in WOKEN_AFTER:
        ended: Ended = await asyncio.to_thread(run_pass, config, ahead=ahead)
        assert ended.problems == ()


async def _outcome(world: World, store_url: str) -> Outcome:
    requests = await world.github.pull_requests("payments-api", state="all")
    runs = world.github.runs()
    messages = await world.slack.messages()
    database = await open_database(store_url)
    try:
        rollouts = await ViewsStore(database, Worker("reader"), SystemClock()).rollouts(10)
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


Places = Callable[[str], str]
"""A database's URL for the name of a walk."""


def is_request(point: str) -> bool:
    return "the commit of" not in point


def is_commit(point: str) -> bool:
    return not is_request(point)


def sampled(points: Sequence[str]) -> list[int]:
    """Every request that creates something, and one in nine of the rest."""
    return [at for at, point in enumerate(points, 1) if " POST " in point or at % 9 == 0]


@pytest.mark.kill
def test_the_end_is_the_same_after_a_kill_at_what_creates_something(
    tmp_path: Path, subtests: pytest.Subtests
) -> None:
    check(tmp_path, lambda name: f"sqlite:///{tmp_path}/{name}.db", subtests, sampled)


@pytest.mark.kill
@pytest.mark.long
@pytest.mark.parametrize("share", range(SHARES))
def test_on_sqlite_the_end_is_the_same_wherever_it_was_killed(
    tmp_path: Path, subtests: pytest.Subtests, share: int
) -> None:
    check(tmp_path, lambda name: f"sqlite:///{tmp_path}/{name}.db", subtests, one_share(share))


@pytest.mark.kill
@pytest.mark.long
@pytest.mark.parametrize("share", range(SHARES))
def test_the_end_is_the_same_wherever_the_update_of_an_open_pull_request_was_killed(
    tmp_path: Path, subtests: pytest.Subtests, share: int
) -> None:
    check(tmp_path, lambda name: f"sqlite:///{tmp_path}/{name}.db", subtests, one_share(share), patches=2)


@pytest.mark.kill
@pytest.mark.long
@pytest.mark.parametrize("share", range(SHARES))
def test_on_postgresql_the_end_is_the_same_whichever_commit_it_was_killed_at(
    tmp_path: Path, postgres: PostgresServer, subtests: pytest.Subtests, share: int
) -> None:
    check(tmp_path, lambda _: postgres.create_database(), subtests, one_share(share, is_commit))


def one_share(share: int, wanted: Callable[[str], bool] = lambda _: True) -> Callable[[Sequence[str]], list[int]]:
    """Every so many of the wanted points, so that all shares together take each of them once."""

    def chosen(points: Sequence[str]) -> list[int]:
        return [at for at, point in enumerate(points, 1) if wanted(point)][share::SHARES]

    return chosen


def check(
    tmp_path: Path,
    store_url: Places,
    subtests: pytest.Subtests,
    chosen: Callable[[Sequence[str]], list[int]],
    patches: int = 1,
) -> None:
    """Walks once for the names of the writes, then once for each chosen one, a subtest of that name."""

    def folder(name: str) -> Path:
        own = tmp_path / name
        own.mkdir()
        return own

    async def all_walks() -> tuple[list[str], Outcome, dict[int, Outcome]]:
        passes, wanted = await walk(folder("whole"), store_url("whole"), 0, patches)
        # The second pass, which follows what the first began to its end, is the same on every path.
        points = [point for names in (passes if patches == 1 else passes[:1]) for point in names]
        together = asyncio.Semaphore(AT_ONCE)
        ends: dict[int, Outcome] = {}

        async def one(kill_at: int) -> None:
            async with together:
                name = f"killed-{kill_at}"
                _, ends[kill_at] = await walk(folder(name), store_url(name), kill_at, patches)

        await asyncio.gather(*(one(kill_at) for kill_at in chosen(points)))
        return points, wanted, ends

    points, wanted, ends = asyncio.run(all_walks())
    _check_happy(wanted, patches)
    assert len(points) > 40
    assert ends
    for kill_at, end in sorted(ends.items()):
        with subtests.test(points[kill_at - 1], kill_at=kill_at):
            assert _comparable(end) == _comparable(wanted)


def _check_happy(outcome: Outcome, patches: int) -> None:
    """One pull request however many patches, and the build of its merge; a run and a message for each."""
    assert len(outcome.pull_requests) == 1
    dispatched = (("contoso/catalog-web", "success"),) * patches
    assert outcome.runs == (*dispatched, ("contoso/payments-api", "success"))
    assert len(outcome.messages) == patches
    states = [state for _, state in outcome.rebuilds]
    assert (states.count("succeeded"), states.count("superseded")) == (2, 2 * (patches - 1))


def _comparable(outcome: Outcome) -> Outcome:
    """The registry's port differs from world to world."""
    return replace(outcome, dockerfile=re.sub(r"localhost:\d+", "registry", outcome.dockerfile))
