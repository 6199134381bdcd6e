"""The stage `running` in the service: what runs in the clusters that the settings name."""

from datetime import timedelta

from bot.domain.running.runs import RunningSource
from bot.fleet.stage import Bot, Stage, TickOutcome
from bot.settings.sections.running import RunningSourceSettings, SourceKind
from bot.store.rows.running.backfills import running_backfills
from bot.store.rows.running.running import running_reads, running_sources


def source_of(settings: RunningSourceSettings) -> RunningSource:
    """The source as what is kept of it goes by."""
    every = None if settings.kind is SourceKind.PUSH else settings.every
    return RunningSource(settings.name, settings.environment, settings.stale_after, every)


async def running(bot: Bot) -> TickOutcome:
    """Nothing is asked of the store, and nothing loaded, where the settings name no source."""
    settings = bot.settings.running
    if not settings.sources:
        return TickOutcome()
    from bot.fleet.running.backfilling.rows import BackfillStore
    from bot.fleet.running.backfilling.tick import tick as read_pasts
    from bot.fleet.running.reading import tick as read_builds
    from bot.fleet.running.rows import RunningStore
    from bot.fleet.running.tick import tick
    from bot.fleet.wiring.clusters import CLUSTERS, PASTS
    from bot.fleet.wiring.registries.images import registry_builds

    sources = [source_of(each) for each in settings.sources]
    clusters, store = bot[CLUSTERS], bot.stores[RunningStore]
    reaches = {each.name: each.past.reach for each in settings.sources if each.past is not None}
    windows, unread = 0, list[str]()
    if reaches:
        pasts = bot[PASTS]
        windows, unread = await read_pasts(bot.stores[BackfillStore], reaches, pasts, bot.loop)
    figures, problems = await tick(store, sources, clusters, settings.keep, bot.loop)
    figures |= {"windows": windows} if reaches else {}
    problems += unread
    if bot.settings.packages.stored_platforms:
        read, hindered = await read_builds(store, registry_builds(bot), bot.settings.registries, bot.loop)
        matched = await store.match() if read else 0
        figures |= {"builds": read, "matched": figures["matched"] + matched}
        problems += hindered
    return TickOutcome(figures, problems)


STAGE = Stage(
    "running",
    running,
    timedelta(minutes=1),
    only_reads=True,
    claims=(running_sources, running_reads, running_backfills),
)
