"""The stage `audit` in the service: findings of practices, and what the operator lets nobody waive."""

from datetime import timedelta

from bot.fleet.stage import Bot, Stage, TickOutcome
from bot.store.rows.repositories.audits import audits
from bot.store.rows.tables import tasks


async def audit(bot: Bot) -> TickOutcome:
    from bot.fleet.audit.rows import AuditStore
    from bot.fleet.audit.tick import AuditOptions, tick

    wanted = bot.settings.audit
    options = AuditOptions(
        frozenset(wanted.never_waived),
        wanted.opens_issues,
        frozenset(wanted.code_scanning),
        frozenset(wanted.admission),
    )
    tally = await tick(bot.stores[AuditStore], options, bot.loop, bot.builder)
    return TickOutcome({"audited": tally.audited}, tally.problems)


STAGE = Stage("audit", audit, timedelta(seconds=20), claims=(tasks, audits), only_reads=True)
