"""The stage `prove` in the service: whether new images stand on the new base."""

from datetime import timedelta

from bot.fleet.stage import Bot, Stage, TickOutcome
from bot.fleet.wiring.registries.images import OBSERVED
from bot.fleet.wiring.registries.trust import TRUSTING
from bot.store.rows.rollouts.tables import rebuilds


async def prove(bot: Bot) -> TickOutcome:
    from bot.fleet.verify.proving.rows import ProvingStore
    from bot.fleet.verify.proving.tick import ProvingOptions, tick
    from bot.fleet.wiring.gate import gating_of
    from bot.fleet.wiring.registries.images import registry_images

    settings, store = bot.settings, bot.stores[ProvingStore]
    options = ProvingOptions(within=settings.rollout.image_within, signed_within=settings.trust.grace)
    gate, trust, observed = gating_of(bot), bot[TRUSTING], bot[OBSERVED]
    tally = await tick(store, registry_images(bot), observed, options, bot.loop, gate, trust)
    figures = {"proved": tally.proved, "failed": tally.failed, "unproven": tally.unproven}
    return TickOutcome(figures, list(tally.problems))


STAGE = Stage(
    "prove",
    prove,
    timedelta(seconds=5),
    claims=(rebuilds,),
    only_reads=True,
    parts=(
        OBSERVED,
        TRUSTING,
    ),
)
