"""The stage `discover` in the service: repositories of the forge, as the settings select them."""

from datetime import timedelta
from typing import cast

from bot.domain.builder.port import ExpandsPipelines
from bot.files.formats.memory import Memory
from bot.fleet.discover.ports import DiscoverOptions
from bot.fleet.stage import Bot, Part, Stage, TickOutcome
from bot.fleet.wiring.forges import selections_elsewhere
from bot.store.rows.repositories.tables import repositories
from bot.store.rows.tables import tasks

MEMORY = Part(lambda _: Memory())


def options_of(bot: Bot) -> DiscoverOptions:
    """Which repositories are wanted, how often they are listed, and which images are whose."""
    from bot.fleet.discover.selection import Selection

    settings = bot.settings
    listing = settings.github.repositories
    selection = Selection(
        tuple(listing.include),
        tuple(listing.exclude),
        tuple(listing.topics),
        tuple(settings.bases),
        tuple(sorted(settings.registries)),
        settings.mirror_rules,
    )
    return DiscoverOptions(
        *(selection, settings.schedule.discover, bot.hosts.forge, settings.images.image_rules()),
        *(selections_elsewhere(settings), bot.policy),
    )


async def discover(bot: Bot) -> TickOutcome:
    from bot.fleet.discover.rows.discover import DiscoverStore
    from bot.fleet.discover.tick import tick

    store = bot.stores[DiscoverStore]
    pipelines = cast(ExpandsPipelines, bot.builder)
    tally = await tick(store, bot.forge, bot[MEMORY], options_of(bot), bot.loop, bot.forges, pipelines)
    return TickOutcome({"listed": tally.listed, "read": tally.read}, tally.problems)


STAGE = Stage(
    "discover", discover, timedelta(seconds=20), claims=(tasks, repositories), only_reads=True, parts=(MEMORY,)
)
