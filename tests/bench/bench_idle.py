"""An idle service over 1,000 repositories on SQLite: what a minute of it takes, and its memory after an hour.

Nothing falls due meanwhile, so that nobody outside is asked: what is left is the looking for what is new. The first
minute is a real one, of the service with its page. The rest of the hour is simulated: the clock is moved from one
question to the next, and whatever stage would tick does.
"""

import asyncio
import os
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import Engine, event, update

from bot.domain.clock import ManualClock
from bot.domain.rollouts.policy import Terms
from bot.fleet.heartbeats import Heartbeats
from bot.fleet.stage import Bot, run_stage
from bot.fleet.stages import STAGES, one_pass
from bot.fleet.wiring.opening import open_bot
from bot.service.logs import set_up
from bot.service.running import NEWS_EVERY, serve
from bot.service.waking import Waking
from bot.settings import load
from bot.store.engine.database import open_database
from bot.store.engine.queue.leases import leased_tables
from bot.store.engine.queue.news import Newsboard
from bot.store.rows.repositories.ages import workflow_builds
from bot.web.serving import listening_on
from tests.bench.bench_plan_tick import child
from tests.bench.measured import Measured

REPOSITORIES, USAGES = 1_000, 12
SECONDS, MEGABYTES = 0.3, 170
_MINUTE, _HOUR = timedelta(minutes=1), timedelta(hours=1)
_QUIET = 4 * NEWS_EVERY
"""After so long without a tick every stage has made its first, and looked at what the others wrote in theirs."""

_REST = 2 * _HOUR
"""What is put off by more than its schedule allows would be taken for the word of a clock that was ahead."""

_OF_EACH_TICK = "SELECT version_num FROM alembic_version"


def run() -> list[Measured]:
    """Rows: what, measured, aim; filling and serving are processes of their own."""
    with tempfile.TemporaryDirectory() as folder:
        child(__name__, "fill", folder)
        seconds, ticks, statements, before, after = map(float, child(__name__, "served", folder).split()[-5:])
    what = f"idle service over {REPOSITORIES:,} repositories"
    return [
        Measured(
            f"{what}: processor time", f"{seconds:.2f} s a minute", f"at most {SECONDS} s", seconds <= SECONDS
        ),
        Measured(f"{what}: ticks", f"{ticks:.0f} a minute", "at most 50", ticks <= 50),
        Measured(f"{what}: statements", f"{statements:.0f} a minute", "at most 500", statements <= 500),
        Measured(
            f"{what}: memory after an hour, of which 59 minutes are simulated",
            f"{after:.0f} MB ({before:.0f} MB after the first minute)",
            f"at most {MEGABYTES} MB",
            after <= MEGABYTES,
        ),
    ]


async def fill(folder: str) -> None:
    """Puts the fleet into a new database, and lets the stages note what they want to know of it."""
    from sandbox.stored_fleet.fleet import StoredFleet  # here, since the service is measured without it

    database = await open_database(_url(folder))
    await StoredFleet(database, datetime.now(UTC), REPOSITORIES, USAGES).write()
    await database.close()
    async with _bot(folder) as bot:
        bot.worker.draining.set()  # so that nothing is claimed, and nobody asked
        for _ in range(2):
            await one_pass(bot)
        async with bot.database.transaction() as connection:
            # The workflow that the policy means, so that no other is to be asked for
            await connection.execute(
                update(workflow_builds).values(workflow=Terms().workflow, max_age_seconds=None)
            )
            for table in leased_tables():
                await connection.execute(update(table).values(due_at=bot.clock.now() + _REST, attempts=0))


async def served(folder: str) -> None:
    """Prints processor time, ticks and statements of the minute, and the memory at its end and after the hour."""
    stop = asyncio.Event()
    set_up("json")  # as the service does
    async with _bot(folder) as bot:
        with listening_on("127.0.0.1:0", "127.0.0.1:0") as listening:
            serving = asyncio.create_task(serve(bot, stop, None, listening))
            await _quiet()
            with _counted() as statements:
                began = time.process_time()
                await asyncio.sleep(_MINUTE.total_seconds())
                seconds = time.process_time() - began
            before = _megabytes()
            stop.set()
            await serving
        bot.worker.draining.clear()
        await _simulated(bot, _HOUR - _MINUTE)
        print(seconds, statements[_OF_EACH_TICK], statements.total(), before, _megabytes())


async def _quiet() -> None:
    while True:
        with _counted() as statements:
            await asyncio.sleep(_QUIET.total_seconds())
        if not statements[_OF_EACH_TICK]:
            return


async def _simulated(bot: Bot, time_left: timedelta) -> None:
    clock = bot.clock
    assert isinstance(clock, ManualClock)
    beats, board = Heartbeats(), Newsboard(bot.database)
    beats.expect({stage.name: stage.sleeps for stage in STAGES}, clock.now())
    waking = Waking(STAGES, beats)
    ends = {stage.name: clock.now() for stage in STAGES}
    until = clock.now() + time_left
    while clock.now() < until:
        waking.note_news(await board.news(clock.advance(NEWS_EVERY)))
        wanted = {stage.name for stage, _ in waking.woken(clock.now())}
        for stage in STAGES:
            if stage.name in wanted or clock.now() >= ends[stage.name]:
                beats.began(stage.name, clock.now())
                await run_stage(stage, bot)
                beats.ended(stage.name, clock.now())
                ends[stage.name] = clock.now() + stage.sleeps
    await board.aclose()


@asynccontextmanager
async def _bot(folder: str) -> AsyncIterator[Bot]:
    """Its forge is a port of this machine at which nobody listens."""
    token, path = Path(folder, "token"), Path(folder, "freshness.yaml")
    token.write_text("ghp_x")
    forge = f"{{token_file: {token}, api_url: 'http://127.0.0.1:9/', repositories: {{include: ['contoso/*']}}}}"
    path.write_text(f"github: {forge}\nstore: {{url: '{_url(folder)}'}}\n")
    async with open_bot(load(path), ManualClock(datetime.now(UTC))) as bot:
        yield bot


def _url(folder: str) -> str:
    return f"sqlite:///{folder}/fleet.db"


@contextmanager
def _counted() -> Iterator[Counter[str]]:
    statements: Counter[str] = Counter()

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        statements[statement] += 1

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield statements
    finally:
        event.remove(Engine, "before_cursor_execute", note)


def _megabytes() -> float:
    """What the process holds now, by proc(5)."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6
