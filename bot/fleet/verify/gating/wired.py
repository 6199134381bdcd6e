"""The stage `gate` in the service: what vulnerabilities say of images."""

from datetime import timedelta

from bot.fleet.stage import Bot, Stage, TickOutcome
from bot.store.rows.images.gates import gates


async def gate(bot: Bot) -> TickOutcome:
    from bot.fleet.verify.gating.rows import GatingStore
    from bot.fleet.verify.gating.tick import tick
    from bot.fleet.wiring.gate import gate_options_of
    from bot.fleet.wiring.registries.beside import vex_beside

    options = gate_options_of(bot.settings)
    tally = await tick(bot.stores[GatingStore], options, bot.loop, vex_beside(bot))
    return TickOutcome({"judged": tally.judged, "blocked": tally.blocked}, list(tally.problems))


STAGE = Stage("gate", gate, timedelta(seconds=20), claims=(gates,), only_reads=True)
