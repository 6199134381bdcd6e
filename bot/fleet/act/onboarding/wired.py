"""The stage `onboarding` in the service: practices, brought to repositories that the settings name."""

from datetime import timedelta

from bot.fleet.act.onboarding.ports import OnboardingOptions
from bot.fleet.stage import Bot, Stage, TickOutcome
from bot.store.rows.repositories.onboardings import onboardings


def onboarding_options(bot: Bot) -> OnboardingOptions:
    """Reads from the settings who is to be onboarded, and how many at once."""
    from bot.fleet.wiring.grants import forge_page

    settings = bot.settings
    section = settings.onboarding
    return OnboardingOptions(
        tuple(section.repositories),
        section.at_once,
        tuple(section.checks),
        bot.policy.freezes,
        settings.limits.open_pull_requests_per_repository,
        settings.schedule.follow,
        web=forge_page(settings.github.api_url),
        host=bot.hosts.forge,
    )


async def onboarding(bot: Bot) -> TickOutcome:
    from bot.fleet.act.onboarding.rows import OnboardingsStore
    from bot.fleet.act.onboarding.tick import tick
    from bot.fleet.wiring.auditing import proposer_of

    store, proposer = bot.stores[OnboardingsStore], proposer_of(bot.settings)
    tally = await tick(store, bot.forge, bot.builder, proposer, onboarding_options(bot), bot.loop)
    return TickOutcome({"done": tally.done, "enlisted": tally.enlisted}, list(tally.problems))


STAGE = Stage("onboarding", onboarding, timedelta(seconds=20), claims=(onboardings,))
