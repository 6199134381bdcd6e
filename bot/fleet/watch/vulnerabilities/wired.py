"""The stage `vulnerabilities` in the service: the CVE data that the settings name."""

from datetime import timedelta

from bot.clients.feeds.dumps import DumpReader, OsvClient
from bot.fleet.stage import Bot, Part, Stage, TickOutcome
from bot.fleet.watch.vulnerabilities.tick import Publishers
from bot.store.rows.inventories.vulnerabilities import dumps
from bot.upstream.osv.dump import MOST_BYTES

PUBLISHERS = Part(lambda bot: Publishers(DumpReader(bot.http, MOST_BYTES), OsvClient(bot.http)))


async def vulnerabilities(bot: Bot) -> TickOutcome:
    from bot.fleet.watch.vulnerabilities.rows.vulnerabilities import VulnerabilitiesStore
    from bot.fleet.watch.vulnerabilities.tick import tick
    from bot.fleet.wiring.grants import dump_sources

    store, dumps = bot.stores[VulnerabilitiesStore], tuple(dump_sources(bot.settings))
    tally = await tick(store, bot[PUBLISHERS], bot.loop, dumps, offline=bot.settings.feeds.offline)
    figures = {"read": tally.read, "unchanged": tally.unchanged, "changed": tally.changed}
    return TickOutcome(figures, tally.problems)


STAGE = Stage(
    "vulnerabilities", vulnerabilities, timedelta(seconds=20), claims=(dumps,), only_reads=True, parts=(PUBLISHERS,)
)
