"""`catch-up`: a rollout of what the fleet has fallen behind by, or the look at what that would be."""

from dataclasses import dataclass

from bot.domain.clock import Clock
from bot.domain.failure import Failure, LeaseLost, Trouble
from bot.domain.rollouts.journal import Word
from bot.domain.rollouts.policy import Match
from bot.fleet.plan.catching_up import CatchUp, planned
from bot.fleet.plan.first_run.rows import CatchUpStore
from bot.service.opened_stores import opened_stores
from bot.settings import Settings
from bot.views.fleet.staleness import Staleness, staleness_of

_ATTEMPTS = 3


@dataclass(frozen=True, slots=True)
class Caught:
    """How stale the fleet is, what is planned about it, and the rollout where one was made."""

    staleness: Staleness
    plan: CatchUp
    rollout: int | None = None


async def catch_up(settings: Settings, only: Match, word: Word | None, clock: Clock) -> Caught:
    """Makes the rollout in the repositories that match; without a word nothing is written.

    Raises `Failure` where the fleet was never read, or other plans are saved all the time.
    """
    async with opened_stores(settings, clock) as stores:
        if not await stores[CatchUpStore].is_any_read():
            fault, advice = (
                "no repository was read yet",
                "run `freshness-bot once`, or wait for the service's first pass",
            )
            raise Failure(Trouble.MISSING, fault, advice=advice)
        for _ in range(_ATTEMPTS):
            plan = await planned(stores[CatchUpStore], settings.rules, clock, only)
            staleness = staleness_of(plan.behind, clock.now())
            if word is None:
                return Caught(staleness, plan)
            try:
                return Caught(staleness, plan, await stores[CatchUpStore].save(plan, word))
            except LeaseLost:
                continue
    raise Failure(Trouble.CONFLICT, "the service is busy planning", advice="try again in a minute")
