"""Passes one after the other, until nothing moves any more or the time of the job is over."""

import asyncio
from contextlib import aclosing
from datetime import timedelta

from bot.domain.clock import Clock
from bot.fleet.bot import Bot
from bot.fleet.stage import TickOutcome
from bot.fleet.stages import one_pass
from bot.service.one_off import all_brought_forward
from bot.store.engine.queue.news import Newsboard

_APART = timedelta(seconds=2)
"""Between two passes: what one of them wrote on the forge shows to the next."""
_MOST = 30


async def passes(bot: Bot, clock: Clock, within: timedelta) -> list[list[TickOutcome]]:
    """Makes one pass, in which all that is polled regularly is due, and more as long as the one before has written
    something. What is to be waited for, such as a build or a person, is left to the next run.

    Leases are given back at the end, and where this is cancelled too.
    """
    began, outcomes = clock.now(), list[list[TickOutcome]]()
    async with all_brought_forward(bot, clock), aclosing(Newsboard(bot.database)) as board:
        for _ in range(_MOST):
            await board.news(clock.now())
            outcomes.append(await one_pass(bot))
            has_news = (await board.news(clock.now())).was_written
            if not has_news or clock.now() - began >= within:
                break
            await asyncio.sleep(_APART.total_seconds())
    return outcomes


def problems_of(outcomes: list[list[TickOutcome]]) -> tuple[str, ...]:
    """What went wrong in the last pass: what an earlier one could not do and a later one did is over."""
    return tuple(problem for outcome in outcomes[-1] for problem in outcome.problems) if outcomes else ()
