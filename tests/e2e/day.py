"""A bot in a process of its own that makes a pass whenever it is told the time, and says what it holds then."""

import asyncio
import gc
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from multiprocessing.connection import Connection
from pathlib import Path

from tests.e2e.forking import context
from tests.own_memory import most_memory

_PAGE = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True, slots=True)
class Held:
    """What a process holds after a pass, memory in MB; `peak` is the most memory so far."""

    memory: float
    peak: float
    handles: int
    threads: int
    tasks: int
    broke: tuple[str, ...]


@dataclass(slots=True)
class _ToldClock:
    ahead: timedelta = timedelta(0)

    def now(self) -> datetime:
        return datetime.now(UTC) + self.ahead


@dataclass(slots=True)
class Passes:
    """The bot, which stays open from one pass to the next."""

    _connection: Connection
    held: list[Held] = field(default_factory=list)

    async def make(self, ahead: timedelta) -> Held:
        """One pass at the machine's time and `ahead`."""
        self._connection.send(ahead)
        self.held.append(await asyncio.to_thread(self._connection.recv))
        return self.held[-1]


@contextmanager
def passes(config: Path) -> Iterator[Passes]:
    ours, theirs = context.Pipe()
    process = context.Process(target=_work, args=(str(config), theirs), daemon=True)
    process.start()
    theirs.close()
    try:
        yield Passes(ours)
    finally:
        process.kill()
        process.join()


def _work(config: str, connection: Connection) -> None:
    asyncio.run(_passes(Path(config), connection))


async def _passes(config: Path, connection: Connection) -> None:
    from bot.fleet.stages import one_pass
    from bot.fleet.wiring.opening import open_bot
    from bot.service.logs import set_up
    from bot.settings import load

    settings, clock = load(config), _ToldClock()
    set_up(settings.log)
    async with open_bot(settings, clock) as bot:
        while True:
            clock.ahead = await asyncio.to_thread(connection.recv)
            outcomes = await one_pass(bot)
            connection.send(_held(tuple(outcome.stage for outcome in outcomes if outcome.broke)))


def _held(broke: tuple[str, ...]) -> Held:
    gc.collect()
    resident = int(Path("/proc/self/statm").read_text().split()[1]) * _PAGE / 2**20
    peak = most_memory() / 2**20
    handles = len(os.listdir("/proc/self/fd"))
    return Held(resident, peak, handles, threading.active_count(), len(asyncio.all_tasks()), broke)
