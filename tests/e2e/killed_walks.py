"""Walks of a small fleet from a patch to its end, with a kill at one write, and what each came to.

A scenario is walked once to count its writes, then once for each of those that a test chooses. A kill after a write
and one before the next leave the same behind, so that one of the two stands for both.
"""

import asyncio
import re
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.domain.clock import SystemClock
from bot.store.engine.database import open_database
from bot.store.engine.queue.claiming import Worker
from bot.store.views.rollouts import RolloutViewsStore
from sandbox.fleets.fleet import SampleFleet
from sandbox.world import World
from tests.e2e.killing import run_passes
from tests.e2e.staging import AheadClock
from tests.migrated import new_sqlite

AT_ONCE = 2
KILLED = "killed"
"""Stands for the writes of a pass that was killed, which cannot tell them."""
SHARES = 4
"""So that both workers have something to do until the end."""
WOKEN_AFTER = (timedelta(0), timedelta(minutes=70), timedelta(minutes=80))
"""At once, and later: a dispatch whose answer was lost is looked for within an hour before it is sent again."""

Pass = Callable[[], Awaitable[None]]
Places = Callable[[str], str]
"""A database's URL for the name of a walk."""


class TwoRepositories(SampleFleet):
    """One that is pinned and builds on push, and one that floats and is rebuilt by a workflow."""

    def repositories(self, version: str) -> Any:
        names = ("payments-api", "catalog-web")
        return {name: files for name, files in super().repositories(version).items() if name in names}


class Scenario(ABC):
    """`settings` come on top of the sandbox's; `counted` are the passes whose writes are gone through, None for
    all; `least` is how many writes there are at least. All clocks are so much `later` from the first pass on that
    may be killed."""

    settings: Mapping[str, object]
    counted: int | None
    least: int
    later: timedelta = timedelta(0)

    def fleet(self, world: World) -> SampleFleet:
        """Whose repositories are looked after."""
        return TwoRepositories(world)

    @abstractmethod
    async def play(self, world: World, fleet: SampleFleet, one_pass: Pass, whole_pass: Pass) -> None:
        """What happens, with the bot's passes in between; a `whole_pass` is never killed."""

    @abstractmethod
    def check(self, outcome: "Outcome") -> None:
        """That the walk without a kill came to what it should."""

    def check_killed(self, outcome: "Outcome", wanted: "Outcome") -> None:
        """That a walk with a kill came to the same."""
        assert _comparable(outcome) == _comparable(wanted)


def finish(world: World, name: str, conclusion: str = "success") -> None:
    """Every run of a repository that has not ended."""
    for run in world.github.runs(name):
        if run.conclusion is None:
            world.github.finish_run(run.id, conclusion)


async def patch(fleet: SampleFleet, number: int) -> None:
    await fleet.publish_runtime(f"10.0.{number}")
    fleet.announce(f"10.0.{number}", security=True, cves=(f"CVE-2026-2121{number}",))


@dataclass(frozen=True, slots=True)
class Outcome:
    """Everything outside that the bot could have done twice or not at all. `times` are those at which each of the
    `runs` began and ended."""

    pull_requests: tuple[tuple[str, str, str, bool], ...]
    dockerfile: str
    runs: tuple[tuple[str, str, str], ...]
    issues: tuple[tuple[str, str], ...]
    messages: tuple[str, ...]
    rebuilds: tuple[tuple[str, str], ...]
    branches: tuple[str, ...]
    times: tuple[tuple[datetime, datetime], ...] = field(compare=False)


def one_feed(config: Path, more: Mapping[str, object]) -> Path:
    """Every feed is kept in the same way; one of them stands for all. No summary falls due on any day."""
    settings = yaml.safe_load(config.read_text()) | {"schedule": {"summary": None}}
    settings["feeds"] = {
        name: feed if name == "dotnet_releases" else False for name, feed in settings["feeds"].items()
    }
    config.write_text(yaml.safe_dump(settings | dict(more)))
    return config


async def walk(
    scenario: Scenario, folder: Path, store_url: str, kill_at: int
) -> tuple[list[tuple[str, ...]], Outcome]:
    """The scenario with a kill at its `kill_at`-th write; the writes of each pass, and what it came to."""
    clock = AheadClock()
    async with World(clock=clock) as world:
        fleet = scenario.fleet(world)
        await fleet.build("10.0.0")
        config = one_feed(world.config(folder, store_url), scenario.settings)
        points: list[tuple[str, ...]] = []

        async def one_pass() -> None:
            clock.ahead = scenario.later
            rest = kill_at - sum(map(len, points))
            kill_after = rest if rest > 0 else 0
            ended = await asyncio.to_thread(run_passes, config, kill_at=kill_after, ahead=(scenario.later,))
            points.append((KILLED,) * kill_at if ended.killed else ended.points)
            if ended.killed:
                await _recover(config, scenario.later)

        async def whole_pass() -> None:
            await asyncio.to_thread(run_passes, config)

        await whole_pass()
        await scenario.play(world, fleet, one_pass, whole_pass)
        return points, await _outcome(world, store_url, fleet.repositories("10.0.0").keys())


async def _recover(config: Path, later: timedelta) -> None:
    """Started again at once, and woken again later, as a service is."""
    ended = await asyncio.to_thread(run_passes, config, ahead=[later + rest for rest in WOKEN_AFTER])
    assert ended.problems == ()


async def _outcome(world: World, store_url: str, names: Collection[str]) -> Outcome:
    """Of the sample fleet's two, one has pull requests and the other the issue."""
    is_sample = "payments-api" in names
    requests = await world.github.pull_requests("payments-api", state="all") if is_sample else []
    listed = await world.github.ask("GET", "/repos/contoso/catalog-web/issues?state=all") if is_sample else []
    messages = await world.slack.messages()
    database = await open_database(store_url)
    try:
        rollouts = await RolloutViewsStore(database, Worker("reader"), SystemClock()).rollouts(10)
    finally:
        await database.close()
    return Outcome(
        tuple(
            (request["title"], request["state"], request["head"]["ref"], request["merged_at"] is not None)
            for request in requests
        ),
        await world.github.read("payments-api", "Dockerfile") if is_sample else "",
        tuple((run.workflow.repository, run.workflow.path, str(run.conclusion)) for run in world.github.runs()),
        tuple((issue["title"], issue["state"]) for issue in listed if "pull_request" not in issue),
        tuple(_without_place(message["text"]) for message in messages),
        tuple((item.repository, str(item.state)) for rollout in rollouts for item in rollout.rebuilds),
        tuple(sorted(await world.github.branches("payments-api"))) if is_sample else (),
        tuple((run.created_at, run.updated_at) for run in world.github.runs()),
    )


def _without_place(text: str) -> str:
    return text.split("localhost")[0]


def is_request(point: str) -> bool:
    return "the commit of" not in point


def is_commit(point: str) -> bool:
    return not is_request(point)


def is_about_rebuilds(point: str) -> bool:
    """Whether the write keeps rebuilds or goes out: what is kept of bases, images and layers is kept alike on every
    way."""
    return is_request(point) or any(table in point for table in ("rebuilds", "transitions"))


@dataclass(frozen=True, slots=True)
class Point:
    """A write, before or after which the process is killed: the `at`-th of its walk, in one of its passes."""

    in_pass: int
    at: int
    name: str

    def leaves_what_is_left_by(self, following: "Point") -> bool:
        """Nothing is kept between the end of a write and the begin of the next."""
        is_next = (self.in_pass, self.at + 1) == (following.in_pass, following.at)
        return is_next and self.name.startswith("after") and following.name.startswith("before")


Choice = Callable[[Sequence[Point]], Sequence[Point]]


def in_sqlite(folder: Path) -> Places:
    """A database of SQLite for each walk, in this folder."""
    return lambda name: new_sqlite(folder / f"{name}.db")


def points_of(passes: Sequence[Sequence[str]]) -> list[Point]:
    names = [(in_pass, name) for in_pass, some in enumerate(passes) for name in some]
    return [Point(in_pass, at, name) for at, (in_pass, name) in enumerate(names, 1)]


def told_apart(points: Sequence[Point]) -> list[Point]:
    """Of points after which the same is left, the last."""
    pairs = zip(points, [*points[1:], None], strict=True)
    return [point for point, following in pairs if following is None or not point.leaves_what_is_left_by(following)]


def sampled(points: Sequence[Point]) -> Sequence[Point]:
    """Every request that creates something, and one in forty of the rest."""
    creating = [point for point in points if " POST " in point.name]
    rest = [point for point in points if " POST " not in point.name]
    return told_apart(creating) + told_apart(rest)[::40]


def spread(most: int) -> Choice:
    """So many points, all over the way."""

    def chosen(points: Sequence[Point]) -> Sequence[Point]:
        apart = told_apart(points)
        return [apart[place * len(apart) // most] for place in range(most)]

    return chosen


def one_share(share: int, wanted: Callable[[str], bool] = lambda _: True) -> Choice:
    """Every so many of the wanted points, so that all shares together take each of them once."""

    def chosen(points: Sequence[Point]) -> Sequence[Point]:
        return told_apart([point for point in points if wanted(point.name)])[share::SHARES]

    return chosen


def check(
    scenario: Scenario,
    folder: Path,
    store_url: Places,
    subtests: pytest.Subtests,
    chosen: Choice,
) -> None:
    """Walks once for the names of the writes, then once for each chosen one, a subtest of that name."""

    def own(name: str) -> Path:
        made = folder / name
        made.mkdir()
        return made

    async def all_walks() -> tuple[list[Point], Outcome, dict[Point, Outcome]]:
        passes, wanted = await walk(scenario, own("whole"), store_url("whole"), 0)
        points = points_of(passes[: scenario.counted])
        together = asyncio.Semaphore(AT_ONCE)
        ends: dict[Point, Outcome] = {}

        async def one(point: Point) -> None:
            async with together:
                name = f"killed-{point.at}"
                passes, ends[point] = await walk(scenario, own(name), store_url(name), point.at)
                if not any(KILLED in some for some in passes):
                    unharmed.append(point)

        await asyncio.gather(*map(one, chosen(points)))
        return points, wanted, ends

    unharmed: list[Point] = []
    points, wanted, ends = asyncio.run(all_walks())
    scenario.check(wanted)
    assert len(points) > scenario.least
    assert ends
    assert len(unharmed) <= max(1, len(ends) // 10), f"walks that took fewer writes were not killed: {unharmed}"
    for point, end in ends.items():
        with subtests.test(point.name, kill_at=point.at):
            scenario.check_killed(end, wanted)


def _comparable(outcome: Outcome) -> Outcome:
    """The registry's port differs from world to world."""
    return replace(outcome, dockerfile=re.sub(r"localhost:\d+", "registry", outcome.dockerfile))
