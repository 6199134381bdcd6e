"""Observations that await assessment, and changes that await the feeds: what `assess` reads and writes."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import RowMapping, and_, case, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.bases.change import TOLD_BY_FEEDS, Cause, Change, Move
from bot.domain.bases.observation import Observation, Sight
from bot.domain.reference import Base
from bot.domain.rollouts.rebuild import ENDED, Action, RebuildState, Target
from bot.fleet.assess.mirror import MirroredBase
from bot.fleet.assess.tick import Pair
from bot.store.engine.codec import dump, load, readable
from bot.store.engine.counters import ASSESSMENTS, FEEDS, counter, raise_counter
from bot.store.engine.store import Store
from bot.store.engine.writing import chunks, lock
from bot.store.rows.bases.changes import changes_by_id
from bot.store.rows.bases.mirrors import MOST_PUBLISHED, upstreams
from bot.store.rows.bases.observations import latest_observations, loaded
from bot.store.rows.bases.tables import bases, changes, observations
from bot.store.rows.rollouts.tables import rebuilds
from bot.store.rows.tables import announce

_CONCERNS_FOR = timedelta(days=120)
"""An image that has not been rebuilt for longer is told by its age, not by what one change of its base fixed."""


class AssessStore(Store):
    """`bot.fleet.assess.tick.AssessStore` on the database."""

    async def unassessed(self, limit: int) -> list[Pair]:
        """Observations that no change explains yet, oldest first, each with the one before it."""
        before = observations.alias("before")
        last_change = (
            select(changes.c.change)
            .where(changes.c.base_id == observations.c.base_id, changes.c.to_observation < observations.c.id)
            .order_by(changes.c.to_observation.desc())
            .limit(1)
            .scalar_subquery()
        )
        query = (
            select(
                last_change.label("last_change"),
                observations.c.id,
                observations.c.base_id,
                observations.c.observation,
                before.c.id.label("before_id"),
                before.c.observation.label("before_observation"),
            )
            .join(before, before.c.id == observations.c.previous_id)
            .where(observations.c.assessed.is_(False))
            .order_by(observations.c.id)
            .limit(limit)
        )
        async with self._database.reading() as connection:
            rows = (await connection.execute(query)).mappings().all()
        return readable(rows, _pair, lambda row: f"observation {row['id']}")

    async def feeds_revision(self) -> int:
        """Grows with every news from a feed; read before the news, so that none is missed in between."""
        async with self._database.reading() as connection:
            return await counter(connection, FEEDS)

    async def save_changes(self, assessed_pairs: Sequence[tuple[Pair, Change]], revision: int) -> None:
        """Stores changes; what a base shows at first sight is past, whatever a log says, and sets off nothing."""
        now = self._clock.now()
        async with self._database.transaction() as connection:
            await lock(connection, observations, {pair.id for pair, _ in assessed_pairs})
            for pair, change in assessed_pairs:
                updated_rows = await connection.execute(
                    update(observations)
                    .where(observations.c.id == pair.id, observations.c.assessed.is_(False))
                    .values(assessed=True)
                    .returning(observations.c.sight)
                )
                sight = updated_rows.scalar_one_or_none()
                if sight is None:
                    continue
                await connection.execute(
                    insert(changes).values(
                        base_id=pair.base_id,
                        from_observation=pair.before_id,
                        to_observation=pair.id,
                        at=change.at,
                        cause=change.cause.value,
                        change=dump(change, Change),
                        assessed_at=now,
                        feeds_revision=revision,
                        planned=sight == Sight.FIRST,
                    )
                )

    async def reassessable(self, revision: int) -> list[Move]:
        """Changes of a .NET version, and of own bases that may bring some, that were assessed before the feeds came
        to `revision`, as far as they still concern anybody; oldest first.
        """
        query = (
            select(changes.c.id, changes.c.change)
            .where(
                changes.c.cause.in_([cause.value for cause in (*TOLD_BY_FEEDS, Cause.BASE_UPDATE)]),
                changes.c.feeds_revision < revision,
                changes.c.at > self._clock.now() - _CONCERNS_FOR,
            )
            .order_by(changes.c.id)
        )
        async with self._database.reading() as connection:
            rows = (await connection.execute(query)).all()
        return readable(rows, lambda row: Move(row.id, load(row.change, Change)), lambda row: f"change {row.id}")

    async def copied_from(self, base_ids: Collection[int]) -> dict[int, Base]:
        """Of the bases that are copies in a mirror: what each is a copy of."""
        async with self._database.reading() as connection:
            return {copy: base for copy, (_, base) in (await _origins(connection, base_ids)).items()}

    async def upstreams(self, base_ids: Collection[int]) -> dict[int, MirroredBase]:
        """Reads what these copies are copies of, with what that has shown of late and how it moved, in order."""
        async with self._database.reading() as connection:
            origins = await _origins(connection, base_ids)
            above = dict(origins.values())
            latest = await latest_observations(connection, sorted(above), MOST_PUBLISHED)
            rows: list[Any] = []
            for chunk in chunks(sorted(above)):
                query = select(changes.c.id, changes.c.change).where(
                    changes.c.base_id.in_(chunk), changes.c.at > self._clock.now() - _CONCERNS_FOR
                )
                rows += (await connection.execute(query.order_by(changes.c.id))).all()
        histories = loaded(above, latest)
        moves: dict[Base, list[Move]] = {}
        for move in readable(
            rows, lambda row: Move(row.id, load(row.change, Change)), lambda row: f"change {row.id}"
        ):
            moves.setdefault(move.change.base, []).append(move)
        return {
            copy: MirroredBase(base, histories.get(base, ()), moves.get(base, ()))
            for copy, (_, base) in origins.items()
        }

    async def changes_named(self, ids: Collection[int]) -> dict[int, Change]:
        """Reads the changes of these ids, as far as they are kept."""
        async with self._database.reading() as connection:
            return await changes_by_id(connection, ids)

    async def save_reassessed(self, looked_at: Sequence[int], news: Sequence[Move], revision: int) -> None:
        """Stores what the feeds added: open pull requests and messages become due for their new text."""
        now = self._clock.now()
        rollouts: set[int] = set()
        async with self._database.transaction() as connection:
            await lock(connection, changes, looked_at)
            for ids in chunks(looked_at):
                await connection.execute(
                    update(changes).where(changes.c.id.in_(ids)).values(assessed_at=now, feeds_revision=revision)
                )
            for move in news:
                row = await connection.execute(
                    update(changes)
                    .where(changes.c.id == move.id)
                    .values(cause=move.change.cause.value, change=dump(move.change, Change))
                    .returning(changes.c.rollout_id)
                )
                rollouts |= {rollout for rollout in row.scalars() if rollout is not None}
            if rollouts:
                await _explain(connection, {move.id for move in news}, now)
            for rollout in sorted(rollouts):
                await announce(connection, f"rollout:{rollout}", now)
            if not news:
                return
            assessments = await raise_counter(connection, ASSESSMENTS)
            await connection.execute(
                update(changes)
                .where(changes.c.id.in_([move.id for move in news]))
                .values(assessed_revision=assessments)
            )


async def _origins(connection: AsyncConnection, base_ids: Collection[int]) -> dict[int, tuple[int, Base]]:
    """By the id of a copy the id and name of what it is a copy of."""
    origins: dict[int, tuple[int, Base]] = {}
    for chunk in chunks(sorted(base_ids)):
        rows = await connection.execute(
            select(bases.c.id, upstreams.c.id, upstreams.c.registry, upstreams.c.repository, upstreams.c.tag)
            .join(upstreams, upstreams.c.id == bases.c.upstream_id)
            .where(bases.c.id.in_(chunk))
        )
        origins |= {row[0]: (row[1], Base(*row[2:])) for row in rows}
    return origins


async def _explain(connection: AsyncConnection, news: set[int], now: datetime) -> None:
    """An open pull request that nobody is busy with is due at once; others when their turn comes."""
    rows = await connection.execute(
        select(rebuilds.c.id, rebuilds.c.targets).where(
            rebuilds.c.state.not_in(ENDED), rebuilds.c.action == Action.PULL_REQUEST.value
        )
    )
    open_ones = readable(
        rows, lambda row: (row.id, load(row.targets, tuple[Target, ...])), lambda row: f"rebuild {row.id}"
    )
    concerned_ids = [number for number, targets in open_ones if any(news & set(item.changes) for item in targets)]
    is_free = and_(rebuilds.c.state == RebuildState.OPEN.value, rebuilds.c.lease_owner.is_(None))
    for ids in chunks(sorted(concerned_ids)):
        await lock(connection, rebuilds, ids)
        await connection.execute(
            update(rebuilds)
            .where(rebuilds.c.id.in_(ids))
            .values(
                facts_version=rebuilds.c.facts_version + 1, due_at=case((is_free, now), else_=rebuilds.c.due_at)
            )
        )


def _pair(row: RowMapping) -> Pair:
    return Pair(
        row["id"],
        row["before_id"],
        row["base_id"],
        load(row["before_observation"], Observation),
        load(row["observation"], Observation),
        _lacks_in(row["last_change"]),
    )


def _lacks_in(change: object) -> tuple[str, ...]:
    """What a stored change says that its base lacks; one that cannot be read keeps no other from being made."""
    lacks = change.get("lacks") if isinstance(change, dict) else None
    return tuple(each for each in lacks if isinstance(each, str)) if isinstance(lacks, list) else ()
