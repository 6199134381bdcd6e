"""Bases, what was observed of them, and incidents: what `watch` reads and writes."""

import zlib
from collections.abc import Collection, Mapping, Sequence

from sqlalchemy import and_, bindparam, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.bases.incident import Incident
from bot.domain.bases.mirrors import Likeness
from bot.domain.feeds.advisory import Release
from bot.fleet.watch.registry.ports import DueBase, Mirrored, Poll, Sighting
from bot.reconcile.work import Claimed
from bot.store.engine.codec import readable
from bot.store.engine.queue.claiming import DueRows, settle
from bot.store.engine.store import Store
from bot.store.engine.writing import chunks, insert_missing, lock
from bot.store.rows.bases.incidents import tell_incidents
from bot.store.rows.bases.mirrors import compare_mirrors, with_mirrors
from bot.store.rows.bases.observations import add_observation
from bot.store.rows.bases.tables import base_of, bases, incidents, manifests, observations, releases, shows_two_in
from bot.store.rows.bases.told_ways import read_releases
from bot.store.rows.inventories.wanted import ShownImage, want_observed

_EARLIER = 20
"""How many earlier digests of a base are looked at for one that comes back."""


class WatchStore(Store):
    """`bot.fleet.watch.registry.ports.WatchStore` on the database."""

    @property
    def bases(self) -> DueRows[DueBase]:
        """The bases in use whose turn it is."""
        conditions = [bases.c.used.is_(True)]
        return DueRows(
            self._database, self._worker, bases, _due_base, lambda row: str(base_of(row)), where=conditions
        )

    async def earlier_digests(self, base_id: int) -> frozenset[str]:
        newest = (
            select(observations.c.digest)
            .where(observations.c.base_id == base_id, observations.c.digest.is_not(None))
            .order_by(observations.c.id.desc())
            .limit(_EARLIER)
        )
        async with self._database.transaction() as connection:
            return frozenset((await connection.execute(newest)).scalars())

    async def manifests(self, digests: Collection[str]) -> dict[str, bytes]:
        bodies: dict[str, bytes] = {}
        async with self._database.reading() as connection:
            for chunk in chunks(sorted(set(digests))):
                rows = await connection.execute(select(manifests).where(manifests.c.digest.in_(chunk)))
                bodies |= readable(
                    rows,
                    lambda row: (row.digest, zlib.decompress(row.body)),
                    lambda row: f"manifest {row.digest}",
                )
        return bodies

    async def newest_releases(self) -> list[Release]:
        """The release of each channel that its feed showed last."""
        latest = (
            select(releases.c.channel, func.max(releases.c.published_at).label("at"))
            .group_by(releases.c.channel)
            .subquery()
        )
        query = select(releases).join(
            latest,
            and_(releases.c.channel == latest.c.channel, releases.c.published_at == latest.c.at),
        )
        async with self._database.reading() as connection:
            return await read_releases(connection, query)

    async def reschedule(self, polls: Sequence[Poll]) -> None:
        """Stores when bases are due again, in one statement: row by row, 300 take twenty times as long."""
        if not polls:
            return
        statement = (
            update(bases)
            .where(bases.c.id == bindparam("base"), bases.c.lease_owner == self._worker.name)
            .values(
                due_at=bindparam("due"),
                unconfirmed=bindparam("unconfirmed"),
                other_digest=bindparam("other"),
                switched_at=bindparam("switched"),
                attempts=0,
                error=None,
                lease_owner=None,
                lease_until=None,
            )
        )
        rows = [
            {
                "base": poll.base_id,
                "due": poll.due_at,
                "unconfirmed": poll.unconfirmed,
                "other": poll.shows_two.other if poll.shows_two is not None else None,
                "switched": poll.shows_two.since if poll.shows_two is not None else None,
            }
            for poll in polls
        ]
        async with self._database.transaction() as connection:
            await lock(connection, bases, {poll.base_id for poll in polls})
            await connection.execute(statement, rows)

    async def record(self, sightings: Sequence[Sighting], bodies: Mapping[str, bytes]) -> None:
        async with self._database.transaction() as connection:
            for digest, body in sorted(bodies.items()):  # one order for all workers, so that none waits for another
                await connection.execute(
                    insert_missing(
                        connection,
                        manifests,
                        digest=digest,
                        body=zlib.compress(body),
                        fetched_at=sightings[0].observation.at,
                    )
                )
            moved_bases = {sighting.base_id for sighting in sightings}
            await lock(connection, bases, await with_mirrors(connection, moved_bases))
            observed = {await self._record(connection, sighting): sighting.observation for sighting in sightings}
            images = {
                number: [
                    ShownImage(observation.base.registry, observation.base.repository, platform)
                    for platform in observation.platforms
                ]
                for number, observation in observed.items()
            }
            await compare_mirrors(connection, moved_bases, self._clock.now())
            await want_observed(connection, images, self._clock.now())

    async def _record(self, connection: AsyncConnection, sighting: Sighting) -> int:
        """The id of the observation."""
        observation = sighting.observation
        observation_id = await add_observation(connection, sighting.base_id, observation, sighting.sight)
        await settle(
            connection,
            bases,
            self._worker,
            sighting.base_id,
            due_at=sighting.due_at,
            values={
                "digest": observation.digest,
                "unconfirmed": None,
                "other_digest": None,
                "switched_at": None,
                "version": observation.version,
                "moved_at": observation.at,
                "observation_id": observation_id,
                "error": None,
            },
        )
        return observation_id

    async def open_incidents(self, subject_prefix: str) -> list[Incident]:
        async with self._database.reading() as connection:
            rows = await connection.execute(
                select(incidents).where(
                    incidents.c.cleared_at.is_(None),
                    incidents.c.subject.startswith(subject_prefix, autoescape=True),
                )
            )
            return readable(
                rows,
                lambda row: Incident(row.subject, row.opened_at, row.detail),
                lambda row: f"incident {row.id}",
            )

    async def save_incidents(self, opened: Sequence[Incident], cleared: Sequence[Incident]) -> None:
        """Stores incidents; one that is open already keeps its beginning, and each beginning and end causes a
        message."""
        now = self._clock.now()
        async with self._database.transaction() as connection:
            await tell_incidents(connection, opened, {incident.subject for incident in cleared}, now)


async def _due_base(claimed: Claimed) -> DueBase:
    row = claimed.row
    last_look = (row["digest"], row["version"], row["moved_at"], row["unconfirmed"])
    likeness = Likeness(row["likeness"]) if row["likeness"] else None
    mirrored = Mirrored(row["upstream_digest"], likeness, row["behind_since"]) if row["upstream_id"] else None
    return DueBase(row["id"], base_of(row), *last_look, mirrored, shows_two_in(row))
