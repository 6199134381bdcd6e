"""The stage `standing` in the service."""

from datetime import timedelta

from bot.fleet.stage import Bot, Stage, TickOutcome
from bot.fleet.standing.rows import StandingStore


async def standing(bot: Bot) -> TickOutcome:
    return TickOutcome({"changed": await bot.stores[StandingStore].count()})


STAGE = Stage("standing", standing, timedelta(seconds=30))
