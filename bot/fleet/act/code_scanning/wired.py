"""The stage `code scanning` in the service."""

from datetime import timedelta

from bot.fleet.stage import Bot, Stage, TickOutcome
from bot.store.rows.repositories.audits import code_scans


async def code_scanning(bot: Bot) -> TickOutcome:
    from bot.fleet.act.code_scanning.rows import CodeScanningStore
    from bot.fleet.act.code_scanning.tick import tick
    from bot.fleet.act.onboarding.rows import OnboardingsStore
    from bot.fleet.act.wired import act_options
    from bot.fleet.wiring.auditing import scan_logs

    section = bot.settings.audit
    store, unwaivable = bot.stores[OnboardingsStore], frozenset(section.never_waived)
    logs = scan_logs(store, unwaivable, bot.clock, section.admission)
    tally = await tick(bot.stores[CodeScanningStore], bot.forge, logs, act_options(bot), bot.loop)
    return TickOutcome({"done": tally.done}, list(tally.problems))


STAGE = Stage("code scanning", code_scanning, timedelta(seconds=20), claims=(code_scans,))
