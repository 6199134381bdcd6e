"""Walks of a small fleet from a patch to its end, with a kill at one write, and what each came to.

A scenario is walked once to name its writes, then again for each of those that a test chooses, with the kill there.
All ways to a kill are the same up to the pass that is killed: the first walk keeps the world as it is before each
pass, and each later one goes on from there.
"""

import asyncio
import shutil
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import Enum, auto
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
import yaml

from sandbox.fleets.fleet import SampleFleet
from sandbox.world import World
from tests.e2e.kill_points import Choice, Point, points_of
from tests.e2e.killing import Ended, KillAt, run_passes
from tests.e2e.outcome import Outcome, comparable, outcome_of
from tests.e2e.staging import AheadClock
from tests.migrated import new_sqlite

AT_ONCE = 2
"""Each in a world of its own."""
WOKEN_AFTER = (timedelta(0), timedelta(minutes=70), timedelta(minutes=80))
"""At once, and later: a dispatch whose answer was lost is looked for within an hour before it is sent again."""

Act = Callable[[World, SampleFleet], Awaitable[object]]
"""What happens outside. It knows the world and its fleet, and nothing of what happened before."""
Databases = Callable[[str, str | None], str]
"""The URL of a new database for the name of a walk: a copy of the one at that URL, or else with nothing in it."""


class Pass(Enum):
    """A pass of the bot, in a process of its own."""

    MAY_BE_KILLED = auto()
    WHOLE = auto()


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

    def settings_in(self, world: World, folder: Path) -> Mapping[str, object]:
        """The settings of a bot that has this folder for its files."""
        return self.settings

    @abstractmethod
    def way(self) -> Iterator[Act | Pass]:
        """What happens in turn, with the bot's passes in between."""

    @abstractmethod
    def check(self, outcome: Outcome) -> None:
        """That the walk without a kill came to what it should."""

    def check_killed(self, outcome: Outcome, wanted: Outcome) -> None:
        """That a walk with a kill came to the same."""
        assert comparable(outcome) == comparable(wanted)


def finishing(name: str, conclusion: str = "success") -> Act:
    """Every run of a repository that has not ended does."""

    async def act(world: World, _: SampleFleet) -> None:
        for run in world.github.runs(name):
            if run.conclusion is None:
                world.github.finish_run(run.id, conclusion)

    return act


def patching(number: int) -> Act:
    """The runtime moves to that patch, which is announced."""

    async def act(_: World, fleet: SampleFleet) -> None:
        await fleet.publish_runtime(f"10.0.{number}")
        fleet.announce(f"10.0.{number}", security=True, cves=(f"CVE-2026-2121{number}",))

    return act


def one_feed(config: Path, more: Mapping[str, object]) -> Path:
    """Every feed is kept in the same way; one of them stands for all. No summary falls due on any day."""
    settings = yaml.safe_load(config.read_text()) | {"schedule": {"summary": None}}
    settings["feeds"] = {
        name: feed if name == "dotnet_releases" else False for name, feed in settings["feeds"].items()
    }
    config.write_text(yaml.safe_dump(settings | dict(more)))
    return config


def in_sqlite(folder: Path) -> Databases:
    """A database of SQLite for each walk, in this folder."""

    def database(name: str, source: str | None) -> str:
        path = folder / f"{name}.db"
        if source is None:
            return new_sqlite(path)
        for end in ("", "-wal"):
            with suppress(FileNotFoundError):
                shutil.copy(source.removeprefix("sqlite:///") + end, f"{path}{end}")
        return f"sqlite:///{path}"

    return database


@dataclass(frozen=True, slots=True)
class _Walk:
    """A scenario being played in one world, from `done` of its way on."""

    scenario: Scenario
    world: World
    fleet: SampleFleet
    clock: AheadClock
    store_url: str
    config: Path
    done: int = 0

    @property
    def rest(self) -> Iterator[tuple[int, Act | Pass]]:
        """What is still to come, with the number of what is done before it."""
        return islice(enumerate(self.scenario.way()), self.done, None)

    async def go(self, step: Act | Pass) -> None:
        """What happens, or a pass that is not killed."""
        if isinstance(step, Pass):
            await asyncio.to_thread(run_passes, self.config)
        else:
            await step(self.world, self.fleet)

    async def make_pass(self, kill_at: KillAt | None = None) -> Ended:
        self.clock.ahead = self.scenario.later
        return await asyncio.to_thread(run_passes, self.config, kill_at=kill_at, ahead=(self.scenario.later,))

    async def recover(self) -> None:
        """Started again at once, and woken again later, as a service is."""
        ahead = [self.scenario.later + rest for rest in WOKEN_AFTER]
        ended = await asyncio.to_thread(run_passes, self.config, ahead=ahead)
        assert ended.problems == ()

    async def outcome(self) -> Outcome:
        names = self.fleet.repositories("10.0.0").keys()
        return await outcome_of(self.world, self.store_url, names)


@dataclass(frozen=True, slots=True)
class _Kept:
    """A walk as it was before a pass, with its world and database put down in `folder`, to be gone on with."""

    walk: _Walk
    folder: Path


@dataclass(frozen=True, slots=True)
class _Whole:
    """A walk without a kill: the writes of each pass that may be killed, the walk before each, and the end."""

    writes: Sequence[tuple[str, ...]]
    before: Sequence[_Kept]
    outcome: Outcome

    def give_back(self) -> None:
        """The ports of its world, in which all go on that were kept."""
        self.before[0].walk.world.give_back()


@dataclass(frozen=True, slots=True)
class _Walks:
    """All walks of one scenario; `folder` has one for each."""

    scenario: Scenario
    folder: Path
    databases: Databases

    async def whole(self, name: str) -> _Whole:
        clock, store_url = AheadClock(), self.databases(name, None)
        writes: list[tuple[str, ...]] = []
        before: list[_Kept] = []
        async with World(clock=clock) as world:
            fleet = self.scenario.fleet(world)
            await fleet.build("10.0.0")
            walk = _Walk(self.scenario, world, fleet, clock, store_url, self._config(world, name, store_url))
            await walk.go(Pass.WHOLE)
            for done, step in walk.rest:
                if step is Pass.MAY_BE_KILLED:
                    before.append(await self._keep(replace(walk, done=done), f"{name}-{done}"))
                    writes.append((await walk.make_pass()).points)
                else:
                    await walk.go(step)
            return _Whole(writes, before, await walk.outcome())

    async def killed(self, kept: _Kept, kill_at: KillAt, name: str) -> tuple[bool, Outcome]:
        """Whether the process came to that write, counted from there on, and what the walk came to."""
        store_url = self.databases(name, kept.walk.store_url)
        was_killed = False
        beside = kept.walk.fleet, kept.walk.clock
        async with kept.walk.world.going_on(kept.folder, beside) as (world, (fleet, clock)):
            config = self._config(world, name, store_url)
            walk = _Walk(self.scenario, world, fleet, clock, store_url, config, kept.walk.done)
            for _, step in walk.rest:
                if step is not Pass.MAY_BE_KILLED:
                    await walk.go(step)
                    continue
                ended = await walk.make_pass(None if was_killed else kill_at)
                if ended.killed:
                    was_killed = True
                    await walk.recover()
                kill_at = replace(kill_at, nth=kill_at.nth - ended.points.count(kill_at.name))
            return was_killed, await walk.outcome()

    async def _keep(self, walk: _Walk, name: str) -> _Kept:
        folder = self.folder / name
        folder.mkdir()
        store_url = self.databases(name, walk.store_url)
        world, (fleet, clock) = await walk.world.keep(folder, (walk.fleet, walk.clock))
        return _Kept(replace(walk, world=world, fleet=fleet, clock=clock, store_url=store_url), folder)

    def _config(self, world: World, name: str, store_url: str) -> Path:
        folder = self.folder / f"{name}-bot"
        folder.mkdir()
        return one_feed(world.config(folder, store_url), self.scenario.settings_in(world, folder))


def check(
    scenario: Scenario,
    folder: Path,
    databases: Databases,
    subtests: pytest.Subtests,
    chosen: Choice,
) -> None:
    """Walks for the names of the writes, then once for each chosen one, a subtest of that name."""
    walks = _Walks(scenario, folder, databases)
    ends: dict[Point, Outcome] = {}
    not_killed: list[Point] = []

    async def all_walks() -> tuple[list[Point], list[Outcome]]:
        wholes = await asyncio.gather(*(walks.whole(f"whole-{number}") for number in range(AT_ONCE)))
        points = points_of(wholes[0].writes[: scenario.counted])
        waiting = deque(chosen(points))

        async def kill_from(whole: _Whole) -> None:
            while waiting:
                point = waiting.popleft()
                name = f"killed-{point.in_pass}-{point.at}"
                was_killed, ends[point] = await walks.killed(whole.before[point.in_pass], point.kill_at, name)
                if not was_killed:
                    not_killed.append(point)

        try:
            await asyncio.gather(*map(kill_from, wholes))
        finally:
            for whole in wholes:
                whole.give_back()
        return points, [whole.outcome for whole in wholes]

    points, outcomes = asyncio.run(all_walks())
    for outcome in outcomes:
        scenario.check(outcome)
    assert len(points) > scenario.least
    assert ends
    assert len(not_killed) <= max(1, len(ends) // 10), f"walks that did not come to their kill: {not_killed}"
    for point, end in ends.items():
        with subtests.test(point.name, in_pass=point.in_pass, kill_at=point.at):
            scenario.check_killed(end, outcomes[0])
