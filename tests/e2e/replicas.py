"""The service in processes of their own that share a clock, so that a lease ends when the test says so."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from multiprocessing.context import ForkServerProcess
from multiprocessing.sharedctypes import Synchronized
from pathlib import Path

from tests.e2e.forking import context


@dataclass(frozen=True, slots=True)
class SharedClock:
    """The machine's clock, ahead by as many seconds as all processes that have it are told."""

    ahead: "Synchronized[float]"

    def now(self) -> datetime:
        return datetime.now(UTC) + timedelta(seconds=self.ahead.value)

    def move(self, by: timedelta) -> None:
        self.ahead.value += by.total_seconds()


def shared_clock() -> SharedClock:
    return SharedClock(context.Value("d", 0.0))


@contextmanager
def replicas(config: Path, clock: SharedClock, count: int) -> Iterator[list[ForkServerProcess]]:
    """`freshness-bot run`, as often as asked; what still runs at the end is killed."""
    processes = [context.Process(target=_serve, args=(str(config), clock), daemon=True) for _ in range(count)]
    try:
        for process in processes:
            process.start()
        yield processes
    finally:
        for process in processes:
            process.kill()
            process.join()


def _serve(config: str, clock: SharedClock) -> None:
    from bot.service.running import run
    from bot.service.settings_file import SettingsFile

    asyncio.run(run(SettingsFile.read(Path(config)), clock))
