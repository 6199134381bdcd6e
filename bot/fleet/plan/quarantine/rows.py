"""How builds on new digests ended, and which digests are held back: what `plan.quarantine` reads and writes."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Text, and_, cast, exists, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.evidence import ImageVerdict
from bot.domain.feeds.advisory import SEVERE, Severity
from bot.domain.reference import Base
from bot.domain.rollouts.journal import BOT
from bot.domain.rollouts.quarantine import GREEN_WITHIN, LEAST_BROKEN, BuildEnd, Suspect
from bot.domain.rollouts.rebuild import Action, RebuildState, Target
from bot.fleet.plan.quarantine.tick import KnownEnd
from bot.store.engine.codec import readable
from bot.store.engine.counters import RELEASES, raise_counter
from bot.store.engine.store import Store
from bot.store.orders.retrying import is_dispatchable, retried
from bot.store.rows.bases.bases import has_base_name
from bot.store.rows.bases.tables import base_of, bases
from bot.store.rows.repositories.tables import repositories
from bot.store.rows.rollouts.quarantines import (
    is_any_to_lift,
    lift_published,
    open_quarantine,
    something_came,
)
from bot.store.rows.rollouts.rebuild_store import open_pause
from bot.store.rows.rollouts.rebuilds import after_transitions, read_rebuilds, read_targets
from bot.store.rows.rollouts.tables import pauses, quarantines, rebuilds, rollouts

_WAS_BUILT = rebuilds.c.built_at.is_not(None)
_IS_GREEN = and_(
    _WAS_BUILT,
    or_(rebuilds.c.proof.is_(None), rebuilds.c.proof.in_([ImageVerdict.PROVED.value, ImageVerdict.UNKNOWN.value])),
)
"""Whatever became of its steps. An image that does not stand on the new base tells nothing of that base."""
_IS_RED = and_(rebuilds.c.state == RebuildState.FAILED.value, ~_WAS_BUILT)
_PAUSED_BY_PERSON = exists(
    select(pauses.c.id).where(
        pauses.c.until.is_(None), pauses.c.rollout_id == rebuilds.c.rollout_id, pauses.c.who != BOT
    )
)
_BUILT_AT = func.coalesce(rebuilds.c.built_at, rebuilds.c.ended_at)


class QuarantineStore(Store):
    """`bot.fleet.plan.quarantine.tick.QuarantineStore` on the database."""

    async def lift_published(self) -> int:
        """Looks first, so that a tick with nothing to do writes nothing, also while a quarantine holds."""
        now = self._clock.now()
        open_ones = select(quarantines.c.id).where(quarantines.c.until.is_(None)).limit(1)
        async with self._database.reading() as connection:
            none_is_open = (await connection.execute(open_ones)).first() is None
            if none_is_open and not await something_came(connection):
                return 0
            if not none_is_open and not await is_any_to_lift(connection, now):
                return 0
        async with self._database.transaction() as connection:
            await raise_counter(connection, RELEASES)
            return await lift_published(connection, now)

    async def ends(self) -> list[KnownEnd]:
        """Reads how builds ended: dispatched runs, and what built merged pull requests."""
        since = self._clock.now() - 2 * GREEN_WITHIN
        async with self._database.reading() as connection:
            result = await connection.execute(
                select(rebuilds.c.rollout_id, rebuilds.c.repository_id)
                .where(*_is_build(_IS_RED), rebuilds.c.ended_at >= since + GREEN_WITHIN)
                .distinct()
            )
            pairs = result.all()
            if len({pair.repository_id for pair in pairs}) < LEAST_BROKEN:
                return []
            shown_digests = await _unjudged_digests(connection)
            green = await _last_green_builds(connection, {pair.repository_id for pair in pairs}, since)
            rows = await connection.execute(
                _builds(
                    *_is_build(_IS_GREEN, _IS_RED), rebuilds.c.rollout_id.in_({pair.rollout_id for pair in pairs})
                )
            )
            builds = readable(rows, lambda row: row, lambda row: f"rebuild {row.id}")
            replacements = await _replacements_of(connection, {pair.rollout_id for pair in pairs})
        targets_by_build = read_targets(builds)
        by_id = {row.id: row for row in builds}
        reruns = {row.id: _last_of(row.retried_as, replacements) for row in builds if row.retried_as is not None}
        retries = set(reruns.values())
        return [
            KnownEnd(row.id, end, row.severity is not None and Severity(row.severity) in SEVERE)
            for row in builds
            if row.id not in retries
            for end in _ends_of(
                row, targets_by_build.get(row.id, ()), _failed_again(row, reruns, by_id), shown_digests, green
            )
        ]

    async def run_again(self, ids: Sequence[int]) -> int:
        """One more run each, as a rebuild that begins at once; none in a rollout that a person has paused."""
        if not ids:
            return 0
        now = self._clock.now()
        async with self._database.transaction() as connection:
            await raise_counter(connection, RELEASES)
            failed_rebuilds = await read_rebuilds(
                connection, rebuilds.c.id.in_(ids), rebuilds.c.retried_as.is_(None), ~_PAUSED_BY_PERSON
            )
            reason = "run once more, to tell an accident from a base that is broken"
            retries = [await retried(connection, each, reason, now) for each in failed_rebuilds]
            await after_transitions(connection, {each.rollout for each in retries}, now)
        return len(retries)

    async def quarantine(self, suspect: Suspect) -> bool:
        now = self._clock.now()
        async with self._database.transaction() as connection:
            await raise_counter(connection, RELEASES)
            number = await _id_of(connection, suspect.base)
            earlier = select(quarantines.c.id).where(
                quarantines.c.base_id == number, quarantines.c.digest == suspect.digest
            )
            if (await connection.execute(earlier)).first() is not None:
                return False  # it holds, or a person has lifted it, and knows better
            return await open_quarantine(connection, number, suspect.digest, BOT, _reason(suspect), now)

    async def ask(self, suspect: Suspect) -> int:
        """Each rollout is asked about once: whoever resumes it has answered. Looks first, as the others do."""
        async with self._database.reading() as connection:
            if not await _rollouts_to_ask_about(connection, suspect):
                return 0
        now, reason = self._clock.now(), _question(suspect)
        async with self._database.transaction() as connection:
            await raise_counter(connection, RELEASES)
            numbers = await _rollouts_to_ask_about(connection, suspect)
            return sum([await open_pause(connection, each, BOT, reason, now, once=True) for each in numbers])


async def _rollouts_to_ask_about(connection: AsyncConnection, suspect: Suspect) -> list[int]:
    """The open rollouts in which builds failed on this digest, and that are not paused nor were for that."""
    is_known = exists(
        select(pauses.c.id).where(
            pauses.c.rollout_id == rollouts.c.id,
            or_(pauses.c.until.is_(None), pauses.c.reason == _question(suspect)),
        )
    )
    unasked = select(rollouts.c.id).where(rollouts.c.ended_at.is_(None), ~is_known)
    concerned = await connection.execute(_builds(*_is_build(_IS_RED)).where(rebuilds.c.rollout_id.in_(unasked)))
    rows = concerned.all()
    targets_by_build = read_targets(rows)
    return sorted({row.rollout_id for row in rows if _brings(targets_by_build.get(row.id, ()), suspect)})


def _is_build(*endings: ColumnElement[bool]) -> list[ColumnElement[bool]]:
    was_started = and_(rebuilds.c.action == Action.DISPATCH.value, rebuilds.c.run.is_not(None))
    return [or_(was_started, rebuilds.c.merge_commit.is_not(None)), or_(*endings)]


def _builds(*conditions: Any) -> Any:
    columns = (
        *(rebuilds.c.id, rebuilds.c.rollout_id, rebuilds.c.repository_id, rebuilds.c.state, rebuilds.c.targets),
        *(rebuilds.c.merge_commit, rebuilds.c.workflow, cast(repositories.c.workflows, Text).label("workflows")),
        *(
            rebuilds.c.built_at,
            _BUILT_AT.label("ended_at"),
            rebuilds.c.retried_as,
            rebuilds.c.severity,
            repositories.c.name,
        ),
    )
    return select(*columns).join(repositories, repositories.c.id == rebuilds.c.repository_id).where(*conditions)


async def _unjudged_digests(connection: AsyncConnection) -> dict[Base, str]:
    """What bases show now and nobody has judged yet: on what is, or was, quarantined nothing is tried again."""
    is_judged = exists(
        select(quarantines.c.id).where(quarantines.c.base_id == bases.c.id, quarantines.c.digest == bases.c.digest)
    )
    rows = await connection.execute(select(bases).where(bases.c.digest.is_not(None), ~is_judged))
    return {base_of(row): row.digest for row in rows}


async def _last_green_builds(
    connection: AsyncConnection, homes: Collection[int], since: Any
) -> dict[tuple[int, Base, str], Any]:
    """When each of these repositories was last green on each digest."""
    rows = await connection.execute(
        _builds(*_is_build(_IS_GREEN), rebuilds.c.repository_id.in_(homes), rebuilds.c.built_at >= since).order_by(
            rebuilds.c.built_at
        )
    )
    whole = readable(rows, lambda row: row, lambda row: f"rebuild {row.id}")
    targets_by_build = read_targets(whole)
    return {
        (row.repository_id, target.base, target.to_digest): row.ended_at
        for row in whole
        for target in targets_by_build.get(row.id, ())
    }


async def _replacements_of(connection: AsyncConnection, rollouts: Collection[int]) -> dict[int, int]:
    """By the rebuilds that followed a run of others to no end, what took the place of each."""
    query = select(rebuilds.c.id, rebuilds.c.retried_as).where(
        rebuilds.c.rollout_id.in_(rollouts),
        rebuilds.c.state == RebuildState.SUPERSEDED.value,
        rebuilds.c.retried_as.is_not(None),
    )
    return {row.id: row.retried_as for row in await connection.execute(query)}


def _last_of(rebuild: int, replacements: Mapping[int, int]) -> int:
    """The rebuild itself, or what was done in its place in the end."""
    while rebuild in replacements:
        rebuild = replacements[rebuild]
    return rebuild


def _failed_again(row: Any, retries: Mapping[int, int], by_id: Mapping[int, Any]) -> bool | None:
    """Whether one more run of a build failed too; None where there was none."""
    if row.id not in retries:
        return None
    once_more = by_id.get(retries[row.id])
    return once_more is not None and once_more.built_at is None


def _ends_of(
    row: Any, targets: Sequence[Target], failed_again: bool | None, shown_digests: Any, green: Any
) -> list[BuildEnd]:
    return [
        BuildEnd(
            row.name,
            target.base,
            target.to_digest,
            row.built_at is not None,
            row.ended_at,
            green.get((row.repository_id, target.base, target.from_digest)),
            failed_again,
            row.merge_commit is None or is_dispatchable(row.workflow, row.workflows),
        )
        for target in targets
        if shown_digests.get(target.base) == target.to_digest
    ]


def _brings(targets: Sequence[Target], suspect: Suspect) -> bool:
    return any(target.base == suspect.base and target.to_digest == suspect.digest for target in targets)


def _question(suspect: Suspect) -> str:
    """The question about a digest, the same whoever else fails on it later: it is asked once."""
    digest_text = f"{suspect.base.short} at {suspect.digest[:19]}"
    return (
        f"repositories fail on {digest_text} that were green before; it fixes something severe, so a person decides"
    )


def _reason(suspect: Suspect) -> str:
    return f"{suspect.reason}: {', '.join(suspect.broken[:10])}"


async def _id_of(connection: AsyncConnection, base: Base) -> int:
    query = select(bases.c.id).where(has_base_name(str(base)))
    return int((await connection.execute(query)).scalar_one())
