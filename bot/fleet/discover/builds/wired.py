"""The stage `builds` in the service: when the workflows of each repository last built."""

import hashlib
from datetime import timedelta

from bot.domain.rollouts.policy import Policy
from bot.fleet.stage import Bot, Stage, TickOutcome
from bot.store.rows.repositories.ages import workflow_builds
from bot.store.rows.tables import tasks


def policy_mark(policy: Policy) -> str:
    """Changes with the rules, so that what follows from them is worked out anew."""
    return hashlib.sha256(repr(policy.rules).encode()).hexdigest()[:32]


async def builds(bot: Bot) -> TickOutcome:
    from bot.fleet.discover.builds.rows import BuildsStore
    from bot.fleet.discover.builds.tick import tick

    mark, host = policy_mark(bot.policy), bot.hosts.builder
    tally = await tick(bot.stores[BuildsStore], bot.builder, bot.policy, mark, host, bot.loop)
    return TickOutcome({"looked_at": tally.looked_at}, list(tally.problems))


STAGE = Stage("builds", builds, timedelta(seconds=20), claims=(tasks, workflow_builds), only_reads=True)
