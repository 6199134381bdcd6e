"""What the settings say of how fast rollouts go on: the stores ask for it, which need no client."""

from datetime import timedelta

from bot.domain.rollouts.timing.pace import Pace, WriteLimits
from bot.domain.rollouts.timing.waiting import rollout_options_of
from bot.settings import Settings


def pace_of(settings: Settings) -> Pace:
    """Reads from the settings what bounds rollouts: their options and the limits of writes."""
    by_owner = settings.github.app is not None
    return Pace(rollout_options_of(settings.rules), write_limits(settings), by_owner)


def write_limits(settings: Settings) -> WriteLimits:
    """Returns how much the bot may write a minute and an hour to the repositories of one account."""
    limits = settings.limits
    apart = timedelta(seconds=settings.github.seconds_between_writes)
    return WriteLimits(limits.content_per_minute, limits.content_per_hour, apart)
