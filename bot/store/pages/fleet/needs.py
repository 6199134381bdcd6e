"""What only a person can move, counted by the database, and since when there is nothing."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    CompoundSelect,
    FromClause,
    Select,
    String,
    and_,
    bindparam,
    case,
    cast,
    delete,
    func,
    insert,
    literal,
    null,
    or_,
    select,
    type_coerce,
    union_all,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.bases.support import Support
from bot.domain.rollouts.rebuild import AWAITING, RebuildState
from bot.domain.rollouts.steps import StepState
from bot.domain.rollouts.timing.age import AgeStanding
from bot.store.engine.codec import readable
from bot.store.engine.store import Store
from bot.store.rows.bases.support import ends_of_support
from bot.store.rows.bases.tables import bases, incidents
from bot.store.rows.images.contradictions import CONTRADICTED
from bot.store.rows.repositories.ages import workflow_builds
from bot.store.rows.repositories.repositories import IS_WORD_UNREAD, calm, limit_to, standings
from bot.store.rows.repositories.tables import repositories, usages
from bot.store.rows.rollouts.rebuilds import was_tried_again
from bot.store.rows.rollouts.rollouts import IS_KEPT
from bot.store.rows.rollouts.steps import steps
from bot.store.rows.rollouts.tables import pauses, rebuilds
from bot.store.rows.schema import Moment
from bot.views.fleet.needs import AwaitsPerson, NeedGroup, NeedReason, NeedsYou

MOST_NAMED = 10
"""So many of each reason are named, the oldest first; all are counted."""
MOST_LISTED = 1000
"""So many of one reason are named where it alone is asked for."""
GREEN_FOR = timedelta(days=1)
"""A pull request that could be merged for so long waits for a person."""
STALE_AFTER = timedelta(days=2)
"""One that nobody has merged for so long does so too, whatever it lacks."""
_NOON = time(12)
_UNDATED = cast(null(), Moment)
_LOOKS_EVERY = timedelta(minutes=5)
_OF_SUPPORT = (NeedReason.OUT_OF_SUPPORT, NeedReason.ENDS_SOON)
_REFUSED_AFTER = 2
"""Attempts that the forge has refused in a row: once may be an accident."""


def failed_last() -> ColumnElement[bool]:
    """Whether a rebuild has failed, and nothing has followed: neither another try nor the next rebuild."""
    later = rebuilds.alias()
    is_followed = (
        select(later.c.id)
        .where(
            later.c.repository_id == rebuilds.c.repository_id,
            later.c.id > rebuilds.c.id,
            later.c.id.is_distinct_from(rebuilds.c.retried_as),
        )
        .exists()
    )
    return and_(rebuilds.c.state == RebuildState.FAILED.value, ~was_tried_again(), ~is_followed)


def asked_since() -> ColumnElement[datetime]:
    """Since when an open pull request waits: it was asked for then."""
    return func.coalesce(rebuilds.c.attempted_at, rebuilds.c.planned_at)


class NeedsStore(Store):
    """Reads what needs a person, and keeps since when nothing does."""

    _looked_at: datetime | None = None

    async def needs(self) -> NeedsYou:
        """Reads what needs a person now."""
        async with self._database.reading() as connection:
            return await needs_in(connection, self._clock.now())

    async def group(self, reason: NeedReason) -> NeedGroup | None:
        """Reads all that waits for one reason, of a thousand the first; None where nothing does."""
        now = self._clock.now()
        async with self._database.reading() as connection:
            if reason in _OF_SUPPORT:
                return (await _of_support(connection, now, None, MOST_LISTED)).get(reason)
            [kind] = [kind for kind in _kinds(None) if kind.reason is reason]
            rows = (await connection.execute(_select_first(kind, MOST_LISTED), _moments(now))).all()
        needs = readable(rows, lambda row: row, lambda row: f"what needs a person, {row.reason} of {row.subject}")
        return _group(reason, list(needs)) if needs else None

    async def note_calm(self) -> None:
        """Keeps since when nothing needs a person, and forgets it once something does; looks at most every few
        minutes."""
        now = self._clock.now()
        if self._looked_at is not None and now - self._looked_at < _LOOKS_EVERY:
            return
        self._looked_at = now
        async with self._database.reading() as connection:
            needs = await needs_in(connection, now)
        if bool(needs.groups) != (needs.calm_since is not None):
            return
        async with self._database.transaction() as connection:
            await connection.execute(delete(calm))
            if not needs.groups:
                await connection.execute(insert(calm).values(since=now))


Known = Mapping[NeedReason, Sequence[AwaitsPerson]]
"""All that waits for some reasons, each since a time of its own or none, as whoever asks has read it already."""


async def needs_in(
    connection: AsyncConnection, now: datetime, only: Collection[str] | None = None, known: Known | None = None
) -> NeedsYou:
    """What needs a person, but for ends of support by one statement; with `only`, of these repositories alone, and
    without what concerns the whole fleet. What is `known` is not read again."""
    known = known or {}
    by_reason: dict[str, list[Any]] = {}
    statement = _of_the_fleet(frozenset(known)) if only is None else union_all(*map(_select_first, _kinds(only)))
    rows = await connection.execute(statement, _moments(now))
    for row in readable(rows, lambda row: row, lambda row: f"what needs a person, {row.reason} of {row.subject}"):
        by_reason.setdefault(row.reason, []).append(row)
    groups_by_reason = {
        NeedReason(reason): _group(NeedReason(reason), of_it) for reason, of_it in by_reason.items()
    }
    groups_by_reason |= {
        reason: _group_of_all(reason, all_of_it) for reason, all_of_it in known.items() if all_of_it
    }
    groups_by_reason |= await _of_support(connection, now, only)
    groups = tuple(groups_by_reason[reason] for reason in NeedReason if reason in groups_by_reason)
    calm_rows = () if groups else await connection.execute(select(calm.c.since))
    moments = readable(calm_rows, lambda row: row.since, lambda _: "since when nothing needs a person")
    return NeedsYou(groups, next(iter(moments), None))


@cache
def _of_the_fleet(known: frozenset[NeedReason]) -> CompoundSelect[Any]:
    """The statement over all repositories, put together once, without the reasons that are `known`."""
    return union_all(*(_select_first(kind) for kind in _kinds(None) if kind.reason not in known))


_GREEN_BY, _STALE_BY = bindparam("green_by", type_=Moment), bindparam("stale_by", type_=Moment)


def _moments(now: datetime) -> dict[str, datetime]:
    return {
        "green_by": now - GREEN_FOR,
        "stale_by": now - STALE_AFTER,
    }


class _Kind(NamedTuple):
    """Which rows wait for one reason, and which of their columns say what, since when, why and where."""

    reason: NeedReason
    home: FromClause
    where: ColumnElement[bool]
    subject: ColumnElement[Any]
    since: ColumnElement[Any]
    why: ColumnElement[Any] = literal("")
    url: ColumnElement[Any] = null()
    rebuild: ColumnElement[Any] = null()


def _select_first(kind: _Kind, most: int = MOST_NAMED) -> Select[Any]:
    """The first of those that wait for one reason, each with how many do in all, and how many with its `why`."""
    why = func.coalesce(kind.why, "")
    rows_query = (
        select(
            cast(kind.subject, String).label("subject"),
            type_coerce(kind.since, Moment).label("since"),
            why.label("why"),
            cast(kind.url, String).label("url"),
            cast(kind.rebuild, BigInteger).label("rebuild"),
        )
        .select_from(kind.home)
        .where(kind.where)
    )
    rows = rows_query.subquery()
    first = (
        select(
            literal(kind.reason.value).label("reason"),
            rows,
            func.count().over().label("in_all"),
            func.count().over(partition_by=rows.c.why).label("alike"),
        )
        .order_by(rows.c.since.is_(None), rows.c.since, rows.c.subject)
        .limit(most)
        .subquery()
    )
    return select(first)


def _group(reason: NeedReason, rows: Sequence[Any]) -> NeedGroup:
    """Rows of a union come in no order of their own."""
    ordered = sorted(rows, key=lambda row: (row.since is None, row.since, row.subject))
    subjects = tuple(AwaitsPerson(row.subject, row.since, row.why, row.url, row.rebuild) for row in ordered)
    return NeedGroup(reason, rows[0].in_all, subjects, max((row.alike for row in rows if row.why), default=0))


def _group_of_all(reason: NeedReason, all_of_it: Sequence[AwaitsPerson]) -> NeedGroup:
    """The same of all that waits for it."""
    ordered = sorted(all_of_it, key=lambda need: (need.since is None, need.since or datetime.max, need.subject))
    alike = Counter(need.why for need in all_of_it if need.why)
    return NeedGroup(reason, len(ordered), tuple(ordered[:MOST_NAMED]), max(alike.values(), default=0))


def _kinds(only: Collection[str] | None) -> list[_Kind]:
    """All reasons, in the order in which they are told."""
    kinds = [*_of_rebuilds(), *_of_repositories()]
    if only is None:
        return [_paused(), *kinds, _contradicted()]
    mine = [*limit_to(repositories.c.id, only)]
    return [each._replace(where=and_(each.where, *mine)) for each in kinds]


def _paused() -> _Kind:
    rollout = literal("rollout ") + cast(pauses.c.rollout_id, String)
    whole = case((pauses.c.rollout_id.is_(None), "everything"), else_=rollout)
    why = pauses.c.who + literal(": ") + pauses.c.reason
    return _Kind(NeedReason.PAUSED, pauses, pauses.c.until.is_(None), whole, pauses.c.since, why)


def _of_rebuilds() -> list[_Kind]:
    home = rebuilds.join(repositories, repositories.c.id == rebuilds.c.repository_id)
    name, table = repositories.c.name, rebuilds.c
    is_open = table.state == RebuildState.OPEN.value
    is_green = and_(is_open, table.ready_since.is_not(None), table.ready_since <= _GREEN_BY)
    is_stale = and_(is_open, ~func.coalesce(is_green, False), asked_since() <= _STALE_BY)
    is_refused = and_(table.state.in_(AWAITING), table.refusals >= _REFUSED_AFTER, ~IS_KEPT)
    is_latest = table.id.in_(select(standings.c.latest_rebuild))
    is_unbuilt = and_(table.state == RebuildState.MERGED.value, is_latest)
    is_unproven = and_(table.state == RebuildState.BUILT.value, is_latest)
    in_approval = and_(steps.c.state == StepState.APPROVAL.value, table.state == RebuildState.STEPPING.value)
    with_steps = home.join(steps, steps.c.rebuild_id == rebuilds.c.id)
    return [
        _Kind(NeedReason.FAILED, home, failed_last(), name, table.ended_at, table.reason, table.url, table.id),
        _Kind(NeedReason.REFUSED, home, is_refused, name, asked_since(), table.hindered_by, table.url, table.id),
        _Kind(NeedReason.APPROVAL, with_steps, in_approval, name, steps.c.since, steps.c.reason, steps.c.url),
        _Kind(NeedReason.UNMERGED, home, is_green, name, table.ready_since, literal(""), table.url, table.id),
        _Kind(NeedReason.NOT_READY, home, is_stale, name, asked_since(), table.hindered_by, table.url, table.id),
        _Kind(NeedReason.NOT_BUILT, home, is_unbuilt, name, table.ended_at, table.reason, table.url, table.id),
        _Kind(NeedReason.UNPROVEN, home, is_unproven, name, table.ended_at, table.reason, table.url, table.id),
    ]


def _of_repositories() -> list[_Kind]:
    is_listed = repositories.c.listed.is_(True)
    is_unreadable = and_(is_listed, or_(repositories.c.error.is_not(None), IS_WORD_UNREAD))
    error = func.coalesce(repositories.c.error, repositories.c.config["unread"].as_string())
    builds = workflow_builds.c
    for_people = [standing.value for standing in AgeStanding if standing.needs_person]
    is_late = and_(is_listed, builds.max_age_seconds.is_not(None), builds.standing.in_(for_people))
    home = workflow_builds.join(repositories, repositories.c.id == builds.repository_id)
    return [
        _Kind(NeedReason.UNREADABLE, repositories, is_unreadable, repositories.c.name, _UNDATED, error),
        _Kind(NeedReason.NOT_REBUILT, home, is_late, repositories.c.name, _UNDATED, builds.said),
    ]


def _contradicted() -> _Kind:
    is_open = and_(incidents.c.cleared_at.is_(None), incidents.c.subject.startswith(CONTRADICTED))
    name = func.replace(incidents.c.subject, CONTRADICTED, "")
    return _Kind(NeedReason.CONTRADICTED, incidents, is_open, name, incidents.c.opened_at, incidents.c.detail)


async def _of_support(
    connection: AsyncConnection, now: datetime, only: Collection[str] | None, most: int = MOST_NAMED
) -> dict[NeedReason, NeedGroup]:
    """Repositories by what they stand on: out of support, and soon to be; each once, by its first end."""
    today = now.date()
    by_base = await ends_of_support(connection, today, bases.c.used.is_(True))
    in_order = sorted(set(by_base.values()), key=lambda end: (end.until, end.subject))
    if not in_order:
        return {}
    names_by_end: dict[Support, list[str]] = {end: [] for end in in_order}
    for name, place in await connection.execute(_first_end_of_each(in_order, by_base, only)):
        names_by_end[in_order[place]].append(name)
    reasons = {
        NeedReason.OUT_OF_SUPPORT: [end for end in in_order if end.has_ended(today)],
        NeedReason.ENDS_SOON: [end for end in in_order if not end.has_ended(today)],
    }
    return {
        reason: NeedGroup(
            reason,
            sum(len(names_by_end[end]) for end in ends),
            tuple(_awaits_move(name, end, today) for end in ends for name in sorted(names_by_end[end]))[:most],
            max(len(names_by_end[end]) for end in ends),
        )
        for reason, ends in reasons.items()
        if any(names_by_end[end] for end in ends)
    }


def _awaits_move(repository: str, end: Support, today: date) -> AwaitsPerson:
    """Dated by the noon of its last day, from which any time of day is as many days away as the calendar says."""
    return AwaitsPerson(repository, datetime.combine(end.until, _NOON, tzinfo=UTC), end.told(today))


def _first_end_of_each(
    in_order: Sequence[Support], by_base: Mapping[int, Support], only: Collection[str] | None
) -> Select[Any]:
    """The repositories that stand on any of these bases, each with the place of its first end."""
    places = [
        (usages.c.base_id.in_(sorted(id_ for id_, its in by_base.items() if its == end)), place)
        for place, end in enumerate(in_order)
    ]
    first = (
        select(usages.c.repository_id, func.min(case(*places)).label("place"))
        .where(usages.c.base_id.in_(sorted(by_base)), *limit_to(usages.c.repository_id, only))
        .group_by(usages.c.repository_id)
        .subquery()
    )
    first_ends = select(repositories.c.name, first.c.place).join(first, first.c.repository_id == repositories.c.id)
    return first_ends.where(repositories.c.listed.is_(True))
