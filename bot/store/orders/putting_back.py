"""What people had said before a store was lost holds again, as soon as a person lets the bot go on."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.failure import Failure, Trouble
from bot.domain.rollouts.rebuild import AWAITING
from bot.domain.rollouts.witness import Said, SaidHold, SaidQuarantine, read_said
from bot.store.engine.counters import FIRST_RUN, TAKEN_UP, counter
from bot.store.rows.bases.bases import has_name_among
from bot.store.rows.bases.tables import bases
from bot.store.rows.repositories.tables import repositories
from bot.store.rows.rollouts.quarantines import open_each
from bot.store.rows.rollouts.rebuilds import merging_by_themselves
from bot.store.rows.rollouts.tables import pauses, rebuilds

Outcome = tuple[Said, str | None]
"""What was said, and why it is not put back; None where it is."""
_NOTHING_WAITS = "nothing waits there"


async def put_back(connection: AsyncConnection, pause_ids: Sequence[int], now: datetime) -> list[Outcome]:
    """Puts back what ending these pauses brings back. A hold keeps what waits in its repository by now, and a
    quarantine what stands on its base, where that still shows the digest. Raises `Failure` before the fleet was
    read: nothing waits yet that could be held.

    Whoever calls has raised the counter of releases, and locks rebuilds afterwards only where it has asked for them
    here: all are locked at once.
    """
    rows = await connection.scalars(select(pauses.c.puts_back).where(pauses.c.id.in_(pause_ids)))
    said = [each for row in rows for each in read_said(row)]
    if not said:
        return []
    if not (await counter(connection, TAKEN_UP) or await counter(connection, FIRST_RUN)):
        message = "the fleet is not read yet, so that what was held cannot be put back"
        raise Failure(Trouble.CONFLICT, message, advice="resume after the next pass")
    waiting = {each: await _waiting_in(connection, each.repository) for each in said if isinstance(each, SaidHold)}
    standing = {each: await _base_showing(connection, each) for each in said if isinstance(each, SaidQuarantine)}
    wanted = [(base, each.digest, each.who, each.reason) for each, base in standing.items() if base is not None]
    to_be_locked = {rebuild for ids in waiting.values() for rebuild in ids}
    await open_each(connection, wanted, now, to_be_locked | set(await merging_by_themselves(connection)))
    for hold, ids in waiting.items():
        # Taking the lease away stops a worker that is just beginning with one.
        await connection.execute(
            update(rebuilds)
            .where(rebuilds.c.id.in_(ids), rebuilds.c.state.in_(AWAITING))
            .values(held_because=hold.because, lease_owner=None, lease_until=None)
        )
    gone_on = "its base does not show that, or is not known"
    failures: dict[Said, str | None] = {each: None if ids else _NOTHING_WAITS for each, ids in waiting.items()}
    failures |= {each: gone_on if base is None else None for each, base in standing.items()}
    return [(each, failures[each]) for each in said]


async def _waiting_in(connection: AsyncConnection, repository: str) -> list[int]:
    """What has not begun there."""
    repository_ids = select(repositories.c.id).where(repositories.c.name == repository)
    query = select(rebuilds.c.id).where(
        rebuilds.c.repository_id.in_(repository_ids), rebuilds.c.state.in_(AWAITING)
    )
    return list(await connection.scalars(query))


async def _base_showing(connection: AsyncConnection, said: SaidQuarantine) -> int | None:
    query = select(bases.c.id).where(has_name_among([said.base]), bases.c.digest == said.digest)
    return (await connection.execute(query)).scalar()
