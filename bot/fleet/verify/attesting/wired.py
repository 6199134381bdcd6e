"""The stage `attest` in the service: statements of what was proved, beside the images."""

from datetime import timedelta

from bot.fleet.bot import Bot, Part
from bot.fleet.stage import Stage, TickOutcome
from bot.fleet.verify.attesting.rows import AttestingStore, attestations
from bot.fleet.verify.attesting.tick import tick
from bot.fleet.wiring.registries.attesting import attesting_of

ATTESTING = Part(lambda bot: attesting_of(bot.settings, bot.registry))
"""None where nothing is to be attested."""


async def attest(bot: Bot) -> TickOutcome:
    attesting = bot[ATTESTING]
    if attesting is None:
        return TickOutcome()
    attacher, verifier = attesting
    tally = await tick(bot.stores[AttestingStore], attacher, verifier, bot.loop)
    return TickOutcome({"attached": tally.attached}, list(tally.problems))


STAGE = Stage("attest", attest, timedelta(seconds=30), claims=(attestations,), parts=(ATTESTING,))
