"""Rollouts on their way through their waves: what `plan.waves` reads and writes."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, exists, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.clock import is_yet_to_come
from bot.domain.failure import LeaseLost
from bot.domain.rollouts.journal import BOT
from bot.domain.rollouts.rebuild import AWAITING, ENDED, Action, Merging, RebuildState
from bot.domain.rollouts.rollout import Occasion
from bot.domain.rollouts.steps import StepState
from bot.domain.rollouts.timing.waves import WaveTally
from bot.fleet.plan.waves.tick import ReleaseRules, RolloutAdvance, RolloutStanding, Standings
from bot.store.engine.counters import RELEASES, counter, raise_counter
from bot.store.engine.inserting import chunks, insert_into
from bot.store.engine.locking import lock, lock_where
from bot.store.engine.readable import check_moments, readable
from bot.store.engine.store import Store
from bot.store.rows.outbox import announce
from bot.store.rows.rollouts.delays import IS_DELAYED
from bot.store.rows.rollouts.rebuild_store import IS_OUTDATED
from bot.store.rows.rollouts.rebuilds import merging_by_themselves, outdate, was_tried_again
from bot.store.rows.rollouts.rollouts import IS_KEPT, IS_RELEASED, IS_WAITING, is_paused
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


_MAY_BE_LATE = or_(rebuilds.c.action != Action.DISPATCH, rebuilds.c.overdue_at.is_(None))
"""A dispatch takes whatever its tag shows, so it waits for that to have soaked until it is overdue."""


class AdvanceStore(Store):
    """`bot.fleet.plan.waves.tick.AdvanceStore` on the database."""

    async def standings(self, rules: ReleaseRules) -> Standings:
        """The open rollouts that are not paused, each wave counted by the database."""
        async with self._database.reading() as connection:
            known = await counter(connection, RELEASES)
            return Standings(known, await standings(connection, rules, ~is_paused()))

    async def give_way(self, waves: Collection[str], now: datetime) -> int:
        """Gives the places of what fails again and again to others, until it is tried the next time."""
        rests = and_(
            *(rebuilds.c.state.in_(AWAITING), IS_RELEASED, IS_DELAYED, rebuilds.c.wave.in_(waves)),
            *(rebuilds.c.at_request.is_(False), rebuilds.c.lease_owner.is_(None), rebuilds.c.due_at > now),
        )
        async with self._database.reading() as connection:
            if await connection.scalar(select(rebuilds.c.id).where(rests).limit(1)) is None:
                return 0
        async with self._database.transaction() as connection:
            await raise_counter(connection, RELEASES)
            ids = await lock_where(connection, rebuilds, rests)
            for some in chunks(ids):
                await connection.execute(
                    update(rebuilds).where(rebuilds.c.id.in_(some), rests).values(gave_way_at=now)
                )
        return len(ids)

    async def take(self, step: RolloutAdvance, rules: ReleaseRules, known: int) -> int:
        """Lets rebuilds begin, all of it or nothing; how many began."""
        async with self._database.transaction() as connection:
            if await raise_counter(connection, RELEASES) != known + 1:
                raise LeaseLost("another worker has let rebuilds begin meanwhile")
            if step.pause is not None:
                await open_pause(connection, step.rollout, BOT, step.pause, rules.at)
                return 0
            mine = [
                *(rebuilds.c.rollout_id == step.rollout, rebuilds.c.distance == step.distance),
                *_may_pass(rules),
            ]
            began: list[str] = []
            if step.urgent:
                began += await _release(connection, [*mine, _is_urgent(rules)], rules.at)
            for name, most in step.late.items():
                late = [
                    *mine,
                    rebuilds.c.wave == name,
                    rebuilds.c.waits_since <= step.late_since[name],
                    _MAY_BE_LATE,
                ]
                began += await _release(connection, late, rules.at, most)
            for name, most in step.release.items():
                began += await _release(connection, [*mine, rebuilds.c.wave == name], rules.at, most)
            await _keep_times(connection, step, sorted(set(began)), rules.at)
            if step.done:
                await announce(connection, f"rollout:{step.rollout}", rules.at)
            for name in sorted(step.done):
                await announce(connection, f"wave:{step.rollout}:{name}", rules.at)
        return len(began)


async def standings(
    connection: AsyncConnection, rules: ReleaseRules, *where: ColumnElement[bool]
) -> tuple[RolloutStanding, ...]:
    """The open rollouts where all of `where` holds."""
    rows = (await connection.execute(_counted_waves(rules, *where))).all()
    times = await _times_of_waves(connection)
    found: dict[tuple[int, int], list[Any]] = {}
    for row in rows:
        found.setdefault((row.rollout_id, row.distance), []).append(row)

    def standing(place: tuple[int, int]) -> RolloutStanding:
        waves = found[place]
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

    return tuple(readable(found, standing, lambda place: f"rollout {place[0]}"))


def _counted_waves(rules: ReleaseRules, *where: ColumnElement[bool]) -> Select[Any]:
    """A row for each wave of open rollouts at each distance: how many rebuilds are how far, and since when."""
    ready = and_(IS_WAITING, *_may_pass(rules))
    longest = func.min(case((and_(ready, _MAY_BE_LATE), rebuilds.c.waits_since))).label("longest")
    urgent = and_(ready, _is_urgent(rules))
    return _WAVES.add_columns(longest, _count("ready", ready), _count("urgent", urgent)).where(*where)


def _count(name: str, met: ColumnElement[bool]) -> ColumnElement[int]:
    return func.sum(case((met, 1), else_=0)).label(name)


_IS_UNDER_WAY = and_(IS_RELEASED, rebuilds.c.state.not_in(ENDED), ~IS_KEPT)
_CANNOT_GO_ON = and_(rebuilds.c.state.in_(AWAITING), IS_DELAYED, or_(IS_WAITING, _IS_UNDER_WAY))
_IS_OPEN_AGAIN = and_(rebuilds.c.state == RebuildState.CANCELLED, rebuilds.c.retried_as.is_not(None))
"""Its closed pull request is: what follows that counts in its place."""
_HAS_ENDED = and_(rebuilds.c.state.in_(_COUNTED), ~was_tried_again(to_its_end=True), ~_IS_OPEN_AGAIN)
_HAS_FAILED = and_(_HAS_ENDED, rebuilds.c.state == RebuildState.FAILED)
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
    kept = await connection.execute(select(rollout_waves).where(rollout_waves.c.rollout_id.in_(open_ones)))
    times = readable(
        kept,
        lambda row: ((row.rollout_id, row.distance, row.name), (row.began_at, row.done_since)),
        lambda row: f"wave {row.name} of rollout {row.rollout_id}",
    )
    return dict(times)


async def open_pause(
    connection: AsyncConnection, rollout: int | None, who: str, reason: str, now: datetime, *, once: bool = False
) -> bool:
    """Whether this pauses what was not paused; it is told once, and in the rollout's own message. It holds from the
    next write on, also of what is being written, and for what merges by itself.

    With `once` nothing is done where the same was a reason to pause before.
    """
    which = pauses.c.rollout_id.is_(None) if rollout is None else pauses.c.rollout_id == rollout
    same = or_(pauses.c.until.is_(None), pauses.c.reason == reason) if once else pauses.c.until.is_(None)
    if (await connection.execute(select(pauses.c.id).where(same, which))).first() is not None:
        return False
    await _stop_under_way(connection, rollout, now)
    added = await connection.execute(
        insert(pauses).values(rollout_id=rollout, since=now, who=who, reason=reason).returning(pauses.c.id)
    )
    await announce(connection, f"pause:{added.scalar_one()}", now)
    if rollout is not None:
        await announce(connection, f"rollout:{rollout}", now)
    return True


async def _stop_under_way(connection: AsyncConnection, rollout: int | None, now: datetime) -> None:
    """Takes the lease away from the rebuilds that are being written, and has `act` look at what merges by itself.
    What else is written is held by no lease while it is paused.

    All that may be written is locked first, leased or not: what another replica would claim before the pause is
    stored would go on under it.
    """
    mine = [] if rollout is None else [rebuilds.c.rollout_id == rollout]
    is_set = and_(rebuilds.c.state == RebuildState.OPEN.value, rebuilds.c.merging == Merging.SET.value)
    may_be_written = or_(rebuilds.c.state.in_(AWAITING), IS_OUTDATED, is_set)
    for some in chunks(await lock_where(connection, rebuilds, may_be_written, *mine)):
        leased = and_(rebuilds.c.id.in_(some), rebuilds.c.lease_owner.is_not(None))
        await connection.execute(update(rebuilds).where(leased).values(lease_owner=None, lease_until=None))
    merging = await merging_by_themselves(connection, rebuilds.c.merging == Merging.SET.value, *mine)
    await outdate(connection, merging, now)


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
    )


def _may_pass(rules: ReleaseRules) -> list[ColumnElement[bool]]:
    """Selects rebuilds that wait, whose time has come, and that no freeze holds back."""
    found = [IS_WAITING, rebuilds.c.waits_for.is_(None), rebuilds.c.due_at <= rules.at]
    if None in rules.frozen:
        found.append(rebuilds.c.severity.is_not(None))
    if named := [severity.value for severity in rules.frozen if severity is not None]:
        found.append(or_(rebuilds.c.severity.is_(None), rebuilds.c.severity.not_in(named)))
    return found


def _is_urgent(rules: ReleaseRules) -> ColumnElement[bool]:
    """A catch-up keeps to its waves: what it brings has been missing for long, and nearly all of it is severe."""
    catching_up = select(rollouts.c.id).where(rollouts.c.occasion == Occasion.CATCH_UP.value)
    severe = and_(
        rebuilds.c.severity.in_([severity.value for severity in rules.severe]),
        rebuilds.c.rollout_id.not_in(catching_up),
    )
    return or_(severe, rebuilds.c.overdue_at <= rules.at)


async def _release(
    connection: AsyncConnection, where: Sequence[ColumnElement[bool]], now: datetime, most: int | None = None
) -> list[str]:
    """Those that were planned first begin first; the waves of those that began."""
    chosen = select(rebuilds.c.id).where(*where).order_by(rebuilds.c.due_at, rebuilds.c.id).limit(most)
    ids = list((await connection.execute(chosen)).scalars())
    await lock(connection, rebuilds, ids)
    began: list[str] = []
    for some in chunks(ids):
        released = await connection.execute(
            update(rebuilds)
            .where(rebuilds.c.id.in_(some), IS_WAITING, rebuilds.c.waits_for.is_(None))
            .values(released_at=func.coalesce(rebuilds.c.released_at, now), gave_way_at=None)
            .returning(rebuilds.c.wave)
        )
        began += released.scalars()
    return began


async def _keep_times(
    connection: AsyncConnection, step: RolloutAdvance, began: Sequence[str], now: datetime
) -> None:
    for name in began:
        row = insert_into(connection, rollout_waves).values(
            rollout_id=step.rollout, distance=step.distance, name=name, began_at=now
        )
        first = func.coalesce(rollout_waves.c.began_at, now)
        await connection.execute(
            row.on_conflict_do_update(index_elements=["rollout_id", "distance", "name"], set_={"began_at": first})
        )
    for name, since in step.done.items():
        left_out = step.set_aside.get(name, 0)
        row = insert_into(connection, rollout_waves).values(
            rollout_id=step.rollout, distance=step.distance, name=name, done_since=since, set_aside=left_out
        )
        await connection.execute(
            row.on_conflict_do_update(
                index_elements=["rollout_id", "distance", "name"], set_={"done_since": since, "set_aside": left_out}
            )
        )
