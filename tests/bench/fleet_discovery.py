"""One discovery in a process of its own: `python -m tests.bench.fleet_discovery CONFIG` prints what it took."""

import asyncio
import json
import sys
import time
from pathlib import Path

from bot.domain.clock import SystemClock
from bot.fleet.discover.wired import STAGE
from bot.fleet.wiring.opening import open_bot
from bot.settings import load
from bot.store.engine.queue.leases import bring_forward
from tests.own_memory import most_memory


async def discover(config: Path) -> dict[str, object]:
    """The peak is of the whole process, imports included, in MiB."""
    clock = SystemClock()
    async with open_bot(load(config), clock) as bot:
        await bring_forward(bot.database, clock.now())
        started = time.perf_counter()
        outcome = await STAGE.tick(bot)
        seconds = time.perf_counter() - started
    peak = most_memory() / 2**20
    return {"seconds": seconds, "peak": peak, "read": outcome.figures["read"], "problems": outcome.problems}


if __name__ == "__main__":
    print(json.dumps(asyncio.run(discover(Path(sys.argv[1])))))
