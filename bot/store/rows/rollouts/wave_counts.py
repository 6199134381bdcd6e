"""Open rollouts, their rebuilds counted by wave, and the rows of what has not begun."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, exists, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.clock import is_yet_to_come
from bot.domain.feeds.advisory import Severity
from bot.domain.rollouts.rebuild import AWAITING, ENDED, Action, RebuildState
from bot.domain.rollouts.rollout import Occasion
from bot.domain.rollouts.steps import StepState
from bot.domain.rollouts.timing.pace import Pace, opened_by
from bot.domain.rollouts.timing.waiting import ReleaseRules, RolloutStanding, Waiting, Waits, release_rules_at
from bot.domain.rollouts.timing.waves import Hold, WavePart, WaveTally
from bot.store.engine.codec import check_moments, readable
from bot.store.rows.repositories.tables import repositories
from bot.store.rows.rollouts.budgets import read_spendings
from bot.store.rows.rollouts.delays import IS_DELAYED
from bot.store.rows.rollouts.quarantined import KEPT_BY, keepers, kept_because
from bot.store.rows.rollouts.rebuilds import was_tried_again
from bot.store.rows.rollouts.rollouts import IS_KEPT, IS_RELEASED, IS_WAITING, open_pauses
from bot.store.rows.rollouts.steps import steps
from bot.store.rows.rollouts.tables import pauses, rebuilds, rollout_waves, rollouts

_COUNTED = (
    RebuildState.SUCCEEDED,
    RebuildState.BUILT,
    RebuildState.MERGED,
    RebuildState.FAILED,
    RebuildState.CANCELLED,
)
"""Ends that count for a wave, a failure until it was tried again; what was superseded or skipped left the wave."""


_WAITS_FOR_APPROVAL = and_(
    rebuilds.c.state == RebuildState.STEPPING,
    exists(
        select(steps.c.id).where(steps.c.rebuild_id == rebuilds.c.id, steps.c.state == StepState.APPROVAL.value)
    ),
)


MAY_BE_LATE = or_(rebuilds.c.action != Action.DISPATCH, rebuilds.c.overdue_at.is_(None))
"""A dispatch takes whatever its tag shows, so it waits for that to have soaked until it is overdue."""


async def standings(
    connection: AsyncConnection, rules: ReleaseRules, *conditions: ColumnElement[bool]
) -> tuple[RolloutStanding, ...]:
    """The open rollouts of which all of `conditions` hold."""
    rows = (await connection.execute(_select_waves(rules, *conditions))).all()
    times = await _times_of_waves(connection)
    waves_by_place: dict[tuple[int, int], list[Any]] = {}
    for row in rows:
        waves_by_place.setdefault((row.rollout_id, row.distance), []).append(row)

    def standing(place: tuple[int, int]) -> RolloutStanding:
        waves = waves_by_place[place]
        rollout, distance = place
        return RolloutStanding(
            rollout,
            {row.wave: _tally(row, *times.get((*place, row.wave), (None, None)), rules.at) for row in waves},
            {row.wave: row.ready for row in waves if row.ready},
            {row.wave: row.longest for row in waves if row.longest is not None},
            sum(row.urgent for row in waves),
            distance,
            {row.wave: row.oldest for row in waves if row.oldest is not None},
        )

    return tuple(readable(waves_by_place, standing, lambda place: f"rollout {place[0]}"))


def _select_waves(rules: ReleaseRules, *conditions: ColumnElement[bool]) -> Select[Any]:
    """A row for each wave of open rollouts at each distance: how many rebuilds are how far, and since when."""
    ready = and_(IS_WAITING, *may_pass(rules))
    longest = func.min(case((and_(ready, MAY_BE_LATE), rebuilds.c.waits_since))).label("longest")
    urgent = and_(ready, is_urgent(rules))
    return _WAVES.add_columns(longest, _count("ready", ready), _count("urgent", urgent)).where(*conditions)


def _count(name: str, met: ColumnElement[bool]) -> ColumnElement[int]:
    return func.sum(case((met, 1), else_=0)).label(name)


_IS_UNDER_WAY = and_(IS_RELEASED, rebuilds.c.state.not_in(ENDED), ~IS_KEPT)


_IS_HELD = and_(rebuilds.c.state.not_in(ENDED), IS_KEPT)


_CANNOT_GO_ON = and_(rebuilds.c.state.in_(AWAITING), IS_DELAYED, or_(IS_WAITING, _IS_UNDER_WAY))


_IS_OPEN_AGAIN = and_(rebuilds.c.state == RebuildState.CANCELLED, rebuilds.c.retried_as.is_not(None))
"""Its closed pull request is: what follows that counts in its place."""


_HAS_ENDED = and_(rebuilds.c.state.in_(_COUNTED), ~was_tried_again(to_its_end=True), ~_IS_OPEN_AGAIN)


_HAS_FAILED = and_(_HAS_ENDED, rebuilds.c.state == RebuildState.FAILED)


IS_IN_PART: Mapping[WavePart, ColumnElement[bool]] = {
    WavePart.WAITING: IS_WAITING,
    WavePart.HELD: _IS_HELD,
    WavePart.UNDER_WAY: _IS_UNDER_WAY,
    WavePart.ENDED: _HAS_ENDED,
    WavePart.FAILED: _HAS_FAILED,
}
"""Which rebuilds each number of a wave counts."""


_WAITING_SINCE = func.coalesce(rebuilds.c.waits_since, rebuilds.c.planned_at)


_RESUMED = select(func.max(pauses.c.until)).where(pauses.c.rollout_id == rebuilds.c.rollout_id).scalar_subquery()


_IS_SEEN = func.coalesce(rebuilds.c.ended_at <= _RESUMED, False)
"""A person has let the rollout go on since it ended."""


_IS_IN_VAIN = rebuilds.c.state.in_((RebuildState.FAILED, RebuildState.CANCELLED))


WAS_REFUSED = and_(
    *(rebuilds.c.run.is_(None), rebuilds.c.merge_commit.is_(None)),
    *(rebuilds.c.dispatches == 0, rebuilds.c.joined.is_(None)),
)
"""Nothing of it was built, nor asked for without an answer."""


_WAVES = (
    select(
        rebuilds.c.rollout_id,
        rebuilds.c.distance,
        rebuilds.c.wave,
        func.max(case((or_(IS_WAITING, _IS_UNDER_WAY, _HAS_ENDED), rebuilds.c.soak_seconds))).label("soak"),
        func.max(case((_HAS_ENDED, rebuilds.c.ended_at))).label("last_end"),
        func.min(case((IS_WAITING, _WAITING_SINCE))).label("oldest"),
        func.min(rebuilds.c.released_at).label("first_release"),
        _count("waiting", IS_WAITING),
        _count("under_way", _IS_UNDER_WAY),
        _count("unmerged", and_(or_(rebuilds.c.state == RebuildState.OPEN, _WAITS_FOR_APPROVAL), ~IS_KEPT)),
        _count("delayed", _CANNOT_GO_ON),
        _count("held", _IS_HELD),
        _count("ended", _HAS_ENDED),
        _count("failed", _HAS_FAILED),
        _count("forgiven", and_(_HAS_FAILED, rebuilds.c.ended_at <= _RESUMED)),
        _count("broken", and_(_HAS_FAILED, ~WAS_REFUSED, ~_IS_SEEN)),
        _count("in_vain", and_(_HAS_ENDED, rebuilds.c.released_at.is_not(None), _IS_IN_VAIN, ~_IS_SEEN)),
    )
    .join(rollouts, rollouts.c.id == rebuilds.c.rollout_id)
    .where(rollouts.c.ended_at.is_(None))
    .group_by(rebuilds.c.rollout_id, rebuilds.c.distance, rebuilds.c.wave)
    .order_by(rebuilds.c.rollout_id, rebuilds.c.distance)
)
"""What is counted of each wave whatever the rules are."""


async def _times_of_waves(
    connection: AsyncConnection,
) -> dict[tuple[int, int, str], tuple[datetime | None, datetime | None]]:
    """When waves of open rollouts began and were done, by rollout, distance and name."""
    open_ones = select(rollouts.c.id).where(rollouts.c.ended_at.is_(None))
    result = await connection.execute(select(rollout_waves).where(rollout_waves.c.rollout_id.in_(open_ones)))
    times = readable(
        result,
        lambda row: ((row.rollout_id, row.distance, row.name), (row.began_at, row.done_since)),
        lambda row: f"wave {row.name} of rollout {row.rollout_id}",
    )
    return dict(times)


def _tally(row: Any, began_at: datetime | None, done_since: datetime | None, now: datetime) -> WaveTally:
    """A wave that a clock that was ahead has let begin began with the first of its rebuilds."""
    check_moments(row)
    if began_at is not None and is_yet_to_come(began_at, now):
        began_at = row.first_release
    soak = None if row.soak is None else timedelta(seconds=row.soak)
    return WaveTally(
        *(row.waiting, row.under_way, row.unmerged, row.ended, row.failed, row.forgiven),
        *(began_at, done_since, soak, row.last_end, row.broken, row.in_vain),
        delayed=row.delayed,
        held=row.held,
    )


def may_pass(rules: ReleaseRules) -> list[ColumnElement[bool]]:
    """Selects rebuilds that wait, whose time has come, and that no freeze holds back."""
    conditions = [IS_WAITING, rebuilds.c.waits_for.is_(None), rebuilds.c.due_at <= rules.at]
    if None in rules.frozen:
        conditions.append(rebuilds.c.severity.is_not(None))
    if frozen_severities := [severity.value for severity in rules.frozen if severity is not None]:
        conditions.append(or_(rebuilds.c.severity.is_(None), rebuilds.c.severity.not_in(frozen_severities)))
    return conditions


def is_urgent(rules: ReleaseRules) -> ColumnElement[bool]:
    """A catch-up keeps to its waves: what it brings has been missing for long, and nearly all of it is severe."""
    catching_up = select(rollouts.c.id).where(rollouts.c.occasion == Occasion.CATCH_UP.value)
    severe = and_(
        rebuilds.c.severity.in_([severity.value for severity in rules.severe]),
        rebuilds.c.rollout_id.not_in(catching_up),
    )
    return or_(severe, rebuilds.c.overdue_at <= rules.at)


async def read_waits(connection: AsyncConnection, rules: ReleaseRules) -> Waits:
    """What has not begun, how its rollouts stand, and what is paused."""
    columns = (
        "id", "rollout_id", "wave", "action", "severity", "due_at", "waits_since", "planned_at", "released_at",
        "gave_way_at", "at_request", "held_because", "distance", "waits_for", "waits_until",
    )  # fmt: skip
    at_home = rebuilds.join(repositories, repositories.c.id == rebuilds.c.repository_id).join(
        rollouts, rollouts.c.id == rebuilds.c.rollout_id
    )
    rows = await connection.execute(
        select(
            *(rebuilds.c[name] for name in columns),
            *(*KEPT_BY, repositories.c.name, repositories.c.forge, rollouts.c.occasion),
        )
        .select_from(keepers(at_home))
        .where(rebuilds.c.state.in_(AWAITING))
    )
    waiting = tuple(readable(rows, _load_waiting, lambda row: f"rebuild {row.id}"))
    return Waits(waiting, await standings(connection, rules), tuple(await open_pauses(connection)))


def _load_waiting(row: Any) -> Waiting:
    return Waiting(
        row.id,
        row.rollout_id,
        row.wave,
        Severity(row.severity) if row.severity else None,
        row.due_at,
        row.waits_since or row.planned_at,
        row.released_at is not None and row.gave_way_at is None,
        row.at_request,
        row.held_because or kept_because(row),
        row.name,
        row.action == Action.PULL_REQUEST.value,
        row.occasion == Occasion.CATCH_UP.value,
        row.distance,
        Hold(row.waits_for, row.waits_until) if row.waits_for and row.released_at is None else None,
        row.forge,
    )


async def read_through(connection: AsyncConnection, pace: Pace, now: datetime) -> dict[int, datetime]:
    """For each rollout, where that can be told, when the last of what waits will have begun."""
    waits = await read_waits(connection, release_rules_at(now, pace.options))
    return opened_by(waits, await read_spendings(connection, pace.limits), pace, now)
