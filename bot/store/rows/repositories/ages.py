"""The workflows that rebuild the fleet as rows, and how old its builds are, counted by the database."""

from datetime import datetime, timedelta

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    UniqueConstraint,
    and_,
    case,
    func,
    literal,
    or_,
    select,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.rollouts.timing.age import BOUNDS, Ages, AgeStanding, ScheduleTrouble
from bot.store.rows.repositories.tables import repositories
from bot.store.rows.schema import DueTable, LongText, Moment, Noted, ShortText, falls_due, leased
from bot.views.repositories.explanation import BuildStatus

workflow_builds = leased(
    "workflow_builds",
    Column("repository_id", ForeignKey("repositories.id", ondelete="CASCADE"), nullable=False),
    Column("workflow", ShortText(128), nullable=False),
    Column("max_age_seconds", Integer),
    Column("node_id", ShortText(128)),
    Column("builds", JSON, nullable=False),
    Column("last_success", Moment),
    Column("ended_run", BigInteger),
    Column("ended_at", Moment),
    Column("read_at", Noted),
    Column("tree", ShortText(64)),
    Column("changed_at", Noted),
    Column("error", LongText),
    Column("judged", Boolean, nullable=False, server_default="0"),
    Column("standing", ShortText(16)),
    Column("said", LongText),
    Column("plan_at", Moment, index=True),
    Column("told_at", Noted),
    UniqueConstraint("repository_id", "workflow"),
    Index(None, "judged"),
)
"""`ended_run` is the run that ended last, and `ended_at` when. `tree` is what the repository held at the last look,
`changed_at` when that was first another one. `standing` and `said` are what `plan` makes of it, `plan_at` when a
rebuild is to be planned, `told_at` when it was last told that none can be."""
falls_due(workflow_builds, DueTable("workflow-builds", is_regular=True))


MOST_TROUBLES = 1000
_FOR_PEOPLE = [standing.value for standing in AgeStanding if standing.needs_person]
_BEYOND, _NEVER, _UNREAD = -1, -2, -3


async def ages_of(connection: AsyncConnection, now: datetime) -> Ages:
    """Counts the ages of all workflows that rebuild listed repositories, with those that need a person."""
    table = workflow_builds.c
    group = case(
        (table.read_at.is_(None), literal(_UNREAD)),
        (table.last_success.is_(None), literal(_NEVER)),
        *((table.last_success >= now - timedelta(days=days), literal(days)) for days in BOUNDS),
        else_=literal(_BEYOND),
    ).label("age")
    home = workflow_builds.join(
        repositories, and_(repositories.c.id == table.repository_id, repositories.c.listed.is_(True))
    )
    counted = await connection.execute(
        select(group, func.count().label("number")).select_from(home).group_by(group)
    )
    counts = {row.age: row.number for row in counted}
    lengths = select(table.max_age_seconds, func.count().label("number")).select_from(home)
    guaranteed = overdue = 0
    for row in await connection.execute(
        lengths.where(table.max_age_seconds.is_not(None)).group_by(table.max_age_seconds)
    ):
        guaranteed += row.number
        too_old = or_(
            table.last_success < now - timedelta(seconds=row.max_age_seconds), table.last_success.is_(None)
        )
        late = (
            select(func.count())
            .select_from(home)
            .where(table.max_age_seconds == row.max_age_seconds, table.read_at.is_not(None), too_old)
        )
        overdue += await connection.scalar(late) or 0
    return Ages(
        {None if age == _BEYOND else age: number for age, number in counts.items() if age not in (_NEVER, _UNREAD)},
        counts.get(_NEVER, 0),
        counts.get(_UNREAD, 0),
        guaranteed,
        overdue,
        await _troubles(connection),
    )


async def builds_of(connection: AsyncConnection, repository: int) -> tuple[BuildStatus, ...]:
    """The workflows that rebuild one repository."""
    table = workflow_builds.c
    rows = await connection.execute(
        select(table.workflow, table.last_success, table.read_at, table.said, table.error)
        .where(table.repository_id == repository)
        .order_by(table.workflow)
    )
    return tuple(
        BuildStatus(row.workflow, row.last_success, row.read_at, row.error or row.said or "") for row in rows
    )


async def _troubles(connection: AsyncConnection) -> tuple[ScheduleTrouble, ...]:
    table = workflow_builds.c
    rows = await connection.execute(
        select(repositories.c.name, table.workflow, table.standing, table.said, table.error)
        .join(repositories, repositories.c.id == table.repository_id)
        .where(
            repositories.c.listed.is_(True),
            table.max_age_seconds.is_not(None),
            or_(table.standing.in_(_FOR_PEOPLE), table.error.is_not(None)),
        )
        .order_by(repositories.c.name, table.workflow)
        .limit(MOST_TROUBLES)
    )
    return tuple(
        ScheduleTrouble(
            row.name,
            row.workflow,
            AgeStanding.UNREADABLE if row.error else AgeStanding(row.standing),
            row.error or row.said or "",
        )
        for row in rows
    )
