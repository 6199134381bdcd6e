"""The stage `images` in the service: what the images of the fleet stand on."""

from datetime import timedelta

from bot.fleet.stage import Bot, Stage, TickOutcome
from bot.fleet.wiring.registries.images import OBSERVED
from bot.store.rows.images.images import images as images_table


async def images(bot: Bot) -> TickOutcome:
    from bot.fleet.verify.images.rows.images import ImagesStore
    from bot.fleet.verify.images.rows.verdicts import VerdictsStore
    from bot.fleet.verify.images.tick import ImagesOptions, tick
    from bot.fleet.wiring.registries.images import registry_images
    from bot.fleet.wiring.registries.trusted import statement_marks

    options = ImagesOptions(bot.settings.schedule.images, mark=statement_marks(bot.settings.trust))
    await bot.stores[VerdictsStore].lapse(options.mark)
    tally = await tick(bot.stores[ImagesStore], registry_images(bot), bot[OBSERVED], options, bot.loop)
    figures = {"looked_at": tally.looked_at, "moved": tally.moved, "told_anew": tally.told_anew}
    return TickOutcome(figures, list(tally.problems))


STAGE = Stage("images", images, timedelta(seconds=10), claims=(images_table,), only_reads=True, parts=(OBSERVED,))
