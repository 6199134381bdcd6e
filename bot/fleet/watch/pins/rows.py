"""Pinned digests: what their reading reads and writes."""

from bot.domain.bases.observation import Observation
from bot.fleet.watch.pins.tick import UnreadPin
from bot.reconcile.work import Claimed
from bot.store.engine.codec import dump
from bot.store.engine.queue.claiming import DueRows, settle
from bot.store.engine.store import Store
from bot.store.engine.writing import chunks, insert_into
from bot.store.rows.bases.pinned_digests import pinned_digests, unfound_pins


class PinsStore(Store):
    """`bot.fleet.watch.pins.tick.PinsStore` on the database."""

    @property
    def pins(self) -> DueRows[UnreadPin]:
        return DueRows(
            self._database,
            self._worker,
            pinned_digests,
            _unread_pin,
            lambda row: f"pinned digest {row['digest'][:19]}…",
            where=[pinned_digests.c.read_at.is_(None)],
        )

    async def find_pins(self) -> None:
        async with self._database.reading() as connection:
            places = sorted(tuple(row) for row in await connection.execute(unfound_pins()))
        if not places:
            return
        now = self._clock.now()
        async with self._database.transaction() as connection:
            for chunk in chunks(places):
                rows = insert_into(connection, pinned_digests).values(
                    [
                        {"registry": registry, "repository": repository, "digest": digest, "due_at": now}
                        for registry, repository, digest in chunk
                    ]
                )
                await connection.execute(rows.on_conflict_do_nothing())

    async def save_pin(self, pin: UnreadPin, image: Observation) -> None:
        now = self._clock.now()
        values = {"observation": dump(image, Observation), "read_at": now, "error": None}
        async with self._database.transaction() as connection:
            await settle(connection, pinned_digests, self._worker, pin.id, due_at=now, values=values)


async def _unread_pin(claimed: Claimed) -> UnreadPin:
    row = claimed.row
    return UnreadPin(row["id"], row["registry"], row["repository"], row["digest"])
