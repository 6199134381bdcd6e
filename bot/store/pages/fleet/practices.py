"""How the fleet, and each repository, stands to the practices."""

from collections.abc import Collection
from datetime import date, datetime, timedelta

from sqlalchemy import and_, case, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.repositories.finding import Outcome
from bot.store.engine.store import Store
from bot.store.rows.repositories.audits import audits, practice_days, practice_weeks, practices, unpacked
from bot.store.rows.repositories.onboardings import count_onboardings, onboardings
from bot.store.rows.repositories.repositories import limit_to, standings
from bot.store.rows.repositories.tables import repositories
from bot.views.fleet.fleet import Standing
from bot.views.fleet.practices import (
    WEEKS,
    Audited,
    FleetPractices,
    Practice,
    PracticePage,
    PracticeRepository,
    trend_of,
    weeks_of,
)
from bot.views.paging import Cut, page_of

_OUTCOMES = {outcome.value: outcome for outcome in Outcome}
_WORST_FIRST = (Outcome.FAILS, Outcome.UNKNOWN, Outcome.WAIVED, Outcome.HOLDS)
_OF_SHARES = (Outcome.HOLDS.value, Outcome.FAILS.value)


class PracticesStore(Store):
    """Reads the pages of practices, and writes nothing."""

    async def fleet(self) -> FleetPractices:
        """Reads how the fleet stood on the last day that was counted."""
        async with self._database.reading() as connection:
            return await fleet_practices(connection, self._clock.now())

    async def practice(self, check: str, outcome: Outcome | None, cut: Cut) -> PracticePage | None:
        """Reads which repositories stand how to one check, those with this outcome alone where one is given; None
        where no check is called so."""
        from bot.files.audit.rules import RULES

        rule = next((rule for rule in RULES if rule.check == check), None)
        if rule is None:
            return None
        is_of_fleet = and_(
            practices.c.practice == check,
            practices.c.outcome.in_([each.value for each in _WORST_FIRST]),
            repositories.c.listed.is_(True),
        )
        home = practices.join(repositories, repositories.c.id == practices.c.repository_id)
        columns = (repositories.c.name, practices.c.outcome, standings.c.standing)
        rank = case(
            {each.value: place for place, each in enumerate(_WORST_FIRST)}, value=practices.c.outcome, else_=9
        )
        query = (
            select(*columns)
            .select_from(home.outerjoin(standings, standings.c.repository_id == repositories.c.id))
            .where(is_of_fleet)
            .order_by(rank, repositories.c.name)
        )
        if outcome is not None:
            query = query.where(practices.c.outcome == outcome.value)
        numbers = select(practices.c.outcome, func.count()).select_from(home).where(is_of_fleet)
        async with self._database.reading() as connection:
            counts = {
                _OUTCOMES[row[0]]: row[1] for row in await connection.execute(numbers.group_by(practices.c.outcome))
            }
            rows = await connection.execute(query.limit(cut.per_page).offset(cut.offset))
            shown = tuple(
                PracticeRepository(
                    row.name, _OUTCOMES[row.outcome], Standing(row.standing) if row.standing else None
                )
                for row in rows
            )
        total = sum(counts.values()) if outcome is None else counts.get(outcome, 0)
        in_order = {each: counts.get(each, 0) for each in _WORST_FIRST}
        return PracticePage(check, rule.title, rule.severity, in_order, page_of(shown, total, cut))

    async def audited(self, repository: str) -> Audited | None:
        """What was found in a repository; None where the fleet has no such one. The case of its name does not
        count."""
        async with self._database.reading() as connection:
            row = (
                await connection.execute(
                    select(audits.c.audited_at, audits.c.findings)
                    .select_from(repositories)
                    .outerjoin(audits, audits.c.repository_id == repositories.c.id)
                    .where(func.lower(repositories.c.name) == repository.lower(), repositories.c.listed.is_(True))
                )
            ).first()
        if row is None:
            return None
        return Audited(row.audited_at, unpacked(row.findings) if row.findings is not None else ())


async def fleet_practices(
    connection: AsyncConnection, now: datetime, only: Collection[str] | None = None
) -> FleetPractices:
    """The checks that any repository is asked, in the order of the rules; with `only`, as if the fleet had these
    repositories alone, without what days and weeks tell."""
    from bot.files.audit.rules import RULES

    today = now.date()
    counted = await (_days(connection, today) if only is None else _of(connection, only))
    trend_days = [today - timedelta(weeks=back) for back in range(WEEKS, 0, -1)]
    last = max((day for days in counted.values() for day in days), default=today)
    monday = today - timedelta(days=today.weekday())
    moved = {} if only is not None else await _moves(connection, monday - timedelta(weeks=WEEKS - 1))
    rows = []
    for rule in RULES:
        days = counted.get(rule.check, {})
        counts = {outcome: number for outcome, number in days.get(last, {}).items() if number}
        moves = moved.get(rule.check, {})
        if counts or moves:
            trend, weeks = (trend_of(days, trend_days), weeks_of(days, moves, today)) if only is None else ((), ())
            this_week = moves.get(monday, (0, 0))
            rows.append(Practice(rule.check, rule.title, rule.severity, counts, trend, *this_week, weeks))
    of_them = limit_to(audits.c.repository_id, only)
    judged = await connection.scalar(select(func.count()).where(audits.c.audited_at.is_not(None), *of_them))
    waiting = await connection.scalar(select(func.count()).where(audits.c.due_at <= now, *of_them))
    brought = await count_onboardings(connection, *limit_to(onboardings.c.repository_id, only))
    return FleetPractices(int(judged or 0), int(waiting or 0), tuple(rows), brought)


async def _days(connection: AsyncConnection, today: date) -> dict[str, dict[date, dict[Outcome, int]]]:
    """By check and day: the last day that was counted at all, and what shares are made of on the last in each week
    of the calendar, and in each back from today."""
    day_rows = await connection.execute(
        select(practice_days.c.day).where(practice_days.c.day > today - timedelta(weeks=WEEKS + 1)).distinct()
    )
    counted = set(day_rows.scalars())
    last = await connection.scalar(select(func.max(practice_days.c.day)))
    shown_days = {
        max(week)
        for end in (today, today + timedelta(days=6 - today.weekday()))
        for back in range(WEEKS + 1)
        if (week := counted & _week_up_to(end - timedelta(weeks=back)))
    }
    is_in_share = practice_days.c.outcome.in_(_OF_SHARES)
    rows = await connection.execute(
        select(practice_days).where(
            or_(practice_days.c.day == last, and_(practice_days.c.day.in_(sorted(shown_days)), is_in_share))
        )
    )
    counts: dict[str, dict[date, dict[Outcome, int]]] = {}
    for day, practice, outcome, number in rows:
        counts.setdefault(practice, {}).setdefault(day, {})[_OUTCOMES[outcome]] = number
    return counts


def _week_up_to(end: date) -> set[date]:
    return {end - timedelta(days=back) for back in range(7)}


async def _moves(connection: AsyncConnection, since: date) -> dict[str, dict[date, tuple[int, int]]]:
    """Counts what opened and closed, by check and the Monday of its week."""
    moves: dict[str, dict[date, tuple[int, int]]] = {}
    for row in await connection.execute(select(practice_weeks).where(practice_weeks.c.week >= since)):
        moves.setdefault(row.practice, {})[row.week] = (row.opened, row.closed)
    return moves


async def _of(connection: AsyncConnection, only: Collection[str]) -> dict[str, dict[date, dict[Outcome, int]]]:
    """Counts how these repositories stand now, under one day that is none."""
    rows = await connection.execute(
        select(practices.c.practice, practices.c.outcome, func.count().label("number"))
        .join(repositories, repositories.c.id == practices.c.repository_id)
        .where(repositories.c.name.in_(sorted(only)))
        .group_by(practices.c.practice, practices.c.outcome)
    )
    counts: dict[str, dict[date, dict[Outcome, int]]] = {}
    for row in rows:
        counts.setdefault(row.practice, {}).setdefault(date.max, {})[Outcome(row.outcome)] = row.number
    return counts
