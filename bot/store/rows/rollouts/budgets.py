"""What has been written for each account, and until when nothing more may be."""

from collections import deque
from collections.abc import Mapping
from datetime import datetime, timedelta

from sqlalchemy import Column, ColumnElement, Index, Integer, Select, Table, and_, case, func, literal, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.failure import LONGEST_PAUSE
from bot.domain.host import Host
from bot.domain.repositories.repository import GITHUB
from bot.domain.rollouts.rebuild import AWAITING, Action
from bot.domain.rollouts.timing.pace import HOUR, Pace, Spending, WriteLimits, at_host
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


def may_be_written(now: datetime, pace: Pace) -> ColumnElement[bool]:
    """Whether a rebuild's account has a turn to give: at all, and where it opens a pull request, for content."""
    opens = and_(rebuilds.c.action == Action.PULL_REQUEST.value, rebuilds.c.state.in_(AWAITING))
    of_full = _of_accounts(pace.forges, None, *_holds(budgets.c.room_at, now, _FARTHEST_ROOM))
    stopped = _holds(budgets.c.stopped_until, now, FARTHEST_STOP)
    may_go: ColumnElement[bool] = ~rebuilds.c.repository_id.in_(_of_accounts(pace.forges, None, *stopped))
    if (builder := pace.builder) is not None:
        is_dispatch = rebuilds.c.action == Action.DISPATCH.value
        of_stopped = _of_accounts(builder.others, builder, *stopped)
        may_go = or_(and_(is_dispatch, ~rebuilds.c.repository_id.in_(of_stopped)), and_(~is_dispatch, may_go))
    is_built_elsewhere = and_(rebuilds.c.action == Action.DISPATCH.value, rebuilds.c.workflow.like("%: %/%"))
    may_go = or_(is_built_elsewhere, may_go)  # whose turn that takes is told as it is written
    return and_(may_go, or_(~opens, ~rebuilds.c.repository_id.in_(of_full)))


def _holds(until: Column[datetime], now: datetime, furthest: timedelta) -> tuple[ColumnElement[bool], ...]:
    return until > now, until <= now + furthest


def _of_accounts(
    others: Mapping[str, Host], host: Host | None, *conditions: ColumnElement[bool]
) -> Select[tuple[int]]:
    """The repositories of accounts of which that holds: at the host of their forge in `others`, else at `host`, or
    at GitHub."""
    account, name = budgets.c.account, func.lower(repositories.c.name)
    if not others and host is None:
        is_its: ColumnElement[bool] = func.substr(name, 1, func.length(account)) == account
        return select(repositories.c.id).join(budgets, is_its).where(*conditions)
    own = literal(at_host(host.name if host is not None else ""))
    beginnings = {forge: at_host(each.name) for forge, each in others.items()}
    elsewhere = repositories.c.forge + at_host(" ").removeprefix(" ")
    begins = case({GITHUB: own, **beginnings}, value=repositories.c.forge, else_=elsewhere)
    is_there = func.substr(account, 1, func.length(begins)) == begins
    is_its = func.substr(begins + name, 1, func.length(account)) == account
    return select(repositories.c.id).join(budgets, and_(is_there, is_its)).where(*conditions)
