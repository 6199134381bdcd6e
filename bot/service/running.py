"""The service: APScheduler wakes the ticks, a signal ends them in order."""

import asyncio
import contextlib
import signal
from datetime import timedelta

import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler

from bot.service.stages import STAGES, Stage, run_stage
from bot.service.wiring.container import Bot
from bot.store.engine.leases import free_leases_of_the_dead, give_all_back

log = structlog.get_logger()

GRACE = timedelta(seconds=25)
"""With a request to GitHub that nobody can cut short (20 s), less than the minute that the manifest grants."""


async def serve(bot: Bot, stop: asyncio.Event | None = None) -> None:
    """Runs until SIGTERM or SIGINT (or `stop`), then lets running ticks finish and gives leases back."""
    stop = stop or _stop_on_signals()
    await free_leases_of_the_dead(bot.database, bot.worker)
    running: set[asyncio.Task[object]] = set()
    scheduler = AsyncIOScheduler(
        timezone="UTC", job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None}
    )

    async def tick(stage: Stage) -> None:
        task = asyncio.create_task(run_stage(stage, bot))
        running.add(task)
        task.add_done_callback(running.discard)
        with contextlib.suppress(asyncio.CancelledError):  # at a stop; APScheduler would log it with its trace
            await task

    for stage in STAGES:
        seconds = stage.every.total_seconds()
        scheduler.add_job(tick, "interval", [stage], id=stage.name, seconds=seconds, next_run_time=bot.clock.now())
    scheduler.start()
    log.info("started", worker=bot.worker.name, store=bot.database.engine.dialect.name)
    await stop.wait()
    log.info("stopping", running=len(running))
    scheduler.pause()
    bot.worker.draining.set()
    cut_off = await _drain(running)
    scheduler.shutdown(wait=False)
    freed = await give_all_back(bot.database, bot.worker, attempted=cut_off)
    log.info("stopped", leases_given_back=freed)


async def _drain(running: set[asyncio.Task[object]]) -> bool:
    """APScheduler's own waiting shutdown would cancel coroutines, so the ticks are waited for here.

    Whether any had to be cut off, so that what it had begun counts as attempted.
    """
    if not running:
        return False
    _, late = await asyncio.wait(running, timeout=GRACE.total_seconds())
    for task in late:
        task.cancel()
    await asyncio.gather(*late, return_exceptions=True)
    return bool(late)


def _stop_on_signals() -> asyncio.Event:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    return stop
