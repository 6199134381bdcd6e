"""Where many tests begin: a world, a fleet and its bot up to some moment, made once and copied for each test.

To settle a world costs more than most of what a test then does with it. Each test has a world of its own all the
same: what one does to its copy no other sees, in whichever order they run.
"""

import shutil
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from bot.service.wiring.container import open_bot
from bot.settings import load
from sandbox.fleets.fleet import SampleFleet
from sandbox.programs.emulator import ORGANISATION
from sandbox.programs.parts import MissingPart
from sandbox.world import World
from tests.e2e.staging import AheadClock, Stage
from tests.migrated import new_sqlite

MADE_ANEW_AFTER = 240.0
"""Seconds: no test begins much later than it would with a world of its own."""

Make = Callable[[World, Path, str, AsyncExitStack], Awaitable[Stage]]
Go = Callable[[Stage], Awaitable[object]]
Begun = Callable[[Path, AsyncExitStack], AbstractAsyncContextManager[Stage]]


@dataclass(frozen=True, slots=True)
class _Kept:
    """What is copied: the world and its fleet, how far the clock is ahead, and a folder with the files of all."""

    world: World
    fleet: SampleFleet
    ahead: timedelta
    folder: Path
    made_at: float

    @property
    def is_fresh(self) -> bool:
        return time.monotonic() - self.made_at < MADE_ANEW_AFTER

    @property
    def bots_folder(self) -> Path:
        return _bots_folder(self.folder)

    def configured(self, folder: Path) -> Path:
        """The bot's files copied to `folder`, and its settings there, which name no others."""
        shutil.copytree(self.bots_folder, folder, dirs_exist_ok=True)
        config = folder / "freshness.yaml"
        config.write_text(config.read_text().replace(str(self.bots_folder), str(folder)))
        return config


class Beginning:
    def __init__(self, begun: Begun) -> None:
        """`begun` brings a stage about, with the bot's files in a folder, and leaves the bot to be closed."""
        self._begun = begun
        self._kept: _Kept | None = None

    def then(self, go: Go) -> "Beginning":
        """What begins here and goes on a bit further."""

        @asynccontextmanager
        async def begun(folder: Path, exits: AsyncExitStack) -> AsyncIterator[Stage]:
            async with self._copied(folder, exits) as stage:
                await go(stage)
                yield stage

        return Beginning(begun)

    @asynccontextmanager
    async def stage(self, folder: Path) -> AsyncIterator[Stage]:
        """A copy for one test, with the bot's files in `folder`. Nothing may go against GitHub's descriptions."""
        exits = AsyncExitStack()
        async with self._copied(folder, exits) as stage:
            try:
                yield stage
            finally:
                await exits.aclose()
            assert stage.world.traffic.violations == []

    @asynccontextmanager
    async def _copied(self, folder: Path, exits: AsyncExitStack) -> AsyncIterator[Stage]:
        if self._kept is None or not self._kept.is_fresh:
            self._kept = await self._made()
        kept = self._kept
        async with kept.world.going_on(kept.folder, kept.fleet) as (_, fleet):
            clock = AheadClock(kept.ahead)
            bot = await exits.enter_async_context(open_bot(load(kept.configured(folder)), clock))
            yield Stage(fleet, bot, clock)

    async def _made(self) -> _Kept:
        folder = Path(tempfile.mkdtemp(prefix="freshness-beginning-"))
        _folders.append(folder)
        _bots_folder(folder).mkdir()
        async with AsyncExitStack() as exits, self._begun(_bots_folder(folder), exits) as stage:
            await exits.aclose()  # the database is whole once the bot has let it go
            world, fleet = await stage.world.keep(folder, stage.fleet)
        _worlds.append(world)
        return _Kept(world, fleet, stage.clock.ahead, folder, time.monotonic())


def beginning(make: Make, organisations: Sequence[str] = (ORGANISATION,)) -> Beginning:
    """Where `make` leads to in a new world: it gets the world, a folder, the URL of a new database, and where to
    leave what must be closed."""

    @asynccontextmanager
    async def begun(folder: Path, exits: AsyncExitStack) -> AsyncIterator[Stage]:
        try:
            world = await World(validate=True, organisations=organisations).__aenter__()
        except MissingPart as missing:
            pytest.skip(str(missing))
        try:
            yield await make(world, folder, new_sqlite(folder / "freshness.db"), exits)
        finally:
            await world.__aexit__()

    return Beginning(begun)


_folders: list[Path] = []
_worlds: list[World] = []
"""All that were kept."""


def drop_all() -> None:
    """Nothing begins any more: files and ports are given back."""
    while _worlds:
        _worlds.pop().give_back()
    while _folders:
        shutil.rmtree(_folders.pop())


def _bots_folder(folder: Path) -> Path:
    return folder / "bot"
