"""Where many tests begin: a world, a fleet and its bot up to some moment, made once and copied for each test.

To settle a world costs more than most of what a test then does with it. Each test has a world of its own all the
same: what one does to its copy no other sees, in whichever order they run.
"""

import shutil
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from bot.fleet.wiring.opening import open_bot
from bot.settings import load
from sandbox.fleets.fleet import SampleFleet
from sandbox.programs.emulator import ORGANISATION
from sandbox.programs.parts import MissingPart
from sandbox.world import World
from tests.e2e.staging import AheadClock, Stage, write_sections
from tests.migrated import new_sqlite

MADE_ANEW_AFTER = 240.0
"""Seconds: no test begins much later than it would with a world of its own."""

Make = Callable[[World, Path, str, AsyncExitStack], Awaitable[Stage]]
Go = Callable[[Stage], Awaitable[object]]
Begun = Callable[[Path, AsyncExitStack], AbstractAsyncContextManager[Stage]]
Sections = Callable[[World, Path], Mapping[str, object]]
"""Of the bot's settings in that world; the folder is for the files that they name."""


@dataclass(frozen=True, slots=True, eq=False)
class _Kept:
    """What is copied: the world and its fleet, how far the clock is ahead, and a folder with the files of all.

    What began there and was kept further on is as old as this, and lives on the same ports.
    """

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

    def drop(self) -> None:
        """Gives files and ports back."""
        shutil.rmtree(self.folder)
        self.world.give_back()


_all: list[_Kept] = []
"""What is still there."""


class Beginning:
    def __init__(self, begun: Begun, before: "Beginning | None" = None) -> None:
        """`begun` brings a stage about, with the bot's files in a folder, and leaves the bot to be closed; it goes
        on from a copy of `before`, or else from a new world."""
        self._begun = begun
        self._before = before
        self._kept: _Kept | None = None

    def then(self, go: Go) -> "Beginning":
        """What begins here and goes on a bit further."""

        @asynccontextmanager
        async def begun(folder: Path, exits: AsyncExitStack) -> AsyncIterator[Stage]:
            async with self._copied(folder, exits) as stage:
                await go(stage)
                yield stage

        return Beginning(begun, self)

    def under(self, of_world: Sections | None = None, **sections: object) -> "Beginning":
        """The same moment in the same world, from which the bot goes on with other settings.

        Nothing is made or kept for it: what differs in settings alone has one beginning.
        """
        return _Under(self, of_world or (lambda _1, _2: sections))

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
    async def left(self, folder: Path) -> AsyncIterator[Stage]:
        """A copy for programs that ask what the bot has left, which has ended: in `folder` are its settings,
        `freshness.yaml`, and its store, `freshness.db`."""
        exits = AsyncExitStack()
        async with self._copied(folder, exits) as stage:
            await exits.aclose()
            yield stage

    @property
    def made_at(self) -> float:
        """When that was made which is copied now, by the monotonic clock."""
        assert self._kept is not None, "nothing was copied yet"
        return self._kept.made_at

    def fixture(self) -> Any:
        """The fixture that gives each test a copy, under the name that the module binds it to."""

        @pytest_asyncio.fixture
        async def copy(tmp_path: Path) -> AsyncIterator[Stage]:
            async with self.stage(tmp_path) as stage:
                yield stage

        return copy

    @asynccontextmanager
    async def _copied(
        self, folder: Path, exits: AsyncExitStack, sections: Sections | None = None
    ) -> AsyncIterator[Stage]:
        kept = await self._fresh()
        async with kept.world.going_on(kept.folder, kept.fleet) as (world, fleet):
            clock, config = AheadClock(kept.ahead), kept.configured(folder)
            if sections is not None:
                write_sections(config, sections(world, folder))
            bot = await exits.enter_async_context(open_bot(load(config), clock))
            yield Stage(fleet, bot, clock)

    async def _fresh(self) -> _Kept:
        """What was kept; what has grown old is dropped, and made anew."""
        if self._kept is not None and not self._kept.is_fresh:
            _all.remove(self._kept)
            self._kept.drop()
            self._kept = None
        if self._kept is None:
            self._kept = await self._made()
            _all.append(self._kept)
        return self._kept

    async def _made(self) -> _Kept:
        folder = Path(tempfile.mkdtemp(prefix="freshness-beginning-"))
        try:
            _bots_folder(folder).mkdir()
            async with AsyncExitStack() as exits, self._begun(_bots_folder(folder), exits) as stage:
                await exits.aclose()  # the database is whole once the bot has let it go
                world, fleet = await stage.world.keep(folder, stage.fleet)
        except BaseException:
            shutil.rmtree(folder)
            raise
        began_at = self._before.made_at if self._before else time.monotonic()
        return _Kept(world, fleet, stage.clock.ahead, folder, began_at)


class _Under(Beginning):
    def __init__(self, first: Beginning, sections: Sections) -> None:
        self._first = first
        self._sections = sections

    @property
    def made_at(self) -> float:
        return self._first.made_at

    @asynccontextmanager
    async def _copied(
        self, folder: Path, exits: AsyncExitStack, sections: Sections | None = None
    ) -> AsyncIterator[Stage]:
        own = self._sections

        def both(world: World, of_bot: Path) -> Mapping[str, object]:
            return {**own(world, of_bot), **(sections(world, of_bot) if sections else {})}

        async with self._first._copied(folder, exits, both) as stage:
            yield stage


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


def drop_all() -> None:
    """Nothing begins any more."""
    while _all:
        _all.pop().drop()


def _bots_folder(folder: Path) -> Path:
    return folder / "bot"
