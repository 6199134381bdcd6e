"""The fleet, a page of repositories at a time."""

from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, case, func, literal, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store.engine.store import Store
from bot.store.rows.bases.bases import has_base_name
from bot.store.rows.bases.support import ends_of_support, first_ends, stands_on_end
from bot.store.rows.bases.tables import bases
from bot.store.rows.repositories.repositories import standing_days, standings
from bot.store.rows.repositories.tables import repositories, usages
from bot.store.rows.rollouts.tables import rebuilds
from bot.views.bases.support import SupportRow, support_row
from bot.views.fleet.fleet import (
    AGES,
    FRESHNESS_DAYS,
    DayOfFreshness,
    Fleet,
    FleetFilter,
    RepositoryRow,
    Sort,
    Standing,
)
from bot.views.paging import Cut, page_of

_STEPS = (timedelta(days=1), timedelta(days=7), timedelta(days=30))


class FleetStore(Store):
    """Reads the pages of the fleet, and writes nothing."""

    async def fleet(self, fleet_filter: FleetFilter, cut: Cut) -> Fleet:
        """Reads the counts of all, and one page of the repositories that are wanted."""
        now = self._clock.now()
        conditions = _list_conditions(fleet_filter)
        async with self._database.reading() as connection:
            ends = await ends_of_support(connection, now.date(), bases.c.used.is_(True))
            if fleet_filter.age:
                conditions += [*_IS_LATE, _step(now) == fleet_filter.age]
            if fleet_filter.support is not None:
                conditions.append(stands_on_end(ends, fleet_filter.support, now.date()))
            total = await connection.scalar(
                select(func.count())
                .select_from(standings)
                .join(repositories, repositories.c.id == standings.c.repository_id)
                .where(*conditions)
            )
            order = _order(fleet_filter.sort)
            wanted = _ids().where(*conditions).order_by(*order).limit(cut.per_page).offset(cut.offset)
            rows = (await connection.execute(_rows(wanted).order_by(*order))).all()
            first = await first_ends(connection, ends, [row.id for row in rows]) if ends else {}
            shown = tuple(_row(row, support_row(first.get(row.id), now.date())) for row in rows)
            return Fleet(
                await counts(connection),
                await ages(connection, now),
                await _days(connection, now.date()),
                page_of(shown, int(total or 0), cut),
            )

    async def standing(self, name: str) -> Standing | None:
        """Reads how one repository stands; None where it is not listed."""
        async with self._database.reading() as connection:
            standing = await connection.scalar(
                select(standings.c.standing)
                .join(repositories, repositories.c.id == standings.c.repository_id)
                .where(repositories.c.name == name)
            )
        return Standing(standing) if standing else None


async def counts(connection: AsyncConnection, *conditions: ColumnElement[bool]) -> dict[Standing, int]:
    """Counts how many repositories stand how; `conditions` are on their standings."""
    number_rows = await connection.execute(
        select(standings.c.standing, func.count()).where(*conditions).group_by(standings.c.standing)
    )
    by_name = {row[0]: row[1] for row in number_rows}
    return {standing: by_name.get(standing.value, 0) for standing in Standing}


async def ages(connection: AsyncConnection, now: datetime) -> dict[str, int]:
    """Counts the repositories that are behind or failed, by for how long."""
    step = _step(now)
    number_rows = await connection.execute(select(step, func.count()).where(*_IS_LATE).group_by(step))
    by_name = {row[0]: row[1] for row in number_rows}
    return {name: by_name.get(name, 0) for name in AGES}


_IS_LATE = (
    standings.c.standing.in_([Standing.BEHIND.value, Standing.FAILED.value]),
    standings.c.since.is_not(None),
)


def _step(now: datetime) -> ColumnElement[str]:
    """For how long a repository is behind, as one of `AGES`."""
    since = standings.c.since
    steps = [(since > literal(now - step, since.type), name) for step, name in zip(_STEPS, AGES, strict=False)]
    return case(*steps, else_=AGES[-1])


async def _days(connection: AsyncConnection, today: date) -> tuple[DayOfFreshness, ...]:
    rows = await connection.execute(
        select(standing_days)
        .where(standing_days.c.day > today - timedelta(days=FRESHNESS_DAYS))
        .order_by(standing_days.c.day)
    )
    counts_by_day: dict[date, dict[Standing, int]] = {}
    for row in rows:
        counts_by_day.setdefault(row.day, {})[Standing(row.standing)] = row.repositories
    return tuple(DayOfFreshness(day, counted) for day, counted in counts_by_day.items())


def _list_conditions(fleet_filter: FleetFilter) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if fleet_filter.text:
        conditions.append(repositories.c.name.icontains(fleet_filter.text, autoescape=True))
    if fleet_filter.standing is not None:
        conditions.append(standings.c.standing == fleet_filter.standing.value)
    if fleet_filter.base:
        conditions.append(
            repositories.c.id.in_(
                select(usages.c.repository_id)
                .join(bases, bases.c.id == usages.c.base_id)
                .where(has_base_name(fleet_filter.base))
            )
        )
    return conditions


def _order(sort: Sort) -> tuple[ColumnElement[Any], ...]:
    match sort:
        case Sort.NAME:
            return (repositories.c.name.asc(),)
        case Sort.SINCE:
            return (standings.c.since.is_(None).asc(), standings.c.since.asc(), repositories.c.name.asc())
        case Sort.STANDING:
            return (standings.c.rank.asc(), repositories.c.name.asc())


def _ids() -> Select[Any]:
    return select(repositories.c.id).join(standings, standings.c.repository_id == repositories.c.id)


def _rows(wanted: Select[Any]) -> Select[Any]:
    """The rows of one page: their usages are counted once it is known which these are."""
    page = wanted.subquery()
    mine = usages.c.repository_id == repositories.c.id
    return (
        select(
            repositories.c.id,
            repositories.c.name,
            repositories.c.error,
            standings.c.standing,
            standings.c.since,
            rebuilds.c.state,
            rebuilds.c.rollout_id,
            rebuilds.c.url,
            select(func.count()).where(mine, usages.c.base_id.is_not(None)).scalar_subquery().label("usages"),
            select(func.count(usages.c.base_id.distinct())).where(mine).scalar_subquery().label("bases"),
        )
        .join(page, page.c.id == repositories.c.id)
        .join(standings, standings.c.repository_id == repositories.c.id)
        .outerjoin(rebuilds, rebuilds.c.id == standings.c.latest_rebuild)
    )


def _row(row: Any, support: SupportRow | None) -> RepositoryRow:
    return RepositoryRow(
        row.name,
        Standing(row.standing),
        row.usages,
        row.bases,
        row.since,
        row.state,
        row.rollout_id,
        row.url,
        row.error,
        support,
    )
