"""Rollouts, bases, repositories, advisories, upstream and operations, each as one page shows it."""

from collections import defaultdict
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from statistics import median_high
from typing import Any
from urllib.parse import quote

from sqlalchemy import ColumnElement, String, case, cast, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.bases.advisory import Advisory
from bot.domain.bases.change import Cause
from bot.domain.bases.notice import Topic
from bot.domain.reference import Base
from bot.domain.repositories.repository_config import RepositoryConfig
from bot.domain.repositories.usage import Problem, Usage
from bot.domain.rollouts.journal import Entry, Word
from bot.domain.rollouts.rebuild import ENDED
from bot.plan.advance import RolloutOptions
from bot.store.engine.codec import load
from bot.store.engine.readable import readable
from bot.store.engine.store import Store
from bot.store.pages.figures import queues
from bot.store.pages.images import images_of, images_on
from bot.store.pages.rows import (
    base_row,
    latest_changes,
    latest_rebuilds,
    line_url,
    notice_rows,
    open_quarantines,
    rebuild_page,
    states,
)
from bot.store.rows.bases.bases import named
from bot.store.rows.bases.own_bases import IS_CONCERNED
from bot.store.rows.repositories.ages import builds_of
from bot.store.rows.repositories.standings import standings
from bot.store.rows.rollouts.budgets import budgets, spendings
from bot.store.rows.rollouts.rollouts import open_pauses
from bot.store.rows.tables import (
    advisories,
    bases,
    changes,
    documents,
    incidents,
    journal,
    notices,
    quarantines,
    rebuilds,
    repositories,
    rollouts,
    transitions,
    usages,
)
from bot.store.views import ViewsStore
from bot.views.bases.advisories import Advisories, AdvisoryPage, AdvisoryRow, FixState, states_of
from bot.views.bases.base import BasePage, Bases
from bot.views.bases.upstream import FeedRow, LagSummary, Upstream
from bot.views.fleet.fleet import Standing
from bot.views.fleet.operations import BudgetRow, IncidentRow, Operations
from bot.views.paging import Cut, Page, page_of
from bot.views.repositories.repository import Decision, FileProblem, RepositoryPage, UsageRow
from bot.views.rollouts.page import RolloutPage, RolloutSummary, summary_of
from bot.watch.feeds.combine import combine

_MOST_CHANGES = 40
_MOST_LAGS = 40
_MOST_USERS = 24
_MOST_USAGES = 100
_MOST_REBUILDS = 20
_MOST_DECISIONS = 80
_MOST_ROWS = 60
_LAGS = (Topic.RELEASE_LAG.value, Topic.SIBLING_LAG.value)


class PagesStore(Store):
    """Reads only."""

    async def rollouts(self, options: RolloutOptions, cut: Cut) -> Page[RolloutSummary]:
        """The newest first."""
        async with self._database.reading() as connection:
            total = int(await connection.scalar(select(func.count()).select_from(rollouts)) or 0)
        views = ViewsStore(self._database, self._worker, self._clock)
        found = await views.progress(options, self._clock.now(), limit=cut.per_page, offset=cut.offset)
        return page_of(tuple(summary_of(each, ENDED) for each in found), total, cut)

    async def open_rollouts(self, options: RolloutOptions, most: int) -> tuple[RolloutSummary, ...]:
        """Those that have not ended, the newest first."""
        views = ViewsStore(self._database, self._worker, self._clock)
        found = await views.progress(options, self._clock.now(), limit=most, is_open=True)
        return tuple(summary_of(each, ENDED) for each in found)

    async def rollout(
        self, number: int, options: RolloutOptions, cut: Cut, state: str | None = None
    ) -> RolloutPage | None:
        """One page of its rebuilds, those in `state` alone where it is given."""
        views = ViewsStore(self._database, self._worker, self._clock)
        found = await views.progress(options, self._clock.now(), number=number)
        if not found:
            return None
        where = [rebuilds.c.rollout_id == number, rebuilds.c.retried_as.is_(None)]
        where += [rebuilds.c.state == state] if state is not None else []
        mine = changes.c.rollout_id == number
        async with self._database.reading() as connection:
            return RolloutPage(
                found[0],
                await latest_changes(connection, _MOST_CHANGES, mine),
                int(await connection.scalar(select(func.count()).where(mine)) or 0),
                await rebuild_page(connection, cut, sum((await states(connection, *where)).values()), *where),
            )

    async def bases(self, text: str, cut: Cut) -> Bases:
        """Those in use whose name holds `text`."""
        where: list[ColumnElement[bool]] = [bases.c.used.is_(True)]
        if text:
            name = bases.c.registry + "/" + bases.c.repository + ":" + bases.c.tag
            where.append(name.icontains(text, autoescape=True))
        async with self._database.reading() as connection:
            total = await connection.scalar(select(func.count()).select_from(bases).where(*where))
            rows = await connection.execute(
                select(bases, _users_of_base())
                .where(*where)
                .order_by(bases.c.repository, bases.c.tag, bases.c.registry)
                .limit(cut.per_page)
                .offset(cut.offset)
            )
            return Bases(page_of(tuple(map(base_row, rows)), int(total or 0), cut))

    async def base(self, name: str) -> BasePage | None:
        async with self._database.reading() as connection:
            row = (await connection.execute(select(bases, _users_of_base()).where(named(name)))).first()
            if row is None:
                return None
            users = await connection.execute(
                select(repositories.c.name)
                .where(repositories.c.id.in_(select(usages.c.repository_id).where(usages.c.base_id == row.id)))
                .order_by(repositories.c.name)
                .limit(_MOST_USERS)
            )
            mine = notices.c.base_id == row.id
            lags = await notice_rows(
                connection,
                _MOST_LAGS,
                [notices.c.since.desc()],
                mine,
                notices.c.topic.in_(_LAGS),
                notices.c.until.is_not(None),
            )
            kept = await open_quarantines(connection, quarantines.c.base_id == row.id)
            return BasePage(
                base_row(row),
                await latest_changes(connection, _MOST_CHANGES, changes.c.base_id == row.id),
                lags[::-1],
                await notice_rows(
                    connection,
                    _MOST_ROWS,
                    [notices.c.since],
                    mine,
                    notices.c.cleared_at.is_(None),
                    notices.c.topic.not_in(_LAGS),
                ),
                kept[0] if kept else None,
                tuple(users.scalars()),
                await images_on(
                    connection, Base(row.registry, row.repository, row.tag), _MOST_USERS, self._clock.now()
                ),
            )

    async def repository(self, name: str, web: str) -> RepositoryPage | None:
        """`web` is where the forge shows repositories to people."""
        today = self._clock.now().date()
        async with self._database.reading() as connection:
            row = (
                await connection.execute(
                    select(repositories, standings.c.standing, standings.c.since)
                    .outerjoin(standings, standings.c.repository_id == repositories.c.id)
                    .where(repositories.c.name == name)
                )
            ).first()
            if row is None:
                return None
            config = load(row.config, RepositoryConfig)
            place = _Place(web, row.name, row.default_branch, config, today)
            mine = usages.c.repository_id == row.id
            shown = await connection.execute(
                select(
                    usages.c.id, usages.c.usage, bases.c.registry, bases.c.repository, bases.c.tag, bases.c.digest
                )
                .outerjoin(bases, bases.c.id == usages.c.base_id)
                .where(mine, IS_CONCERNED)
                .order_by(usages.c.base_id.is_(None), usages.c.id)
                .limit(_MOST_USAGES)
            )
            built = await latest_rebuilds(connection, _MOST_REBUILDS, rebuilds.c.repository_id == row.id)
            steps = await connection.execute(
                select(transitions)
                .where(transitions.c.rebuild_id.in_([each.id for each in built]))
                .order_by(transitions.c.id.desc())
                .limit(_MOST_DECISIONS)
            )
            return RepositoryPage(
                row.name,
                f"{web}/{quote(row.name)}",
                Standing(row.standing) if row.standing else None,
                row.since,
                row.default_branch,
                row.read_at,
                row.error,
                config.enabled,
                tuple(readable(shown, place.usage, lambda each: f"usage {each.id}")),
                int(await connection.scalar(select(func.count()).where(mine)) or 0),
                tuple(map(place.problem, load(row.problems, tuple[Problem, ...])[:_MOST_ROWS])),
                built,
                int(await connection.scalar(select(func.count()).where(rebuilds.c.repository_id == row.id)) or 0),
                tuple(Decision(each.rebuild_id, each.at, each.before, each.after, each.reason) for each in steps),
                await builds_of(connection, row.id),
                await images_of(connection, row.id, _MOST_ROWS, self._clock.now()),
            )

    async def advisories(self, text: str, cut: Cut) -> Advisories:
        """Those whose CVE or title holds `text`."""
        where = [cast(advisories.c.advisory, String).icontains(text, autoescape=True)] if text else []
        cves = select(advisories.c.cve).where(*where).distinct()
        async with self._database.reading() as connection:
            total = await connection.scalar(select(func.count()).select_from(cves.subquery()))
            number = func.length(advisories.c.cve)
            wanted = await connection.execute(
                select(advisories.c.cve)
                .where(*where)
                .group_by(advisories.c.cve)
                .order_by(
                    func.substr(advisories.c.cve, 1, 8).desc(), func.max(number).desc(), advisories.c.cve.desc()
                )
                .limit(cut.per_page)
                .offset(cut.offset)
            )
            found = await _advisories(connection, list(wanted.scalars()))
        return Advisories(page_of(tuple(map(_advisory_row, found.values())), int(total or 0), cut))

    async def advisory(self, cve: str, cut: Cut, fix: FixState | None = None) -> AdvisoryPage | None:
        """With the changes that brought the fix, and the rebuilds of their rollouts in the repositories that use
        their bases, those alone in which it has come as far as `fix` where that is given."""
        async with self._database.reading() as connection:
            found = (await _advisories(connection, [cve])).get(cve)
            if found is None:
                return None
            brought = await connection.execute(
                select(changes.c.id, changes.c.base_id, changes.c.rollout_id).where(
                    changes.c.cause == Cause.DOTNET_SECURITY.value,
                    cast(changes.c.change, String).contains(f'"{cve}"', autoescape=True),
                )
            )
            rows = brought.all()
            users = select(usages.c.repository_id).where(usages.c.base_id.in_({row.base_id for row in rows}))
            where = (
                rebuilds.c.rollout_id.in_({row.rollout_id for row in rows if row.rollout_id is not None}),
                rebuilds.c.retried_as.is_(None),
                rebuilds.c.repository_id.in_(users),
            )
            counted = await states(connection, *where)
            fixes = {each: sum(counted.get(state, 0) for state in states_of(each)) for each in FixState}
            shown = () if fix is None else (rebuilds.c.state.in_(states_of(fix)),)
            total = sum(fixes.values()) if fix is None else fixes[fix]
            return AdvisoryPage(
                _advisory_row(found),
                tuple(dict.fromkeys(f"{proof.source}: {proof.locator}" for proof in found.evidence)),
                found.links,
                found.fixed_versions,
                tuple(sorted(found.families)),
                tuple(sorted(found.systems)),
                found.disagreements,
                await latest_changes(connection, _MOST_CHANGES, changes.c.id.in_([row.id for row in rows])),
                counted,
                fixes,
                await rebuild_page(connection, cut, total, *where, *shown),
            )

    async def upstream(self) -> Upstream:
        async with self._database.reading() as connection:
            measured = await connection.execute(
                select(notices.c.topic, bases.c.repository, notices.c.since, notices.c.until)
                .join(bases, bases.c.id == notices.c.base_id)
                .where(notices.c.topic.in_(_LAGS), notices.c.until.is_not(None))
                .order_by(notices.c.id.desc())
                .limit(5_000)
            )
            took: dict[tuple[str, str], list[timedelta]] = defaultdict(list)
            for row in measured:
                family = row.repository.rpartition("/")[2]
                took[row.topic, family].append(max(row.until - row.since, timedelta()))
            count = await connection.scalar(select(func.count()).select_from(documents))
            feeds = await connection.execute(
                select(documents)
                .order_by(documents.c.error.is_(None), documents.c.kind, documents.c.url.desc())
                .limit(_MOST_ROWS)
            )
            return Upstream(
                tuple(
                    LagSummary(topic, family, len(all_), median_high(all_), max(all_))
                    for (topic, family), all_ in sorted(took.items())
                ),
                await notice_rows(
                    connection,
                    _MOST_LAGS,
                    [notices.c.since.desc()],
                    notices.c.topic.in_(_LAGS),
                    notices.c.until.is_not(None),
                ),
                await notice_rows(
                    connection,
                    _MOST_ROWS,
                    [notices.c.topic, notices.c.since],
                    notices.c.cleared_at.is_(None),
                    notices.c.topic.not_in(_LAGS),
                ),
                tuple(FeedRow(row.url, row.kind, row.checked_at, row.fetched_at, row.error) for row in feeds),
                int(count or 0),
            )

    async def operations(self) -> Operations:
        now = self._clock.now()
        async with self._database.reading() as connection:
            troubles = await connection.execute(
                select(incidents)
                .order_by(incidents.c.cleared_at.is_not(None), incidents.c.opened_at.desc())
                .limit(_MOST_ROWS // 2)
            )
            entries = await connection.execute(select(journal).order_by(journal.c.id.desc()).limit(_MOST_ROWS))
            return Operations(
                await queues(connection, now),
                await _budgets(connection, now),
                tuple(IncidentRow(row.subject, row.opened_at, row.cleared_at, row.detail) for row in troubles),
                tuple(await open_pauses(connection)),
                await open_quarantines(connection),
                tuple(
                    Entry(row.at, Word(row.who, row.reason, row.is_claimed), row.what, row.subject)
                    for row in entries
                ),
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
        .limit(_MOST_ROWS)
    )
    return tuple(
        BudgetRow(row.account, row.minute or 0, row.hour or 0, row.room_at, row.stopped_until, row.stopped_because)
        for row in rows
    )


class _Place:
    """Where a repository's files are shown."""

    def __init__(self, web: str, name: str, branch: str, config: RepositoryConfig, today: date) -> None:
        self._web = web
        self._name = name
        self._branch = branch
        self._config = config
        self._today = today

    def usage(self, row: Any) -> UsageRow:
        usage = load(row.usage, Usage)
        base = Base(row.registry, row.repository, row.tag) if row.tag else None
        pinned = usage.reference.digest
        left = self._config.ignored_by(usage.path, str(base or usage.reference.base), self._today)
        return UsageRow(
            usage.path,
            usage.line,
            str(usage.reference),
            usage.role.value,
            usage.stage,
            str(base) if base else None,
            None if base is None or pinned is None or row.digest is None else pinned == row.digest,
            str(left) if left else None,
            self._line(usage.path, usage.line),
        )

    def problem(self, found: Problem) -> FileProblem:
        return FileProblem(found.path, found.line, found.message, self._line(found.path, found.line))

    def _line(self, path: str, line: int) -> str:
        return line_url(self._web, self._name, self._branch, path, line)


def _users_of_base() -> Any:
    return (
        select(func.count(usages.c.repository_id.distinct()))
        .where(usages.c.base_id == bases.c.id)
        .scalar_subquery()
        .label("repositories")
    )


async def _advisories(connection: AsyncConnection, cves: list[str]) -> Mapping[str, Advisory]:
    """Each combined from what its sources say, in the order in which they are asked for."""
    rows = await connection.execute(
        select(advisories.c.cve, advisories.c.source, advisories.c.advisory).where(advisories.c.cve.in_(cves))
    )
    said: dict[str, list[Advisory]] = {}
    for each in readable(rows, lambda row: load(row.advisory, Advisory), lambda row: f"{row.cve} of {row.source}"):
        said.setdefault(each.cve, []).append(each)
    return {cve: combine(said[cve]) for cve in cves if cve in said}


def _advisory_row(found: Advisory) -> AdvisoryRow:
    severity = found.severity.value if found.severity else None
    return AdvisoryRow(found.cve, found.title, severity, found.score, found.published_at)
