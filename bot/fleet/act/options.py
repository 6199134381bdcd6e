"""What the settings say to all that acts on repositories."""

from bot.fleet.act.ports import ActOptions
from bot.fleet.bot import Bot


def act_options(bot: Bot) -> ActOptions:
    """How what acts on repositories is bounded, and by which policy it goes."""
    settings = bot.settings
    return ActOptions(
        follow_every=settings.schedule.follow,
        open_pull_requests=settings.limits.open_pull_requests_per_repository,
        host=bot.forge_host,
        policy=bot.policy,
    )
