"""How the bot itself fares: queues, budgets, incidents, pauses and what people told it."""

from datetime import datetime, timedelta

from sqlalchemy import case, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store.engine.store import Store
from bot.store.pages.fleet.figures import queues
from bot.store.pages.rows import MOST_ROWS
from bot.store.rows.bases.tables import incidents
from bot.store.rows.rollouts.budgets import budgets, spendings
from bot.store.rows.rollouts.quarantines import open_quarantines
from bot.store.rows.rollouts.rollouts import open_pauses
from bot.store.rows.tables import latest_entries
from bot.views.fleet.figures import BudgetRow, Operations
from bot.views.fleet.status import IncidentRow


class OperationsStore(Store):
    """Reads the page of the bot at work, and writes nothing."""

    async def operations(self) -> Operations:
        """Reads what the page about the bot itself shows: queues, budgets, incidents, pauses, and the newest
        orders."""
        now = self._clock.now()
        async with self._database.reading() as connection:
            troubles = await connection.execute(
                select(incidents)
                .order_by(incidents.c.cleared_at.is_not(None), incidents.c.opened_at.desc())
                .limit(MOST_ROWS // 2)
            )
            return Operations(
                await queues(connection, now),
                await _budgets(connection, now),
                tuple(IncidentRow(row.subject, row.opened_at, row.cleared_at, row.detail) for row in troubles),
                tuple(await open_pauses(connection)),
                await open_quarantines(connection),
                tuple(await latest_entries(connection, MOST_ROWS)),
            )


async def _budgets(connection: AsyncConnection, now: datetime) -> tuple[BudgetRow, ...]:
    in_minute = func.sum(case((spendings.c.at > now - timedelta(minutes=1), spendings.c.contents), else_=0))
    spent = (
        select(spendings.c.account, in_minute.label("minute"), func.sum(spendings.c.contents).label("hour"))
        .where(spendings.c.at > now - timedelta(hours=1))
        .group_by(spendings.c.account)
        .subquery()
    )
    rows = await connection.execute(
        select(budgets, spent.c.minute, spent.c.hour)
        .outerjoin(spent, spent.c.account == budgets.c.account)
        .order_by(budgets.c.account)
        .limit(MOST_ROWS)
    )
    return tuple(
        BudgetRow(row.account, row.minute or 0, row.hour or 0, row.room_at, row.stopped_until, row.stopped_because)
        for row in rows
    )
