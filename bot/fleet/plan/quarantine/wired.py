"""The stage `quarantine` in the service."""

from dataclasses import asdict
from datetime import timedelta

from bot.domain.rollouts.timing.windows import frozen_by
from bot.fleet.stage import Bot, Stage, TickOutcome


async def quarantine(bot: Bot) -> TickOutcome:
    from bot.fleet.plan.quarantine.rows import QuarantineStore
    from bot.fleet.plan.quarantine.tick import tick

    is_frozen = frozen_by(bot.policy.freezes, bot.clock.now(), None) is not None
    return TickOutcome(asdict(await tick(bot.stores[QuarantineStore], is_frozen=is_frozen)))


STAGE = Stage("quarantine", quarantine, timedelta(seconds=30), only_reads=True)
