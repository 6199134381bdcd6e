"""What tests begin at is copied while it is young, and made anew with all that it goes back to."""

from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml

from bot.fleet.wiring.opening import open_bot
from bot.settings import load
from tests.e2e import beginnings
from tests.e2e.beginnings import MADE_ANEW_AFTER, Beginning, drop_all
from tests.e2e.staging import AheadClock, Stage
from tests.migrated import new_sqlite


@dataclass
class World:
    """One that serves nothing; `kept` are the folders in which it was put down, some of which were given back."""

    number: int
    kept: list[Path] = field(default_factory=list)
    is_given_back: bool = False
    traffic: Any = field(default_factory=lambda: SimpleNamespace(violations=[]))

    async def keep(self, folder: Path, beside: Any) -> tuple["World", Any]:
        self.kept.append(folder)
        return self, beside

    @asynccontextmanager
    async def going_on(self, folder: Path, beside: Any) -> AsyncIterator[tuple["World", Any]]:
        assert folder.is_dir()
        assert not self.is_given_back
        yield self, beside

    def give_back(self) -> None:
        self.is_given_back = True


@dataclass
class Making:
    """Makes a world each time that a beginning takes a new one."""

    worlds: list[World] = field(default_factory=list)
    now: float = 0.0

    @asynccontextmanager
    async def begun(self, folder: Path, exits: AsyncExitStack) -> AsyncIterator[Stage]:
        (folder / "token").write_text("none")
        config = folder / "freshness.yaml"
        url = new_sqlite(folder / "freshness.db")
        config.write_text(
            yaml.safe_dump(
                {
                    "github": {"token_file": f"{folder}/token", "repositories": {"include": ["contoso/*"]}},
                    "store": {"url": url},
                }
            )
        )
        self.worlds.append(World(len(self.worlds)))
        bot = await exits.enter_async_context(open_bot(load(config), AheadClock()))
        fleet: Any = SimpleNamespace(world=self.worlds[-1])
        yield Stage(fleet, bot, AheadClock())


@pytest.fixture
def making(monkeypatch: pytest.MonkeyPatch) -> Iterator[Making]:
    """With a clock of its own, and apart from what other tests have kept."""
    made = Making()
    monkeypatch.setattr(beginnings, "time", SimpleNamespace(monotonic=lambda: made.now))
    monkeypatch.setattr(beginnings, "_all", [])
    yield made
    drop_all()


async def world_of(beginning: Beginning, folder: Path) -> Any:
    folder.mkdir()
    async with beginning.stage(folder) as stage:
        return stage.world


async def nothing(_: Stage) -> None:
    return None


async def test_what_goes_on_from_another_is_as_old_as_that(making: Making, tmp_path: Path) -> None:
    first = Beginning(making.begun)
    further = first.then(nothing)
    assert (await world_of(first, tmp_path / "a")).number == 0
    making.now = MADE_ANEW_AFTER * 0.8
    assert (await world_of(further, tmp_path / "b")).number == 0
    making.now = MADE_ANEW_AFTER * 1.2
    assert (await world_of(further, tmp_path / "c")).number == 1
    assert (await world_of(first, tmp_path / "d")).number == 1


async def test_what_differs_in_settings_alone_begins_in_the_same_world(making: Making, tmp_path: Path) -> None:
    first = Beginning(making.begun)
    under = first.under(web={"listen": "127.0.0.1:1"}).under(bases=["mcr.microsoft.com/own/*"])
    further = under.then(nothing)
    for number, each in enumerate((under, further, first)):
        (folder := tmp_path / f"{number}").mkdir()
        async with each.stage(folder) as stage:
            assert stage.world.number == 0  # type: ignore[attr-defined]
            settings, is_under = stage.bot.settings, each != first
            assert (settings.web.listen == "127.0.0.1:1", settings.bases == ["mcr.microsoft.com/own/*"]) == (
                is_under,
                is_under,
            )


async def test_what_has_grown_old_leaves_nothing_behind(making: Making, tmp_path: Path) -> None:
    first = Beginning(making.begun)
    further = first.then(nothing)
    for making.now in (0.0, MADE_ANEW_AFTER):
        await world_of(further, tmp_path / f"{making.now}")
    old, new = making.worlds
    assert (old.is_given_back, [folder.exists() for folder in old.kept]) == (True, [False, False])
    assert (new.is_given_back, [folder.exists() for folder in new.kept]) == (False, [True, True])
    drop_all()
    assert (new.is_given_back, [folder.exists() for folder in new.kept]) == (True, [False, False])
