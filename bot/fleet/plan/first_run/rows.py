"""Catching up, and the first run: what `plan.catching_up` and `plan.first_run` read and write."""

from collections.abc import Collection

from sqlalchemy import exists, insert, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.failure import LeaseLost
from bot.domain.reference import Base
from bot.domain.rollouts.journal import Word
from bot.domain.rollouts.pinning import FleetBehind
from bot.domain.rollouts.rebuild import WITHOUT_EFFECT, Target
from bot.domain.rollouts.rollout import Occasion
from bot.fleet.plan.catching_up import CatchUp
from bot.fleet.plan.rows.plan import PlanStore
from bot.fleet.plan.rows.planned_rebuilds import add_rebuilds, supersede
from bot.store.engine.codec import load, readable
from bot.store.engine.counters import FIRST_RUN, PLANS, counter, raise_counter, set_counter
from bot.store.engine.writing import chunks
from bot.store.rows.bases.behind import read_behind
from bot.store.rows.bases.pinned_digests import IS_UNREAD, pinned_digests, unfound_pins
from bot.store.rows.bases.tables import bases
from bot.store.rows.repositories.ages import workflow_builds
from bot.store.rows.repositories.tables import repositories
from bot.store.rows.rollouts.quarantines import hold_what_came, is_more_to_hold
from bot.store.rows.rollouts.rebuilds import after_transitions
from bot.store.rows.rollouts.served import MERGED_AT
from bot.store.rows.rollouts.tables import rebuilds, rollouts
from bot.store.rows.tables import LISTING, LISTING_AT, announce, journal, tasks


class CatchUpStore(PlanStore):
    """It plans as `PlanStore` does, from what is behind instead of from changes."""

    async def behind(self) -> FleetBehind:
        async with self._database.reading() as connection:
            return await read_behind(connection, self._clock.now())

    async def on_the_way(self, repositories_: Collection[int]) -> set[tuple[int, Base, str]]:
        """Repository, base and digest of what a rebuild brings or has brought.

        What was merged before the repository was last read, and is behind all the same, has not brought it.
        """
        served_places: set[tuple[int, Base, str]] = set()
        read_at = repositories.c.read_at
        is_seen = or_(MERGED_AT.is_(None), read_at.is_(None), read_at <= MERGED_AT)
        async with self._database.reading() as connection:
            for part in chunks(sorted(repositories_)):
                rows = await connection.execute(
                    select(rebuilds.c.id, rebuilds.c.repository_id, rebuilds.c.targets)
                    .join(repositories, repositories.c.id == rebuilds.c.repository_id)
                    .where(rebuilds.c.repository_id.in_(part), rebuilds.c.state.not_in(WITHOUT_EFFECT), is_seen)
                )
                for home, targets in readable(
                    rows,
                    lambda row: (row.repository_id, load(row.targets, tuple[Target, ...])),
                    lambda row: f"rebuild {row.id}",
                ):
                    served_places |= {(home, target.base, target.to_digest) for target in targets}
        return served_places

    async def save(self, plan: CatchUp, word: Word) -> int | None:
        """Makes the rollout that a person asked for; None where there is nothing to rebuild.

        Raises `LeaseLost` where another plan was saved since this one was made.
        """
        now = self._clock.now()
        async with self._database.transaction() as connection:
            rollout = await self._begin(connection, plan)
            await connection.execute(
                insert(journal).values(
                    at=now,
                    who=word.who,
                    is_claimed=word.is_claimed,
                    reason=word.reason,
                    what="catch-up",
                    subject="nothing was left to do" if rollout is None else f"rollout {rollout}",
                )
            )
        return rollout

    async def is_any_read(self) -> bool:
        """Tells whether any repository of the fleet was read yet."""
        any_read = exists(select(repositories.c.id).where(repositories.c.read_at.is_not(None)))
        async with self._database.reading() as connection:
            return bool(await connection.scalar(select(any_read)))

    async def is_first_run_over(self) -> bool:
        async with self._database.reading() as connection:
            return await counter(connection, FIRST_RUN) > 0

    async def is_fleet_read(self) -> bool:
        """Whether every forge, repository, base, pinned digest and workflow has been looked at, or cannot be."""
        is_listing = or_(tasks.c.name == LISTING, tasks.c.name.startswith(LISTING_AT))
        is_to_be_tried = or_(tasks.c.attempts == 0, tasks.c.lease_owner.is_not(None))
        unlisted = exists(select(tasks.c.id).where(is_listing, tasks.c.mark.is_(None), is_to_be_tried))
        unread = exists(
            select(repositories.c.id).where(
                repositories.c.listed.is_(True), repositories.c.read_at.is_(None), repositories.c.error.is_(None)
            )
        )
        unseen = exists(
            select(bases.c.id).where(bases.c.used.is_(True), bases.c.digest.is_(None), bases.c.error.is_(None))
        )
        unknown = exists(
            select(workflow_builds.c.id).where(
                workflow_builds.c.read_at.is_(None), workflow_builds.c.error.is_(None)
            )
        )
        unfound, unread_pin = exists(unfound_pins()), exists(select(pinned_digests.c.id).where(IS_UNREAD))
        any_read = exists(select(repositories.c.id).where(repositories.c.read_at.is_not(None)))
        async with self._database.reading() as connection:
            questions = any_read, unlisted, unread, unseen, unknown, unfound, unread_pin
            row = (await connection.execute(select(*questions))).one()
        return bool(row[0]) and not any(row[1:])

    async def end_first_run(self, plan: CatchUp | None, *, is_told: bool) -> int | None:
        """Keeps that the first run is over, has it told, and makes its rollout where there is a plan.

        Raises `LeaseLost` where another worker has done so, or saved a plan since this one was made.
        """
        async with self._database.transaction() as connection:
            rollout = None if plan is None else await self._begin(connection, plan)
            if await counter(connection, FIRST_RUN) > 0:
                raise LeaseLost("another worker has ended the first run")
            if is_told:
                await announce(connection, "first_run:1", self._clock.now())
            await set_counter(connection, FIRST_RUN, 1)
        return rollout

    async def _begin(self, connection: AsyncConnection, plan: CatchUp) -> int | None:
        now = self._clock.now()
        if await raise_counter(connection, PLANS) != plan.revisions.plans + 1:
            raise LeaseLost("another worker has saved a plan meanwhile")
        if not plan.rebuilds:
            return None
        if await is_more_to_hold(connection):
            await hold_what_came(connection, now, [old for item in plan.rebuilds for old in item.supersedes])
        result = await connection.execute(
            insert(rollouts).values(opened_at=now, occasion=Occasion.CATCH_UP.value).returning(rollouts.c.id)
        )
        rollout = int(result.scalar_one())
        touched_rollouts = await supersede(connection, plan.rebuilds, rollout, now)
        await add_rebuilds(connection, plan.rebuilds, plan.revisions, rollout, now)
        await after_transitions(connection, touched_rollouts | {rollout}, now)
        return rollout
