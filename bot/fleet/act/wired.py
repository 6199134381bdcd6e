"""The stage `act` in the service: rebuilds to pull requests and dispatches."""

from collections.abc import Mapping
from datetime import timedelta

from bot.domain.rollouts.pinning import Refreshed, WantedDigests
from bot.fleet.act.ports import ActOptions
from bot.fleet.stage import Bot, Stage, TickOutcome
from bot.fleet.wiring.registries.trust import TRUSTING
from bot.store.rows.rollouts.tables import rebuilds


def act_options(bot: Bot) -> ActOptions:
    """How what acts on repositories is bounded, and by which policy it goes."""
    settings = bot.settings
    return ActOptions(
        follow_every=settings.schedule.follow,
        open_pull_requests=settings.limits.open_pull_requests_per_repository,
        hosts=bot.hosts,
        policy=bot.policy,
    )


def refresh(files: Mapping[str, bytes], digests_by_path: Mapping[str, WantedDigests]) -> Mapping[str, Refreshed]:
    """Brings files to what is wanted of them; what rewrites them is loaded with the first rebuild."""
    from bot.files.formats.rewrite.refresh import refresh as refreshed

    return refreshed(files, digests_by_path)


async def act(bot: Bot) -> TickOutcome:
    from bot.fleet.act.rows.act import ActStore
    from bot.fleet.act.tick import tick

    store, options = bot.stores[ActStore], act_options(bot)
    tally = await tick(store, bot.forge, bot.builder, bot.registry, refresh, options, bot.loop, bot[TRUSTING])
    return TickOutcome({"done": tally.done}, list(tally.problems))


STAGE = Stage("act", act, timedelta(seconds=5), claims=(rebuilds,), parts=(TRUSTING,))
