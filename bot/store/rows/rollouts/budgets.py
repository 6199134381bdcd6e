"""What has been written for each account, and until when nothing more may be."""

from collections import deque
from datetime import datetime, timedelta

from sqlalchemy import Column, ColumnElement, Index, Integer, Select, Table, and_, func, literal, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.failure import LONGEST_PAUSE
from bot.domain.rollouts.rebuild import AWAITING, Action
from bot.domain.rollouts.timing.pace import HOUR, Spending, WriteLimits, at_host
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


def may_be_written(now: datetime, builder: str = "") -> ColumnElement[bool]:
    """Whether a rebuild's account has a turn to give: at all, and where it opens a pull request, for content.
    `builder` names where builds are started that are not started at the forge."""
    opens = and_(rebuilds.c.action == Action.PULL_REQUEST.value, rebuilds.c.state.in_(AWAITING))
    is_full = rebuilds.c.repository_id.in_(_of_accounts(*_holds(budgets.c.room_at, now, _FARTHEST_ROOM)))
    stopped = _holds(budgets.c.stopped_until, now, FARTHEST_STOP)
    may_go: ColumnElement[bool] = ~rebuilds.c.repository_id.in_(_of_accounts(*stopped))
    if builder:
        is_dispatch = rebuilds.c.action == Action.DISPATCH.value
        may_go = or_(
            and_(is_dispatch, ~rebuilds.c.repository_id.in_(_of_accounts(*stopped, begins=at_host(builder)))),
            and_(~is_dispatch, may_go),
        )
    return and_(may_go, or_(~opens, ~is_full))


def _holds(until: Column[datetime], now: datetime, furthest: timedelta) -> tuple[ColumnElement[bool], ...]:
    return until > now, until <= now + furthest


def _of_accounts(*conditions: ColumnElement[bool], begins: str = "") -> Select[tuple[int]]:
    """The repositories of accounts of which that holds, all of them named with this beginning."""
    name = func.lower(repositories.c.name)
    full_name = literal(begins) + name if begins else name
    is_its = func.substr(full_name, 1, func.length(budgets.c.account)) == budgets.c.account
    named = (budgets.c.account.startswith(begins, autoescape=True),) if begins else ()
    return select(repositories.c.id).join(budgets, is_its).where(*named, *conditions)
