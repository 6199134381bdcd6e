"""The stage `taking up` in the service."""

from datetime import datetime, timedelta

from bot.domain.bases.change import Change
from bot.domain.bases.observation import Observation
from bot.domain.reference import Base
from bot.fleet.plan.taking_up.tick import Assess, ReadDigest
from bot.fleet.stage import Bot, Stage, TickOutcome


async def taking_up(bot: Bot) -> TickOutcome:
    from bot.fleet.plan.taking_up.rows import TakingUpStore
    from bot.fleet.plan.taking_up.tick import Sources, tick

    store = bot.stores[TakingUpStore]
    if await store.is_over():
        return TickOutcome()
    sources = Sources(bot.forge, _reader(bot), await _assessor(bot))
    tally = await tick(store, sources, bot.policy, bot.clock)
    return TickOutcome({"requests": tally.requests}, [*tally.problems])


def _reader(bot: Bot) -> ReadDigest:
    from bot.fleet.watch.registry.observe import read
    from bot.fleet.watch.registry.rows import WatchStore

    async def read_digest(base: Base, digest: str, at: datetime) -> Observation:
        return (await read(bot.registry, bot.stores[WatchStore], base, digest)).observation(base, at)

    return read_digest


async def _assessor(bot: Bot) -> Assess:
    from bot.fleet.assess.assess import assess
    from bot.fleet.watch.feeds.rows import FeedsStore
    from bot.fleet.wiring.combined_feeds import CombinedFeeds
    from bot.upstream.dotnet.releases import ReleaseIndex

    feeds = CombinedFeeds(bot.stores[FeedsStore])
    releases, advisories = ReleaseIndex((await feeds.known_releases()).values()), await feeds.known_advisories()

    def assessed(before: Observation, after: Observation) -> Change:
        return assess(before, after, releases, advisories, bot.clock.now())

    return assessed


STAGE = Stage("taking up", taking_up, timedelta(seconds=20), only_reads=True)
