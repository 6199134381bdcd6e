"""What has been written for each account, and until when nothing more may be."""

from collections import deque
from datetime import datetime, timedelta

from sqlalchemy import Column, ColumnElement, Index, Integer, Select, Table, and_, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.failure import LONGEST_PAUSE
from bot.domain.rollouts.rebuild import AWAITING, Action
from bot.domain.rollouts.timing.pace import HOUR, Spending, WriteLimits
from bot.store.engine.codec import readable
from bot.store.rows.repositories.tables import repositories
from bot.store.rows.rollouts.tables import rebuilds
from bot.store.rows.schema import LongText, Moment, ShortText, key_column, locked_after, metadata

FARTHEST_STOP = LONGEST_PAUSE + timedelta(hours=1)
"""A forge asks for no longer pause than a day, by whichever machine's clock: a stop that ends later, and room that
comes later than an hour's spendings are over, were told by a clock that was ahead."""
_FARTHEST_ROOM = 2 * HOUR

budgets = Table(
    "budgets",
    metadata,
    Column("account", ShortText(255), primary_key=True),
    Column("next_at", Moment),
    Column("room_at", Moment),
    Column("stopped_since", Moment),
    Column("stopped_until", Moment),
    Column("stopped_because", LongText),
)
"""`account` is how the names of its repositories begin. Two writes never begin before `next_at`; there is room for
content from `room_at` on."""

spendings = Table(
    "spendings",
    metadata,
    key_column(),
    Column("account", ShortText(255), nullable=False),
    Column("at", Moment, nullable=False),
    Column("contents", Integer, nullable=False),
    Index(None, "account", "at"),
)
locked_after(spendings, "budgets")


async def read_spending(connection: AsyncConnection, account: str, limits: WriteLimits) -> Spending:
    """Reads what an account has written within the last hour."""
    rows = await connection.execute(
        select(spendings).where(spendings.c.account == account).order_by(spendings.c.at)
    )
    spent = readable(rows, lambda row: [row.at] * row.contents, lambda row: f"spending {row.id}")
    return Spending(limits, deque(moment for each in spent for moment in each))


async def read_spendings(connection: AsyncConnection, limits: WriteLimits) -> dict[str, Spending]:
    """Reads what was written for each account."""
    accounts = list((await connection.execute(select(budgets.c.account))).scalars())
    return {account: await read_spending(connection, account, limits) for account in accounts}


def may_be_written(now: datetime) -> ColumnElement[bool]:
    """Whether a rebuild's account has a turn to give: at all, and where it opens a pull request, for content."""
    opens = and_(rebuilds.c.action == Action.PULL_REQUEST.value, rebuilds.c.state.in_(AWAITING))
    is_full, is_stopped = (
        rebuilds.c.repository_id.in_(_of_accounts(until > now, until <= now + furthest))
        for until, furthest in ((budgets.c.room_at, _FARTHEST_ROOM), (budgets.c.stopped_until, FARTHEST_STOP))
    )
    return and_(~is_stopped, or_(~opens, ~is_full))


def _of_accounts(*conditions: ColumnElement[bool]) -> Select[tuple[int]]:
    begins = func.substr(func.lower(repositories.c.name), 1, func.length(budgets.c.account))
    return select(repositories.c.id).join(budgets, begins == budgets.c.account).where(*conditions)
