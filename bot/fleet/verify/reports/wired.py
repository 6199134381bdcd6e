"""The stage `reports` in the service: what scanners have reported within builds."""

from datetime import timedelta

from bot.fleet.bot import Bot, Part
from bot.fleet.stage import Stage, TickOutcome
from bot.fleet.verify.reports.ports import ArtifactOptions
from bot.fleet.verify.reports.rows.artifacts import ArtifactsStore
from bot.fleet.verify.reports.tick import tick
from bot.fleet.wiring.artifacts import ForgeArtifacts
from bot.store.rows.images.scan_reports import artifact_reads

ARTIFACTS = Part(lambda bot: ForgeArtifacts(bot.forge, bot.http))


async def reports(bot: Bot) -> TickOutcome:
    section = bot.settings.reports
    options = ArtifactOptions(tuple(section.artifacts), section.most, bot.forge_host.name)
    gathered = await tick(bot.stores[ArtifactsStore], bot[ARTIFACTS], options, bot.loop)
    return TickOutcome({"kept": gathered.kept}, list(gathered.problems))


STAGE = Stage(
    "reports", reports, timedelta(seconds=5), claims=(artifact_reads,), only_reads=True, parts=(ARTIFACTS,)
)
