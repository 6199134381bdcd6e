"""The stage `running` in the service: what runs in the clusters that the settings name."""

from datetime import timedelta

from bot.domain.running.runs import RunningSource
from bot.fleet.stage import Bot, Stage, TickOutcome
from bot.settings.sections.running import RunningSourceSettings, SourceKind
from bot.store.rows.running.running import running_sources


def source_of(settings: RunningSourceSettings) -> RunningSource:
    """The source as what is kept of it goes by."""
    every = settings.every if settings.kind is SourceKind.KUBERNETES else None
    return RunningSource(settings.name, settings.environment, settings.stale_after, every)


async def running(bot: Bot) -> TickOutcome:
    """Nothing is asked of the store, and nothing loaded, where the settings name no source."""
    settings = bot.settings.running
    if not settings.sources:
        return TickOutcome()
    from bot.fleet.running.rows import RunningStore
    from bot.fleet.running.tick import tick
    from bot.fleet.wiring.clusters import CLUSTERS

    sources = [source_of(each) for each in settings.sources]
    clusters = bot[CLUSTERS]
    figures, problems = await tick(bot.stores[RunningStore], sources, clusters, settings.keep, bot.loop)
    return TickOutcome(figures, problems)


STAGE = Stage("running", running, timedelta(minutes=1), only_reads=True, claims=(running_sources,))
