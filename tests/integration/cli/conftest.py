"""The command line as a person meets it: what it prints, where, and the exit code."""

import os
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio

from bot.cli import main
from sandbox.fleets.fleet import SampleFleet
from sandbox.world import World
from tests.e2e.beginnings import drop_all
from tests.e2e.sample import PATCHED
from tests.plain_logs import log_plainly

PROGRAM = Path(sys.executable).with_name("freshness-bot")


@dataclass(frozen=True, slots=True)
class Ran:
    code: int
    out: str
    err: str


Command = Callable[..., Ran]


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.upper().startswith("FRESHNESS_BOT_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("COLUMNS", "400")


@pytest.fixture
def bot(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Command]:
    """Runs a command in this process, from the same entry as the program."""

    def run(*words: object) -> Ran:
        monkeypatch.setattr(sys, "argv", ["freshness-bot", *map(str, words)])
        with pytest.raises(SystemExit) as end:
            main()
        code = end.value.code
        out, err = capsys.readouterr()
        assert "Traceback" not in err
        return Ran(code if isinstance(code, int) else 0 if code is None else 1, out, err)

    yield run
    log_plainly()


@dataclass(frozen=True, slots=True)
class Filled:
    """A fleet in the middle of a rollout, the settings of its bot, and the bot's database."""

    fleet: SampleFleet
    config: Path
    database: Path

    @property
    def world(self) -> World:
        return self.fleet.world

    @property
    def aspnet(self) -> str:
        return f"{self.fleet.registry}/dotnet/aspnet:10.0-noble-chiseled"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def filled(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Filled]:
    """The bases moved between two passes, so there are changes, pull requests and dispatched runs."""
    folder = tmp_path_factory.mktemp("filled")
    async with PATCHED.left(folder) as stage:
        yield Filled(stage.fleet, folder / "freshness.yaml", folder / "freshness.db")


@pytest.fixture(scope="session", autouse=True)
def _drop_beginnings() -> Iterator[None]:
    yield
    drop_all()
