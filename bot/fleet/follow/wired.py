"""The stage `follow` in the service: pull requests and runs to their end."""

from datetime import timedelta

from bot.fleet.follow.tick import FollowOptions
from bot.fleet.stage import Bot, Stage, TickOutcome
from bot.store.rows.rollouts.tables import rebuilds


def follow_options(bot: Bot) -> FollowOptions:
    """How often what is open is looked at, and within what time it is to have been built."""
    settings = bot.settings
    return FollowOptions(settings.schedule.follow, bot.hosts, settings.rollout.build_within)


async def follow(bot: Bot) -> TickOutcome:
    from bot.fleet.follow.rows import FollowStore
    from bot.fleet.follow.tick import tick

    tally = await tick(bot.stores[FollowStore], bot.forge, bot.builder, follow_options(bot), bot.loop)
    return TickOutcome({"looked_at": tally.looked_at, "ended": tally.ended}, list(tally.problems))


STAGE = Stage("follow", follow, timedelta(seconds=5), claims=(rebuilds,))
