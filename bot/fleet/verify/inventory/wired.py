"""The stage `packages` in the service: what is inside of images, by their layers and their SBOMs."""

from datetime import timedelta

from bot.fleet.stage import Bot, Stage, TickOutcome
from bot.store.rows.inventories.inventories import inventories, layers, package_changes, sbom_looks


async def packages(bot: Bot) -> TickOutcome:
    from bot.fleet.verify.inventory import sboms as beside
    from bot.fleet.verify.inventory.rows.inventory import InventoryStore
    from bot.fleet.verify.inventory.rows.sboms import SbomStore
    from bot.fleet.verify.inventory.tick import tick
    from bot.fleet.wiring.registries.beside import BESIDE, SbomsBeside
    from bot.images.cbor import EXTRA, NEEDS, is_installed

    if not is_installed():
        return TickOutcome({}, [f"{NEEDS}: {EXTRA}"])
    platforms = bot.settings.packages.stored_platforms
    registries = SbomsBeside(bot[BESIDE], bot.settings.trust, bot.clock)
    tally = await tick(bot.stores[InventoryStore], bot.registry, platforms, bot.loop)
    sboms = await beside.tick(bot.stores[SbomStore], registries, platforms, bot.loop)
    figures = {
        "layers": tally.layers,
        "images": tally.images,
        "compared": tally.compared,
        "sboms": sboms.sboms,
    }
    return TickOutcome(figures, [*tally.problems, *sboms.problems])


STAGE = Stage(
    "packages",
    packages,
    timedelta(seconds=10),
    claims=(layers, inventories, sbom_looks, package_changes),
    only_reads=True,
)
