"""Passes one after the other, until nothing moves any more or the time of the job is over."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from datetime import timedelta
from typing import TypeVar

from bot.domain.clock import Clock
from bot.fleet.stage import Bot, TickOutcome
from bot.fleet.stages import one_pass
from bot.service.one_off import all_brought_forward
from bot.store.engine.queue.news import Newsboard

T = TypeVar("T")
_APART = timedelta(seconds=2)
"""Between two passes: what one of them wrote on the forge shows to the next."""
_MOST = 30


async def passes(bot: Bot, clock: Clock, within: timedelta) -> list[list[TickOutcome]]:
    """Makes one pass, in which all that is polled regularly is due, and more as long as the one before has written
    something. What is to be waited for, such as a build or a person, is left to the next run.

    Leases are given back at the end, and where this is cancelled too.
    """
    began = clock.now()
    async with all_brought_forward(bot, clock), aclosing(Newsboard(bot.database)) as board:

        async def made() -> tuple[list[TickOutcome], bool]:
            await board.news(clock.now())
            outcomes = await one_pass(bot)
            return outcomes, (await board.news(clock.now())).was_written

        async def has_time() -> bool:
            if clock.now() - began >= within:
                return False
            await asyncio.sleep(_APART.total_seconds())
            return True

        return await while_news(made, has_time)


async def while_news(
    make: Callable[[], Awaitable[tuple[T, bool]]], has_time: Callable[[], Awaitable[bool]]
) -> list[T]:
    """Makes one pass after the other as long as each has brought something new and there is time for the next."""
    made = list[T]()
    for _ in range(_MOST):
        outcome, is_news = await make()
        made.append(outcome)
        if not is_news or not await has_time():
            break
    return made


def problems_of(outcomes: list[list[TickOutcome]]) -> tuple[str, ...]:
    """What went wrong in the last pass: what an earlier one could not do and a later one did is over."""
    return tuple(problem for outcome in outcomes[-1] for problem in outcome.problems) if outcomes else ()
