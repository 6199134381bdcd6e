"""The stage `issues` in the service."""

from datetime import timedelta

from bot.fleet.stage import Bot, Stage, TickOutcome
from bot.store.rows.repositories.issues import issues as issues_table


async def issues(bot: Bot) -> TickOutcome:
    from bot.fleet.act.issue.rows import IssuesStore
    from bot.fleet.act.issue.tick import tick
    from bot.fleet.act.wired import act_options

    tally = await tick(bot.stores[IssuesStore], bot.forge, act_options(bot), bot.loop)
    return TickOutcome({"done": tally.done}, list(tally.problems))


STAGE = Stage("issues", issues, timedelta(seconds=20), claims=(issues_table,))
