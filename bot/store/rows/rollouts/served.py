"""Which changes a repository has been served with, and how long rebuilds are kept that have ended."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, and_, case, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.bases.change import Cause
from bot.domain.bases.observation import Sight
from bot.domain.rollouts.rebuild import ENDED, WITHOUT_EFFECT, Action, RebuildState, Target
from bot.store.engine.codec import load, readable
from bot.store.engine.writing import lock
from bot.store.rows.bases.tables import changes, observations
from bot.store.rows.forgetting import delete_rows, forgets
from bot.store.rows.rollouts.steps import steps
from bot.store.rows.rollouts.tables import rebuilds, transitions

SET_OFF_REBUILDS = [cause.value for cause in Cause if cause.needs_rebuild]


_WAS_REFUSED = and_(
    rebuilds.c.state == RebuildState.FAILED.value,
    *(each.is_(None) for each in (rebuilds.c.pull_request, rebuilds.c.run)),
    or_(rebuilds.c.attempted_at.is_(None), rebuilds.c.action == Action.PULL_REQUEST.value),
)
"""It failed before anything was opened or asked for; a pull request is intended before that is refused."""
IS_UNSERVED = and_(or_(rebuilds.c.state == RebuildState.SKIPPED.value, _WAS_REFUSED), rebuilds.c.call_off.is_(None))
"""A rebuild that nothing came of, and that nobody has called off."""
_IS_MERGED = and_(
    rebuilds.c.action == Action.PULL_REQUEST.value,
    rebuilds.c.state.in_(set(ENDED) - WITHOUT_EFFECT),
)
MERGED_AT = case((_IS_MERGED, rebuilds.c.ended_at))
"""When a rebuild ended whose pull request was merged: a pin that a later reading finds behind was not brought along
by it, since it is new or was put back. None for any other rebuild."""
ATTEMPT = (
    rebuilds.c.id,
    rebuilds.c.repository_id,
    IS_UNSERVED.label("is_unserved"),
    (rebuilds.c.state == RebuildState.SUPERSEDED.value).label("is_superseded"),
    MERGED_AT.label("merged_at"),
    rebuilds.c.targets,
)
"""What `attempt_of` reads."""


@dataclass(frozen=True, slots=True)
class ServingAttempt:
    """What the rebuild `number` says of the `changes` that it takes up; later ones have higher numbers. `merged_at`
    is when it ended, where its pull request was merged."""

    number: int
    changes: frozenset[int]
    is_unserved: bool
    is_superseded: bool
    merged_at: datetime | None = None


def attempt_of(row: Any) -> ServingAttempt:
    """Reads an attempt from a row of `ATTEMPT`; raises Failure where the targets cannot be read."""
    targets = load(row.targets, tuple[Target, ...])
    taken_up = frozenset(change for target in targets for change in target.changes)
    return ServingAttempt(row.id, taken_up, row.is_unserved, row.is_superseded, row.merged_at)


def served_and_skipped(attempts: Iterable[ServingAttempt]) -> tuple[set[int], set[int]]:
    """Tells which changes the rebuilds of one repository have served, and of which one came to nothing.

    What a superseded one was to bring goes on with the later one that takes the change up: that one decides. Where
    there is none any more, the change counts as served, since a second dispatch does more harm than a missing one.
    """
    served_changes: set[int] = set()
    skipped_changes: set[int] = set()
    taken_up_later: set[int] = set()
    for attempt in sorted(attempts, key=lambda each: each.number, reverse=True):
        decided = attempt.changes - taken_up_later if attempt.is_superseded else attempt.changes
        (skipped_changes if attempt.is_unserved else served_changes).update(decided)
        taken_up_later |= attempt.changes
    return served_changes, skipped_changes


def merged_before(attempts: Collection[ServingAttempt], read_at: datetime | None) -> set[int]:
    """Tells which changes a repository has got by pull requests alone that were merged before it was last read."""
    if read_at is None:
        return set()
    counting = [each for each in attempts if not (each.is_superseded or each.is_unserved)]
    seen_merged = {each.number for each in counting if each.merged_at is not None and each.merged_at < read_at}
    merged_changes = {change for each in counting if each.number in seen_merged for change in each.changes}
    return merged_changes - {
        change for each in counting if each.number not in seen_merged for change in each.changes
    }


def last_changes(bases: Collection[int] | None = None) -> Select[tuple[int]]:
    """The last change of each base (of `bases` alone, where given) that asks for rebuilds and that the bot has seen
    itself: what was imported is past."""
    newest = (
        select(func.max(changes.c.to_observation))
        .join(observations, observations.c.id == changes.c.to_observation)
        .where(changes.c.cause.in_(SET_OFF_REBUILDS), observations.c.sight != Sight.FIRST)
        .group_by(changes.c.base_id)
    )
    if bases is not None:
        newest = newest.where(changes.c.base_id.in_(bases))
    return select(changes.c.id).where(changes.c.to_observation.in_(newest))


async def plan_once_more(connection: AsyncConnection, ids: Collection[int]) -> None:
    """Has these changes planned again, for those that no plan of them has served."""
    if ids:
        await lock(connection, changes, ids)
        await connection.execute(update(changes).where(changes.c.id.in_(ids)).values(planned=False))


async def unserved(
    connection: AsyncConnection, repository: int, bases: Collection[int], away_since: datetime | None
) -> set[int]:
    """The last change of each of `bases` of which the repository got nothing.

    That is where its rebuild was skipped, though not by a person's word, and where the base moved while it was
    away: unlisted since its last reading at `away_since`, None for one that was listed all the time. A rebuild that
    cannot be read may have been for any of them: then there is none, since a second dispatch does more harm than a
    missing one, which is told.
    """
    if not bases:
        return set()
    rows = await connection.execute(select(changes.c.id, changes.c.at).where(changes.c.id.in_(last_changes(bases))))
    times = dict(readable(rows, lambda row: (row.id, row.at), lambda row: f"change {row.id}"))
    own_rows = (await connection.execute(select(*ATTEMPT).where(rebuilds.c.repository_id == repository))).all()
    attempts = readable(own_rows, attempt_of, lambda row: f"rebuild {row.id}")
    if len(attempts) < len(own_rows):
        return set()
    served_changes, skipped_changes = served_and_skipped(attempts)
    missed_changes = {id_ for id_, moved_at in times.items() if away_since is not None and moved_at > away_since}
    return (missed_changes | (skipped_changes & times.keys())) - served_changes


@forgets(
    rebuilds,
    "those that have ended, with their steps and transitions, but for those of a base's last change",
    after=None,
)
async def forget_rebuilds(connection: AsyncConnection, before: datetime) -> dict[str, int]:
    old = await _ended_rebuilds(connection, before)
    await lock(connection, rebuilds, old)
    await delete_rows(connection, steps, "rebuild_id", old)
    moves = await delete_rows(connection, transitions, "rebuild_id", old)
    return {"rebuilds": await delete_rows(connection, rebuilds, "id", old), "transitions": moves}


async def _ended_rebuilds(connection: AsyncConnection, before: datetime) -> list[int]:
    """Those whose rollout carries no base's last change.

    A repository that joins the fleet, or falls behind, is still served by such a change, and its rebuilds tell who
    has been.
    """
    needed = select(changes.c.rollout_id).where(changes.c.id.in_(last_changes()), changes.c.rollout_id.is_not(None))
    ended = await connection.execute(
        select(rebuilds.c.id).where(
            rebuilds.c.state.in_(ENDED), rebuilds.c.ended_at < before, rebuilds.c.rollout_id.not_in(needed)
        )
    )
    return list(ended.scalars())
